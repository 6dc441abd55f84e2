//! How many files and sockets the process may have open, and how many connections that gives.
//!
//! A connection is one descriptor. Many systems start a service with a soft limit of 1024, for the
//! sake of programs that use select(2), and a hard limit far above it, which a server may claim.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;

/// How many descriptors the process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What applies; [`u64::MAX`] if nothing does.
    pub soft: u64,
    /// What the process may raise it to; [`u64::MAX`] if to anything.
    pub hard: u64,
}

impl Limit {
    /// The limit in force.
    #[must_use]
    pub fn current() -> Self {
        let limit = getrlimit(Resource::Nofile);
        Self {
            soft: limit.current.unwrap_or(u64::MAX),
            hard: limit.maximum.unwrap_or(u64::MAX),
        }
    }

    /// How many connections fit beside `reserve` descriptors of others.
    #[must_use]
    pub fn connections(self, reserve: u64) -> u64 {
        self.soft.saturating_sub(reserve)
    }
}

/// Raises the soft limit to the hard one, as far as the system lets it, and returns what applies
/// then.
pub fn raise() -> Limit {
    let limit = getrlimit(Resource::Nofile);
    // What does not succeed shows in the limit returned, and `check` says what it means.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    Limit::current()
}

/// Checks that `max_connections` fit `limit` beside `reserve` descriptors of others.
///
/// # Errors
/// They do not; the message says how many do and what can be done about it.
pub fn check(max_connections: usize, reserve: u64, limit: Limit) -> Result<(), TooFewDescriptors> {
    let wanted = u64::try_from(max_connections).unwrap_or(u64::MAX);
    let connections = limit.connections(reserve);
    if wanted <= connections {
        return Ok(());
    }
    Err(TooFewDescriptors {
        max_connections,
        limit: limit.soft,
        connections,
        needed: wanted.saturating_add(reserve),
    })
}

/// The limit is below what the configured number of connections needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "max_connections is {max_connections}, but the process may open only {limit} files and \
     sockets: {connections} connections fit beside its own and those of the API; set \
     LimitNOFILE={needed} in the unit (systemctl edit srs), or start srs after ulimit -n {needed}, \
     or lower max_connections"
)]
pub struct TooFewDescriptors {
    /// What the configuration wants.
    pub max_connections: usize,
    /// How many descriptors the process may have open.
    pub limit: u64,
    /// How many connections fit.
    pub connections: u64,
    /// The limit that would do.
    pub needed: u64,
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// As many as a server without an API keeps back.
    const RESERVE: u64 = 96;

    /// Set where the process has the limits of the test.
    const LIMITED: &str = "SRS_TEST_LIMITED";

    #[test]
    fn connections_fit_beside_the_reserve() {
        let limit = |soft| Limit { soft, hard: soft };
        let cases = [
            ("with room", 1000, limit(524_288), None),
            ("exactly", 928, limit(1024), None),
            ("one too many", 929, limit(1024), Some((928, 1025))),
            ("no room at all", 1, limit(20), Some((0, 97))),
            ("no limit", usize::MAX >> 8, limit(u64::MAX), None),
        ];
        for (name, max_connections, limit, expected) in cases {
            let error = check(max_connections, RESERVE, limit).err();
            assert_eq!(error.map(|e| (e.connections, e.needed)), expected, "{name}");
        }
    }

    #[test]
    fn the_message_says_what_fits_and_what_to_do() {
        let error = check(
            10_000,
            RESERVE,
            Limit {
                soft: 4096,
                hard: 4096,
            },
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "max_connections is 10000, but the process may open only 4096 files and sockets: 4000 \
             connections fit beside its own and those of the API; set LimitNOFILE=10096 in the unit \
             (systemctl edit srs), or start srs after ulimit -n 10096, or lower max_connections"
        );
    }

    #[test]
    #[ignore = "changes its process; run by the next test in one of its own"]
    fn raises_its_own_limit() {
        if std::env::var_os(LIMITED).is_none() {
            return;
        }
        assert_eq!(
            Limit::current(),
            Limit {
                soft: 100,
                hard: 200
            }
        );
        assert_eq!(
            raise(),
            Limit {
                soft: 200,
                hard: 200
            }
        );
        assert_eq!(
            Limit::current(),
            Limit {
                soft: 200,
                hard: 200
            }
        );
    }

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let (_, module) = module_path!().split_once("::").unwrap();
        let output = Command::new("sh")
            .args([
                "-c",
                r#"ulimit -Sn 100 && ulimit -Hn 200 && exec "$0" --ignored --exact "$1""#,
            ])
            .arg(std::env::current_exe().unwrap())
            .arg(format!("{module}::raises_its_own_limit"))
            .env(LIMITED, "yes")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}
