//! What the module needs of the world beside libpam: accounts, files, the clock, and the service.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "this is the module that looks at the world")]

use std::{ffi::CString, fs::File, hint::black_box, io, path::Path};

use mobileid::{
    config::Mistakes,
    driver::{
        Tick,
        blocking::{self, World},
        evidence,
    },
    load::{self, Setup},
    login::{Now, Request},
    outcome::{Outcome, Proof, Reason},
    policy::Member,
    subscriber::UserName,
};
use nix::{
    errno::Errno,
    unistd::{Group, User, getgrouplist, gethostname, getuid},
};

use crate::{
    command::{self, Asked},
    ffi, openssh, presence, process,
    recall::Memory,
};

/// The world, as one login sees it.
pub(crate) trait System {
    /// Both clocks.
    fn now(&self) -> Now;

    /// The name of this host, as far as the first dot.
    fn host_name(&self) -> String;

    /// The account of that name, as the user database itself writes it: a directory may answer to other
    /// spellings too. None where there is no such account.
    fn account(&self, name: &UserName) -> Result<Option<Account>, String>;

    /// Whether an account is in a group of this host; an error is a sentence about what cannot be told.
    fn member(&self, user: &UserName, group: &str) -> Result<Member, String>;

    /// The account of whoever called su: the kernel knows, whatever the environment says.
    fn caller(&self) -> Result<UserName, (Reason, String)>;

    /// Whom the caller of sudo wants to become, and to run what; none where that is not clear.
    fn sudo(&self, caller: Option<&str>) -> Option<Asked>;

    /// What no other socket of this host is called until the next boot.
    fn connection_identity(&self, ssh_connection: &str) -> Option<String>;

    /// What no other process of this host is called until the next boot.
    fn process_identity(&self) -> Option<String>;

    /// Whether this sshd shows information when it comes, and not when the login has ended.
    fn shows_information_at_once(&self) -> bool;

    /// Whether this process has more rights than who started it.
    fn is_set_user_id(&self) -> bool;

    /// Whether this process has descriptors and memory left: whoever starts sudo decides how much it has.
    fn has_room(&self) -> bool;

    /// What earlier logins left behind; an error is a sentence for the administrator.
    fn memory(&self) -> Result<Memory, String>;

    /// Reads the configuration and all that it names.
    fn load(&self, config: &Path) -> Result<Setup, Mistakes>;

    /// What tells during a wait whether the person is still there.
    fn watch(&self, ssh_connection: Option<&str>) -> Tick;

    /// Runs the login to its end; an error is a configuration that cannot be used.
    fn run(&self, request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, String>;

    /// Keeps what proves an accepted login.
    fn keep(&self, folder: &Path, proof: &Proof) -> io::Result<()>;
}

/// An account of this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Its name.
    pub(crate) name: UserName,
    /// Whether it has root's user id, whatever its name.
    pub(crate) is_root: bool,
}

/// The real one.
pub(crate) struct Live;

impl System for Live {
    fn now(&self) -> Now {
        blocking::now()
    }

    fn host_name(&self) -> String {
        let name = gethostname().unwrap_or_default();
        let name = name.to_string_lossy();
        match name.split('.').next() {
            Some(short) if !short.is_empty() => short.to_owned(),
            _ => "localhost".to_owned(),
        }
    }

    fn account(&self, name: &UserName) -> Result<Option<Account>, String> {
        account(User::from_name(name.as_str()))
    }

    fn member(&self, user: &UserName, group: &str) -> Result<Member, String> {
        let lost = |errno: Errno| format!("the group database of this host: {errno}");
        let found = match Group::from_name(group) {
            Ok(Some(found)) => found,
            Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
                // Name services that are down say the same.
                return Err(format!(
                    "[pam] names the group '{group}', which this host does not have, or not now"
                ));
            }
            Err(errno) => return Err(lost(errno)),
        };
        let entry = match User::from_name(user.as_str()) {
            Ok(Some(entry)) => entry,
            Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => {
                return Err(format!("{user} is no account of this host: nobody can tell its groups"));
            }
            Err(errno) => return Err(format!("the user database of this host: {errno}")),
        };
        let name = CString::new(user.as_str()).map_err(|_| "a name with NUL in it".to_owned())?;
        let groups = getgrouplist(&name, entry.gid).map_err(lost)?;
        let is_listed = found.mem.iter().any(|name| name == user.as_str());
        membership(groups.contains(&found.gid), is_listed)
            .ok_or_else(|| format!("of {user} and the group '{group}' this host's databases say yes and no"))
    }

    fn caller(&self) -> Result<UserName, (Reason, String)> {
        match account(User::from_uid(getuid())) {
            Ok(Some(caller)) => Ok(caller.name),
            Ok(None) => Err((Reason::NoSuchUser, format!("nobody has the caller's user id {}", getuid()))),
            Err(why) => Err((Reason::DirectoryUnavailable, why)),
        }
    }

    fn sudo(&self, caller: Option<&str>) -> Option<Asked> {
        command::asked(caller)
    }

    fn connection_identity(&self, ssh_connection: &str) -> Option<String> {
        presence::identity(ssh_connection)
    }

    fn process_identity(&self) -> Option<String> {
        process::identity()
    }

    fn shows_information_at_once(&self) -> bool {
        openssh::shows_information_at_once()
    }

    fn is_set_user_id(&self) -> bool {
        ffi::is_set_user_id()
    }

    fn has_room(&self) -> bool {
        let descriptors = (0..ROOM).map(|_| File::open("/dev/null")).collect::<io::Result<Vec<_>>>();
        let mut memory = Vec::<u8>::new();
        let reserved = memory.try_reserve_exact(ROOM_IN_MEMORY);
        // What nobody looks at, the compiler need not ask for.
        black_box(&memory);
        descriptors.is_ok() && reserved.is_ok()
    }

    fn memory(&self) -> Result<Memory, String> {
        Memory::open()
    }

    fn load(&self, config: &Path) -> Result<Setup, Mistakes> {
        load::load(config)
    }

    fn watch(&self, ssh_connection: Option<&str>) -> Tick {
        presence::watch(ssh_connection)
    }

    fn run(&self, request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, String> {
        blocking::run(request, setup, world).map_err(|unusable| unusable.to_string())
    }

    fn keep(&self, folder: &Path, proof: &Proof) -> io::Result<()> {
        evidence::keep(folder, proof)
    }
}

/// More descriptors than a connection, a look-up of its name and the libraries between take.
const ROOM: usize = 32;
/// More octets than a look-up of its name takes, with the libraries that it may load for that.
const ROOM_IN_MEMORY: usize = 16 << 20;

/// From a user's list of groups, and the group's list of users. The first one has no way to say that a name service is
/// down: its groups are not on it then. None where nobody can tell.
fn membership(has_group: bool, is_listed: bool) -> Option<Member> {
    match (has_group, is_listed) {
        (true, _) => Some(Member::Yes),
        (false, false) => Some(Member::No),
        (false, true) => None,
    }
}

fn account(found: nix::Result<Option<User>>) -> Result<Option<Account>, String> {
    match found {
        Ok(Some(user)) => {
            let name = user.name.parse().map_err(|e| format!("of the account: {e}"))?;
            Ok(Some(Account { name, is_root: user.uid.is_root() }))
        }
        // Some name services report a missing entry as an error (getpwnam_r(3)).
        Ok(None) | Err(Errno::ENOENT | Errno::ESRCH) => Ok(None),
        Err(errno) => Err(format!("the user database of this host: {errno}")),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, process::Command};

    use super::*;

    #[test]
    fn an_account_is_told_from_none() {
        let root: UserName = "root".parse().unwrap();
        assert_eq!(Live.account(&root), Ok(Some(Account { name: root.clone(), is_root: true })));
        assert_eq!(Live.account(&"no-such-account-here".parse().unwrap()), Ok(None));
    }

    #[test]
    fn groups_are_those_of_the_host() {
        let root: UserName = "root".parse().unwrap();
        assert_eq!(Live.member(&root, "root"), Ok(Member::Yes));
        assert_eq!(Live.member(&root, "nogroup"), Ok(Member::No));
        assert!(Live.member(&root, "no-such-group-here").unwrap_err().contains("'no-such-group-here'"));
        assert!(Live.member(&"no-such-account-here".parse().unwrap(), "root").is_err());
    }

    /// With few descriptors, and with little memory.
    #[test]
    fn a_process_whose_limits_somebody_has_chosen_has_no_room() {
        assert!(Live.has_room());
        for limit in ["-n 24", "-d 12288"] {
            let limited =
                format!("ulimit {limit} && exec \"$0\" --exact {LIMITED} --ignored --test-threads=1");
            let output =
                Command::new("sh").arg("-c").arg(limited).arg(env::current_exe().unwrap()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("1 passed"), "{limit}: {output:?}");
        }
    }

    const LIMITED: &str = "system::tests::in_another_process";

    #[test]
    #[ignore = "the other process of a_process_whose_limits_somebody_has_chosen_has_no_room"]
    fn in_another_process() {
        assert!(!Live.has_room());
    }

    #[test]
    fn a_list_of_groups_that_lacks_one_is_not_believed_over_the_group() {
        // Whose primary group it is, is not on its list.
        for (has_group, is_listed, expected) in [
            (true, true, Some(Member::Yes)),
            (true, false, Some(Member::Yes)),
            (false, false, Some(Member::No)),
            (false, true, None),
        ] {
            assert_eq!(membership(has_group, is_listed), expected, "{has_group} {is_listed}");
        }
    }

    #[test]
    fn the_host_has_a_short_name() {
        let name = Live.host_name();
        assert!(!name.is_empty() && !name.contains('.'), "{name}");
    }
}
