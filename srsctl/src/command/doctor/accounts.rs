//! Who asks, and the user and the group of the server.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use rustix::process::{getegid, geteuid, getgroups};

use super::read::Root;

/// A user, with its groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    /// Of a process those that it has, of a user those that it would have.
    pub(super) groups: Vec<u32>,
}

/// Who may do what.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    /// Who runs this program.
    pub(super) me: Account,
    /// The user srs, if there is one.
    pub(super) service: Option<Account>,
    /// The id of the group srs, if there is one.
    pub(super) operators: Option<u32>,
    /// Whether the list of users has who asks in the group srs, whatever this process has.
    pub(super) is_operator: bool,
    /// Users by their ids.
    names: Vec<(u32, String)>,
}

impl Accounts {
    /// Reads them.
    pub(super) fn read(root: &Root) -> Self {
        let users = root.text("/etc/passwd").unwrap_or_default();
        let groups = root.text("/etc/group").unwrap_or_default();
        let uid = geteuid().as_raw();
        let mut own: Vec<u32> = getgroups()
            .unwrap_or_default()
            .into_iter()
            .map(|group| group.as_raw())
            .collect();
        own.push(getegid().as_raw());
        Self::of(&users, &groups, uid, own)
    }

    /// From the text of `/etc/passwd` and `/etc/group`, for a process of the user `uid` in the
    /// groups `own`.
    fn of(users: &str, groups: &str, uid: u32, own: Vec<u32>) -> Self {
        let users: Vec<User<'_>> = users.lines().filter_map(User::of).collect();
        let groups: Vec<Group<'_>> = groups.lines().filter_map(Group::of).collect();
        let account = |user: &User<'_>| Account {
            name: user.name.to_owned(),
            uid: user.uid,
            groups: groups
                .iter()
                .filter(|group| group.gid == user.gid || group.members.contains(&user.name))
                .map(|group| group.gid)
                .collect(),
        };
        let named = users.iter().find(|user| user.uid == uid).map(account);
        let operators = groups.iter().find(|group| group.name == GROUP);
        let operators = operators.map(|group| group.gid);
        Self {
            is_operator: operators.is_some_and(|operators| {
                named
                    .as_ref()
                    .is_some_and(|user| user.groups.contains(&operators))
            }),
            me: Account {
                name: named.map_or_else(|| uid.to_string(), |user| user.name),
                uid,
                groups: own,
            },
            service: users.iter().find(|user| user.name == USER).map(account),
            operators,
            names: users
                .iter()
                .map(|user| (user.uid, user.name.to_owned()))
                .collect(),
        }
    }

    /// Whether root asks.
    pub(super) fn is_root(&self) -> bool {
        self.me.uid == 0
    }

    /// What the user is called.
    pub(super) fn name_of(&self, uid: u32) -> String {
        let named = self.names.iter().find(|(known, _)| *known == uid);
        named.map_or_else(|| format!("with the id {uid}"), |(_, name)| name.clone())
    }
}

/// Who owns a file, and its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mode: u32,
}

impl Owned {
    /// That of the file.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            uid: metadata.uid(),
            gid: metadata.gid(),
            mode: metadata.mode() & 0o7777,
        }
    }

    /// Whether `account` may do what the bits say: 4 reads, 2 writes, 1 goes through. Access
    /// control lists, which few hosts have, are not looked at.
    pub(super) fn lets(self, account: &Account, bits: u32) -> bool {
        if account.uid == 0 {
            return true;
        }
        let shift = if account.uid == self.uid {
            6
        } else if account.groups.contains(&self.gid) {
            3
        } else {
            0
        };
        self.mode >> shift & bits == bits
    }
}

struct User<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
}

impl<'a> User<'a> {
    /// `name:x:uid:gid:…`
    fn of(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        Some(Self {
            name: fields.next()?,
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    }
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: Vec<&'a str>,
}

impl<'a> Group<'a> {
    /// `name:x:gid:member,member`
    fn of(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        Some(Self {
            name: fields.next()?,
            gid: fields.nth(1)?.parse().ok()?,
            members: fields.next().unwrap_or_default().split(',').collect(),
        })
    }
}

/// The user that the packages make for the server.
pub(super) const USER: &str = "srs";
/// The group that they make for those who operate it.
pub(super) const GROUP: &str = "srs";

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0::/root:/bin/sh\nsrs:x:990:991:srs:/var/lib/srs:/bin/false\n\
                         ann:x:1000:1000::/home/ann:/bin/sh\n";
    const GROUPS: &str = "root:x:0:\nsrs:x:991:ann\nann:x:1000:\nadm:x:4:srs,ann\n";

    #[test]
    fn users_are_in_the_groups_that_list_them_and_in_their_own() {
        let accounts = Accounts::of(USERS, GROUPS, 1000, vec![1000]);
        assert_eq!(accounts.me.name, "ann");
        assert!(accounts.is_operator, "and the process is not yet");
        assert!(!accounts.me.groups.contains(&991));
        let service = accounts.service.unwrap();
        assert_eq!((service.uid, service.groups), (990, vec![991, 4]));
        let nobody = Accounts::of("", "", 1000, vec![1000]);
        assert_eq!(nobody.me.name, "1000");
        assert_eq!((nobody.service, nobody.operators), (None, None));
    }

    #[test]
    fn a_mode_lets_in_owner_group_and_others_in_that_order() {
        let account = |uid, groups: &[u32]| Account {
            name: String::new(),
            uid,
            groups: groups.to_vec(),
        };
        let file = |mode| Owned {
            uid: 1,
            gid: 2,
            mode,
        };
        for (mode, account, bits, expected) in [
            (0o640, account(1, &[]), 6, true),
            (0o640, account(9, &[2]), 4, true),
            (0o640, account(9, &[2]), 2, false),
            (0o640, account(9, &[]), 4, false),
            (0o046, account(1, &[2]), 4, false),
            (0o000, account(0, &[]), 6, true),
        ] {
            assert_eq!(
                file(mode).lets(&account, bits),
                expected,
                "{mode:o} {account:?}"
            );
        }
    }
}
