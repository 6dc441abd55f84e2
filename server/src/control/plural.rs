//! Counts as sentences have them.

/// `1 client`, `2 clients`.
pub(crate) fn plural(count: usize, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}
