//! Counts as sentences have them.

/// `1 client`, `2 clients`.
pub(crate) fn plural(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let counts = [0, 1, 2, 11].map(|count| plural(count, "client"));
        assert_eq!(counts, ["0 clients", "1 client", "2 clients", "11 clients"]);
    }
}
