//! The user that the packages run the server as, and whether it may read what root has checked.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

/// Where root asks: those of `files` that the user of srs.service may not read, in a sentence each.
/// Root may read everything, so a check by root says nothing of a start by that user.
pub fn hidden_files(files: &[PathBuf]) -> Vec<String> {
    if !geteuid().is_root() {
        return Vec::new();
    }
    let Ok(Some(user)) = User::from_name(NAME) else {
        return Vec::new();
    };
    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
    let is_hidden = |path: &&Path| {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let metadata = |path: &Path| fs::metadata(path).ok();
        let allows = |path: &Path, bit| metadata(path).is_none_or(|m| allows(&m, uid, gid, bit));
        !allows(path, READ) || folder.is_some_and(|folder| !allows(folder, SEARCH))
    };
    let hidden = files.iter().map(PathBuf::as_path).filter(is_hidden);
    hidden
        .map(|path| {
            let path = path.display();
            format!(
                "{path}: the user {NAME}, whom srs.service runs as, may not read it: chgrp {NAME} \
                 {path}; chmod 640 {path}"
            )
        })
        .collect()
}

/// Whether a user of this group may do what `bit` (of others) stands for.
fn allows(metadata: &Metadata, uid: u32, gid: u32, bit: u32) -> bool {
    let of_class = if metadata.uid() == uid {
        bit << 6
    } else if metadata.gid() == gid {
        bit << 3
    } else {
        bit
    };
    metadata.mode() & of_class != 0
}

const NAME: &str = "srs";
const READ: u32 = 0o4;
const SEARCH: u32 = 0o1;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_class_that_one_is_of_counts_and_no_other() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metadata = |mode| {
            fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).unwrap();
            fs::metadata(file.path()).unwrap()
        };
        let own = metadata(0o600);
        let (uid, gid) = (own.uid(), own.gid());
        for (mode, uid, gid, expected) in [
            (0o600, uid, gid + 1, true),
            (0o600, uid + 1, gid, false),
            (0o640, uid + 1, gid, true),
            (0o640, uid + 1, gid + 1, false),
            (0o604, uid + 1, gid + 1, true),
            (0o604, uid + 1, gid, false),
            (0o044, uid, gid, false),
        ] {
            let is_allowed = allows(&metadata(mode), uid, gid, READ);
            assert_eq!(is_allowed, expected, "{mode:o} for {uid}, {gid}");
        }
    }
}
