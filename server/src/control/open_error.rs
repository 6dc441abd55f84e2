//! What can be said about a file that does not open, beyond what the system says.

use std::io;
use std::path::Path;

/// The reason for `error`, which opening `path` for writing gave, in parentheses after a space;
/// empty if the error speaks for itself.
pub(crate) fn hint(path: &Path, error: &io::Error) -> String {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) if !folder.exists() => {
            format!(" (there is no directory {})", folder.display())
        }
        (io::ErrorKind::PermissionDenied, _) => {
            format!(" (as user id {})", rustix::process::geteuid().as_raw())
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_says_what_the_system_leaves_out() {
        let user = rustix::process::geteuid().as_raw();
        let cases = [
            (
                "/does/not/exist/srs.log",
                io::ErrorKind::NotFound,
                " (there is no directory /does/not/exist)".to_owned(),
            ),
            (
                "/srs.log",
                io::ErrorKind::PermissionDenied,
                format!(" (as user id {user})"),
            ),
            ("/", io::ErrorKind::IsADirectory, String::new()),
            ("srs.log", io::ErrorKind::NotFound, String::new()),
        ];
        for (path, kind, expected) in cases {
            assert_eq!(hint(Path::new(path), &kind.into()), expected, "{path}");
        }
    }
}
