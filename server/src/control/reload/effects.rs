//! What a reload changes, and when each changed setting takes effect.
//!
//! Nothing needs a restart.

use srs_api::Change;
use srs_api::Effect::{self, NewSessions, Now, Restart};

use crate::config::{self, Config, Difference};

/// The settings in which `new` differs from `old`, in the order of the settings.
pub fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let differences = config::diff(old, new).into_iter();
    let change = |difference: Difference| Change {
        effect: effect(&difference.keys()),
        setting: difference.setting,
        old: difference.old,
        new: difference.new,
    };
    differences.map(change).collect()
}

/// When a change of the setting at `path` takes effect.
fn effect(path: &[&str]) -> Effect {
    let (table, key) = match *path {
        // A vhost as a whole.
        ["vhost", _] => (String::new(), "vhost"),
        ["vhost", _, ref tables @ .., key] => {
            ([&["vhost", "NAME"], tables].concat().join("."), key)
        }
        [ref tables @ .., key] => (tables.join("."), key),
        [] => return Restart,
    };
    rule(&table, key).unwrap_or(Restart)
}

fn rule(table: &str, key: &str) -> Option<Effect> {
    let is_meant = |rule: &&Rule| rule.0 == table && (rule.1 == key || rule.1 == ANY);
    RULES.iter().find(is_meant).map(|rule| rule.2)
}

/// A table, a key, and when it takes effect.
type Rule = (&'static str, &'static str, Effect);

/// Every other key of the table.
const ANY: &str = "*";

/// The first one that matches holds.
///
/// A session keeps what it began with wherever another value halfway would surprise its peer, or
/// is agreed with it. A stream has no session of its own: its settings are those in force.
const RULES: &[Rule] = &[
    ("", "listen", Now),
    ("", "max_connections", Now),
    ("", "chunk_size", NewSessions),
    ("", "pid", Now),
    ("", "vhost", Now),
    ("log", ANY, Now),
    ("limits", "connections_per_address", Now),
    ("limits", "stream_memory", Now),
    ("limits", ANY, NewSessions),
    ("http_api", ANY, Now),
    ("heartbeat", ANY, Now),
    ("fleet", ANY, Now),
    ("stats", ANY, Now),
    ("pithy_print", ANY, Now),
    ("vhost.NAME", "enabled", Now),
    ("vhost.NAME", "chunk_size", NewSessions),
    ("vhost.NAME", "gop_cache", Now),
    ("vhost.NAME", "queue_length", Now),
    ("vhost.NAME", "time_jitter", NewSessions),
    ("vhost.NAME", "atc", Now),
    ("vhost.NAME", "atc_auto", Now),
    ("vhost.NAME", "mix_correct", Now),
    ("vhost.NAME.publish", ANY, NewSessions),
    ("vhost.NAME.play", ANY, NewSessions),
    ("vhost.NAME.refer", ANY, NewSessions),
];

#[cfg(test)]
mod tests {
    use toml::{Table, Value};

    use super::*;
    use crate::config::Config;

    /// The keys that are not written where they have no value.
    const OPTIONAL: &str = r#"
        pid = "/run/srs.pid"
        [http_api]
        token = "a"
        username = "b"
        password = "c"
        [heartbeat]
        token = "d"
        [vhost.NAME]
        chunk_size = 4096
    "#;

    /// Every key of every table, as the rules are written.
    fn keys(place: &str, table: &Table, found: &mut Vec<(String, String)>) {
        for (key, value) in table {
            let below = match place {
                "" => key.clone(),
                place => format!("{place}.{key}").replace("vhost.name", "vhost.NAME"),
            };
            match value {
                Value::Table(table) => keys(&below, table, found),
                _ => found.push((place.to_owned(), key.clone())),
            }
        }
    }

    #[test]
    fn every_setting_has_a_rule_and_every_rule_a_setting() {
        let config = Config::parse(OPTIONAL, "test").expect("every key is known");
        let table = Table::try_from(&config).expect("a configuration is TOML");
        let mut found = vec![(String::new(), "vhost".to_owned())];
        keys("", &table, &mut found);
        assert!(found.len() > 50, "{found:?}");
        for (table, key) in &found {
            assert!(rule(table, key).is_some(), "{table}.{key} has no rule");
        }
        for (table, key, _) in RULES {
            let meant = |found: &&(String, String)| {
                found.0 == *table && [found.1.as_str(), ANY].contains(key)
            };
            assert!(
                found.iter().any(|found| meant(&found)),
                "{table}.{key} is no setting"
            );
        }
    }

    #[test]
    fn a_change_is_told_with_its_effect() {
        let old = "listen = \"1935\"\n[vhost.\"a.test\"]\nqueue_length = 10\n[vhost.old]";
        let new = "listen = \"1936\"\nchunk_size = 4096\n[log]\nlevel = \"warn\"\n\
                   [http_api]\nusername = \"u\"\npassword = \"mellon\"\n\
                   [vhost.\"a.test\".play]\nmerge = \"0s\"";
        let [old, new] = [old, new].map(|text| Config::parse(text, "test").expect("right"));
        let changes = changes(&old, &new);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (change.setting.as_str(), change.effect))
            .collect();
        assert_eq!(
            told,
            [
                ("listen", Now),
                ("chunk_size", NewSessions),
                ("log.level", Now),
                ("http_api.username", Now),
                ("http_api.password", Now),
                ("vhost.\"a.test\".queue_length", Now),
                ("vhost.\"a.test\".play.merge", NewSessions),
                ("vhost.old", Now),
            ]
        );
        assert!(!format!("{changes:?}").contains("mellon"));
    }

    #[test]
    fn nothing_needs_a_restart() {
        assert!(RULES.iter().all(|rule| rule.2 != Restart));
    }
}
