//! Lines that are missing from the log, and the line that tells of them.

use std::fmt;

use tracing::callsite::{Callsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata};

use super::line::Line;
use super::queue::Entry;

/// Lines that did not come where they should, and why the last of them did not.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    count: u64,
    why: String,
}

impl Lost {
    /// `count` lines, the last of them because of `why`.
    pub(super) fn new(count: u64, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { count, why }
    }

    /// These after those of `before`.
    pub(super) fn after(self, before: Option<Self>) -> Self {
        let before = before.map_or(0, |lost| lost.count);
        Self::new(self.count.saturating_add(before), self.why)
    }

    /// What stands in their place.
    pub(super) fn to_entry(&self) -> Entry {
        let line = Line::new(*NOTICE.level(), NOTICE.target(), self.to_string());
        Entry::in_place_of(self.count, &NOTICE, line)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, why } = self;
        match count {
            1 => write!(f, "1 log line is missing here: {why}"),
            _ => write!(f, "{count} log lines are missing here: {why}"),
        }
    }
}

/// Where such lines come from. They have no event, for nothing may be logged while something is
/// logged.
static NOTICE: Metadata<'static> = Metadata::new(
    "lost lines",
    module_path!(),
    Level::WARN,
    Some(file!()),
    Some(line!()),
    Some(module_path!()),
    FieldSet::new(&[], Identifier(&LostLines)),
    Kind::EVENT,
);

struct LostLines;

impl Callsite for LostLines {
    fn set_interest(&self, _interest: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &NOTICE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_adds_up_and_the_last_reason_is_told() {
        let first = Lost::new(1, "the disk is full");
        assert_eq!(
            first.to_string(),
            "1 log line is missing here: the disk is full"
        );
        let both = Lost::new(2, "it is gone").after(Some(first));
        assert_eq!(both.to_string(), "3 log lines are missing here: it is gone");
        assert_eq!(both.to_entry().lines(), 3);
    }
}
