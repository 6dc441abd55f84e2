//! The parameters behind an app or a stream.

/// Parameters, with the vhost taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// The value of the first `vhost` that has one, not cleaned.
    pub(super) vhost: Option<String>,
    /// All others as they came, joined by `&`.
    pub(super) params: String,
}

impl Query {
    /// Reads what stands behind the first separator.
    ///
    /// Parameters are separated by `&`, `&&`, `?` and `,`. A comma is part of a value unless a name
    /// and `=` follow: lists of addresses and the like come in signed tokens. A vhost also ends at
    /// `...`, the separator for encoders whose URLs allow no `?`.
    pub(super) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for group in text.split(['?', '&']) {
            let mut rest = Some(group);
            while let Some(group) = rest {
                let (parameter, behind) = split_at_comma(group);
                rest = behind;
                match parameter.strip_prefix("vhost=") {
                    Some(vhost) => {
                        let (vhost, behind) = vhost.split_once("...").unwrap_or((vhost, ""));
                        if query.vhost.is_none() && !vhost.is_empty() {
                            query.vhost = Some(vhost.to_owned());
                        }
                        query.push(behind);
                    }
                    None => query.push(parameter),
                }
            }
        }
        query
    }

    /// Adds what another part of the address says; a vhost that is known stays.
    pub(super) fn append(&mut self, other: Self) {
        self.vhost = self.vhost.take().or(other.vhost);
        self.push(&other.params);
    }

    fn push(&mut self, parameter: &str) {
        let parameter = parameter.trim_matches([' ', '\r', '\n', '\t']);
        if parameter.is_empty() {
            return;
        }
        if !self.params.is_empty() {
            self.params.push('&');
        }
        self.params.push_str(parameter);
    }
}

/// Splits at the first comma behind which a name and `=` stand.
fn split_at_comma(group: &str) -> (&str, Option<&str>) {
    for (at, _) in group.match_indices(',') {
        let behind = &group[at + 1..];
        if behind
            .split(',')
            .next()
            .is_some_and(|parameter| parameter.contains('='))
        {
            return (&group[..at], Some(behind));
        }
    }
    (group, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vhost_is_taken_out_and_the_others_stay_in_order() {
        let cases = [
            ("", None, ""),
            ("vhost=v", Some("v"), ""),
            ("key=k&vhost=v", Some("v"), "key=k"),
            ("vhost=v&key=k", Some("v"), "key=k"),
            ("vhost=v&&key=k", Some("v"), "key=k"),
            ("key=k,vhost=v", Some("v"), "key=k"),
            ("a=1?b=2?vhost=v?c=3", Some("v"), "a=1&b=2&c=3"),
            ("vhost=&key=k", None, "key=k"),
            ("vhost=&vhost=v", Some("v"), ""),
            ("vhost=first&vhost=second", Some("first"), ""),
            ("vhost=v...key=k", Some("v"), "key=k"),
            ("vhosts=v&myvhost=w", None, "vhosts=v&myvhost=w"),
            ("vhost", None, "vhost"),
            ("a=1,b=2", None, "a=1&b=2"),
            (
                "ips=10.0.0.1,10.0.0.2,vhost=v,x=1",
                Some("v"),
                "ips=10.0.0.1,10.0.0.2&x=1",
            ),
            ("token=ab==&x=a...b", None, "token=ab==&x=a...b"),
            ("&&?a=1&,&\t", None, "a=1&,"),
        ];
        for (text, vhost, params) in cases {
            let expected = Query {
                vhost: vhost.map(str::to_owned),
                params: params.to_owned(),
            };
            assert_eq!(Query::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_comes_later_is_appended_but_its_vhost_only_if_there_is_none() {
        let mut query = Query::parse("a=1");
        query.append(Query::parse("vhost=v&b=2"));
        query.append(Query::parse("vhost=w"));
        query.append(Query::parse("c=3"));
        assert_eq!(
            query,
            Query {
                vhost: Some("v".to_owned()),
                params: "a=1&b=2&c=3".to_owned()
            }
        );
    }
}
