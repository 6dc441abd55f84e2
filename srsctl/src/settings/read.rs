//! A text becomes settings, or a list of mistakes.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::keys::{Keys, keys_of, nearest};
use super::mistake::Mistake;
use super::server::is_name;
use super::{ServerSettings, Settings};
use crate::top::TopSettings;

/// Reads the settings out of `text`, the content of `file`.
///
/// # Errors
/// The mistakes: of all keys that do not exist, else the first of the values, else those of what
/// contradicts itself.
pub(super) fn settings(text: &str, file: &Path) -> Result<Settings, Vec<Mistake>> {
    let source = Source { text, file };
    let root = DeTable::parse(text).map_err(|error| vec![source.of_error(&error)])?;
    let mut checker = Checker {
        root: root.get_ref(),
        source,
        mistakes: Vec::new(),
    };
    checker.check_keys();
    let mut settings: Settings = match toml::from_str(text) {
        Ok(settings) => settings,
        Err(error) if checker.mistakes.is_empty() => return Err(vec![source.of_error(&error)]),
        Err(_) => return Err(checker.mistakes),
    };
    checker.check_servers(&settings);
    if !checker.mistakes.is_empty() {
        return Err(checker.mistakes);
    }
    let folder = file.parent().unwrap_or_else(|| "".as_ref());
    let home = std::env::home_dir();
    for server in settings.servers.values_mut() {
        for path in [&mut server.token_file, &mut server.password_file] {
            *path = path
                .take()
                .map(|path| whole(&path, folder, home.as_deref()));
        }
    }
    Ok(settings)
}

/// A path as it is meant: `~` is the home of the user, and what is relative is beside the settings.
fn whole(path: &Path, folder: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

/// What is read.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Source<'_> {
    fn mistake(&self, span: &Range<usize>) -> Mistake {
        Mistake::new(self.file, self.text, span)
    }

    fn of_error(&self, error: &Error) -> Mistake {
        let span = error.span().unwrap_or_default();
        self.mistake(&span).told(error.message(), "")
    }
}

/// Looks for mistakes.
#[derive(Debug)]
struct Checker<'a> {
    root: &'a DeTable<'a>,
    source: Source<'a>,
    mistakes: Vec<Mistake>,
}

impl Checker<'_> {
    /// Finds the keys that do not exist.
    fn check_keys(&mut self) {
        self.check_table(self.root, keys_of::<Settings>(), None);
        if let Some(top) = table(self.root, "top") {
            self.check_table(top, keys_of::<TopSettings>(), None);
        }
        let Some(servers) = table(self.root, "servers") else {
            return;
        };
        for (name, server) in servers {
            if let Some(server) = server.get_ref().as_table() {
                let keys = keys_of::<ServerSettings>();
                self.check_table(server, keys, Some(name.get_ref()));
            }
            if !is_name(name.get_ref()) {
                self.add(
                    &name.span(),
                    format!("{:?} cannot be the name of a server", name.get_ref()),
                    "expected no blanks, no `/` and no `:`, by which an address is known",
                );
            }
        }
    }

    fn check_table(&mut self, table: &DeTable<'_>, known: Keys, server: Option<&str>) {
        for (key, value) in table {
            if known.contains(&&**key.get_ref()) {
                continue;
            }
            let place = server.map_or_else(String::new, |name| format!(" in [servers.{name}]"));
            let problem = format!("unknown key `{}`{place}", key.get_ref());
            let help = help(key.get_ref(), value.get_ref(), known, server);
            self.add(&key.span(), problem, help);
        }
    }

    /// Finds what contradicts itself.
    fn check_servers(&mut self, settings: &Settings) {
        if let Some(name) = &settings.server
            && !settings.servers.contains_key(name)
        {
            let known = settings.servers.keys().map(String::as_str);
            let help = match nearest(name, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None if settings.servers.is_empty() => {
                    format!("a table [servers.{name}] would say where it is")
                }
                None => format!("expected one of these: {}", settings.names()),
            };
            let span = self.span(&["server"]);
            self.add(&span, format!("no server is called `{name}`"), help);
        }
        for (name, server) in &settings.servers {
            let has = (
                server.token_file.is_some(),
                server.user.as_deref(),
                server.password_file.is_some(),
            );
            let found = match has {
                (true, Some(_), _) | (true, _, true) => Some((
                    "token_file",
                    "a server takes either a token or a name with a password",
                    "take out one of them",
                )),
                (_, Some(user), _) if user.is_empty() || user.contains(':') => Some((
                    "user",
                    "this is no name for HTTP",
                    "a name has no colon; `password_file` names the file with the password",
                )),
                (_, Some(_), false) => Some((
                    "user",
                    "a name without a password",
                    "`password_file` names the file that holds it",
                )),
                (_, None, true) => Some((
                    "password_file",
                    "a password without a name",
                    "`user` says whose it is",
                )),
                _ => None,
            };
            if let Some((key, problem, help)) = found {
                let span = self.span(&["servers", name, key]);
                self.add(&span, problem, help);
            }
        }
    }

    fn add(&mut self, span: &Range<usize>, problem: impl Into<String>, help: impl Into<String>) {
        // Nobody reads more of them.
        if self.mistakes.len() < MAX_TOLD {
            let mistake = self.source.mistake(span);
            self.mistakes.push(mistake.told(problem, help));
        }
    }

    /// Where the value at `path` is.
    fn span(&self, path: &[&str]) -> Range<usize> {
        let mut table = Some(self.root);
        let mut span = 0..0;
        for key in path {
            let Some(value) = table.and_then(|table| entry(table, key)) else {
                break;
            };
            span = value.span();
            table = value.get_ref().as_table();
        }
        span
    }
}

/// What may be right in place of `key`.
fn help(key: &str, value: &DeValue<'_>, known: Keys, server: Option<&str>) -> String {
    let elsewhere = match server {
        None if value.is_table() => keys_of::<ServerSettings>().contains(&"address"),
        _ => false,
    };
    match key {
        "token" if server.is_some() => {
            "`token_file` names the file that holds the token".to_owned()
        }
        "password" if server.is_some() => {
            "`password_file` names the file that holds the password".to_owned()
        }
        _ => match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if elsewhere => format!("a server is a table [servers.{key}]"),
            None => {
                let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
                format!("expected one of these: {}", known.join(", "))
            }
        },
    }
}

fn table<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    entry(table, key)?.get_ref().as_table()
}

fn entry<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a Spanned<DeValue<'i>>> {
    let mut entries = table.iter();
    entries
        .find(|(known, _)| *known.get_ref() == key)
        .map(|(_, value)| value)
}

/// Enough for every mistake that people make in one sitting.
const MAX_TOLD: usize = 20;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Settings, Vec<Mistake>> {
        settings(text, Path::new("/c/config.toml"))
    }

    #[test]
    fn servers_have_names() {
        let settings = read(
            r##"
server = "edge1"

[servers.edge1]
address = "https://edge1.example.com:1985"
token_file = "~/edge1.token"
timeout = "2s"
read_only = true
rtmp = "rtmp://edge1.example.com/"

[servers."edge2.example.com"]
address = "edge2:1985"
user = "admin"
password_file = "edge2.password"
timeout = 3

[top]
theme = "default"
columns = { streams = ["name", "out"] }
"##,
        )
        .unwrap();
        assert_eq!(settings.server.as_deref(), Some("edge1"));
        assert_eq!(settings.names(), "edge1, edge2.example.com");
        let [edge1, edge2] = ["edge1", "edge2.example.com"].map(|name| &settings.servers[name]);
        assert_eq!(edge1.address.to_string(), "https://edge1.example.com:1985");
        let home = std::env::home_dir().unwrap();
        assert_eq!(edge1.token_file, Some(home.join("edge1.token")));
        assert_eq!(edge1.timeout, Some(Duration::from_secs(2)));
        assert!(edge1.read_only && !edge2.read_only);
        assert_eq!(edge1.rtmp.as_deref(), Some("rtmp://edge1.example.com"));
        assert_eq!(edge2.user.as_deref(), Some("admin"));
        assert_eq!(edge2.password_file, Some("/c/edge2.password".into()));
        assert_eq!(edge2.timeout, Some(Duration::from_secs(3)));
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_what_would_be_right() {
        let cases = [
            ("servr = \"a\"", (1, 1), "did you mean `server`?"),
            ("colour = 1", (1, 1), "expected one of these: `server`"),
            ("[top]\nthem = \"dark\"", (2, 1), "did you mean `theme`?"),
            (
                "[top]\ntheme = \"pink\"",
                (2, 9),
                "expected one of default, mono",
            ),
            (
                "[edge1]\naddress = \"a:1\"",
                (1, 2),
                "a server is a table [servers.edge1]",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\ntoken-file = \"t\"",
                (3, 1),
                "unknown key `token-file` in [servers.a]\n  3 | token-file = \"t\"\n    | \
                 ^^^^^^^^^^ did you mean `token_file`?",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\ntoken = \"geheim\"",
                (3, 1),
                "`token_file` names the file that holds the token",
            ),
            ("[servers.a]\n", (1, 1), "missing field `address`"),
            (
                "[servers.a]\naddress = \"a\"",
                (2, 11),
                "expected unix:PATH, http://HOST:PORT",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\ntimeout = \"5x\"",
                (3, 11),
                "unknown unit \"x\"",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\ntimeout = true",
                (3, 11),
                "expected a time, as in \"5s\"",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\nrtmp = \"http://a\"",
                (3, 8),
                "expected rtmp://HOST",
            ),
            (
                "[servers.\"a b\"]\naddress = \"a:1\"",
                (1, 10),
                "\"a b\" cannot be the name of a server",
            ),
            ("server = \"a\"", (1, 10), "a table [servers.a] would say"),
            (
                "server = \"edg1\"\n[servers.edge1]\naddress = \"a:1\"",
                (1, 10),
                "did you mean `edge1`?",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\nuser = \"u\"",
                (3, 8),
                "`password_file` names the file",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\nuser = \"u:geheim\"\npassword_file = \"p\"",
                (3, 8),
                "a name has no colon",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\npassword_file = \"p\"",
                (3, 17),
                "`user` says whose it is",
            ),
            (
                "[servers.a]\naddress = \"a:1\"\ntoken_file = \"t\"\nuser = \"u\"",
                (3, 14),
                "take out one of them",
            ),
            ("server = a", (1, 10), "/c/config.toml:1:10: "),
            ("server = 1", (1, 10), "expected a string"),
        ];
        for (text, place, expected) in cases {
            let mistakes = read(text).unwrap_err();
            let [mistake] = &mistakes[..] else {
                panic!("{text}: {mistakes:?}");
            };
            let told = mistake.to_string();
            assert_eq!(mistake.place(), place, "{told}");
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }

    #[test]
    fn all_keys_that_do_not_exist_are_told_at_once() {
        let mistakes = read("a1 = 1\nb2 = 2\n[servers.x]\nc3 = 3").unwrap_err();
        assert_eq!(mistakes.len(), 3);
        let many: String = (0..100)
            .map(|number| format!("key{number} = 1\n"))
            .collect();
        assert_eq!(read(&many).unwrap_err().len(), MAX_TOLD);
    }

    proptest! {
        #[test]
        fn any_text_is_settings_or_mistakes(
            lines in prop::collection::vec(prop::sample::select(vec![
                "server = \"a\"", "[servers.a]", "[servers]", "servers = 1", "a.address = 1",
                "address = \"a:1\"", "user = \"u\"", "timeout = -1", "[top]", "top = 1",
                "[servers.\"\\u0000\"]", "rtmp = \"rtmp://\"", "=", "[", "\u{4e2d} = 1",
            ]), 0..8),
        ) {
            if let Err(mistakes) = read(&lines.join("\n")) {
                prop_assert!(!mistakes.is_empty());
            }
        }
    }
}
