//! Results: one type, shown to people and handed to programs.

use serde::Serialize;

use super::terminal::Terminal;

/// The result of a command. For programs it is what it serializes to.
pub(crate) trait Report: Serialize {
    /// What people read, with its newlines.
    fn text(&self, terminal: &Terminal) -> String;

    /// What is worth saying besides, on standard error.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// What is worth saying of a list: that there is nothing in it, or more than is shown.
pub(crate) fn list_remark(things: &str, shown: usize, total: usize) -> Option<String> {
    if shown == 0 {
        Some(format!("no {things}"))
    } else if shown < total {
        Some(format!("{shown} of {total} {things}; --limit shows more"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_empty_or_cut_says_so() {
        assert_eq!(list_remark("streams", 3, 3), None);
        assert_eq!(list_remark("streams", 0, 0).unwrap(), "no streams");
        assert_eq!(
            list_remark("clients", 10, 12).unwrap(),
            "10 of 12 clients; --limit shows more"
        );
    }
}
