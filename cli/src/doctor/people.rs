//! Whom does the module refuse because nobody has entered their phone? root, and those who may become root: a host
//! that refuses all of them can be mended from its console only.
//!
//! ```text
//!   the stacks that have the module ───────┐
//!   sshd: may root come? ──────────────────┼──> whom would [pam] ask? ──> who of them is in no table? ──> findings
//!   /etc/passwd, /etc/group ──> accounts ──┘
//! ```
//!
//! Tables were read with the configuration. Another directory would have to be asked, and doctor asks nobody: where
//! there is one, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use mobileid::{
    config::PamConfig,
    directory::{Directories, Kind as Source, Lookup},
    policy::{self, Applicant, Member},
    subscriber::UserName,
    text::escaped,
};

use super::finding::{Finding, Kind, quoted};

const ROOT: &str = "root";
/// Whose members distributions let become root.
const ADMINISTRATORS: [&str; 3] = ["sudo", "wheel", "admin"];
/// So many names are said.
const NAMES_MAX: usize = 10;

/// The accounts and groups of this host's own files.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// By name: the user's number and the number of their first group.
    users: BTreeMap<String, (String, String)>,
    /// By name: the group's number and who is listed.
    groups: BTreeMap<String, (String, BTreeSet<String>)>,
}

impl Accounts {
    /// Reads `/etc/passwd` and `/etc/group`; a line that is none of theirs is left out.
    pub(crate) fn parse(passwd: &str, group: &str) -> Self {
        let fields = |line: &str| -> [String; 4] {
            let mut fields = line.split(':').map(str::to_owned);
            std::array::from_fn(|_| fields.next().unwrap_or_default())
        };
        let users = passwd.lines().map(fields).map(|[name, _, uid, gid]| (name, (uid, gid)));
        let groups = group.lines().map(fields).map(|[name, _, gid, listed]| {
            let listed = listed.split(',').map(str::trim).filter(|name| !name.is_empty());
            (name, (gid, listed.map(str::to_owned).collect()))
        });
        Self { users: users.collect(), groups: groups.collect() }
    }

    fn member(&self, user: &str, group: &str) -> Member {
        let Some((gid, listed)) = self.groups.get(group) else { return Member::Unknown };
        let is_first = self.users.get(user).is_some_and(|(_, first)| first == gid);
        if is_first || listed.contains(user) { Member::Yes } else { Member::No }
    }

    /// Who may become root; sudo never asks root itself, whatever it is called.
    fn administrators(&self) -> BTreeSet<&str> {
        let listed = ADMINISTRATORS.iter().filter_map(|group| self.groups.get(*group));
        let listed = listed.flat_map(|(_, listed)| listed);
        let all = listed.chain(self.users.keys()).map(String::as_str);
        let is_root = |user: &str| self.users.get(user).is_some_and(|(uid, _)| uid == "0");
        let may = |user: &str| ADMINISTRATORS.iter().any(|group| self.member(user, group) == Member::Yes);
        all.filter(|user| may(user) && !is_root(user)).collect()
    }
}

/// What leads to the module.
pub(crate) struct Doors<'a> {
    /// The file that the rules are in.
    pub(crate) config: &'a str,
    /// sshd's and sudo's services that have the module; they may be none where another service has it.
    pub(crate) services: Vec<&'a str>,
    /// Whether sshd lets root come as far as PAM.
    pub(crate) root_by_sshd: bool,
}

/// Examines who is refused where `users.unenrolled` is "deny".
pub(crate) fn examine(
    rules: &PamConfig,
    directories: &Directories,
    accounts: &Accounts,
    doors: &Doors<'_>,
) -> Vec<Finding> {
    if !directories.all_at_hand() {
        return Vec::new();
    }
    let people = People { rules, directories, accounts };
    let all = [nobody(directories, doors.config), people.root(doors), people.administrators(doors)];
    all.into_iter().flatten().collect()
}

/// What a login would be judged by.
struct People<'a> {
    rules: &'a PamConfig,
    directories: &'a Directories,
    accounts: &'a Accounts,
}

impl People<'_> {
    /// Whether the module would want a phone that nobody has entered.
    fn is_refused(&self, name: &str, service: &str) -> bool {
        let Ok(user) = name.parse::<UserName>() else { return false };
        // From no address: somebody whom a network lets in may come from elsewhere.
        let who = Applicant { user: &user, service, address: None };
        policy::exempt(self.rules, &who, |group| self.accounts.member(name, group)).is_none()
            && self.directories.lookup(&user, |_| Err(())) == Ok(Lookup::NotEnrolled)
    }

    fn root(&self, doors: &Doors<'_>) -> Option<Finding> {
        let what = "no table of users has an entry for root: every login of root is refused";
        let remedy = "`mobileidctl enrol root --msisdn ...`, or PermitRootLogin no; mobileidctl whois NAME asks for others";
        (doors.root_by_sshd && self.is_refused(ROOT, "sshd"))
            .then(|| Finding::new(Kind::NotEntered, "sshd, for root", what, remedy))
    }

    fn administrators(&self, doors: &Doors<'_>) -> Option<Finding> {
        let mut names = self.accounts.administrators();
        names.retain(|name| doors.services.iter().any(|service| self.is_refused(name, service)));
        let refuses = |service: &&&str| names.iter().any(|name| self.is_refused(name, service));
        let services: Vec<_> = doors.services.iter().filter(refuses).copied().collect();
        let has_one =
            |group: &&str| names.iter().any(|name| self.accounts.member(name, group) == Member::Yes);
        let groups: Vec<_> = ADMINISTRATORS.into_iter().filter(has_one).collect();
        let what = format!(
            "no table of users has an entry for {}, of {}: every login of theirs is refused",
            listed(&names),
            groups.join(", ")
        );
        let remedy = "`mobileidctl enrol NAME --msisdn ...`, or an exemption in [pam]; mobileidctl whois NAME asks for others";
        (!names.is_empty()).then(|| Finding::new(Kind::NotEntered, &services.join(", "), &what, remedy))
    }
}

/// A host on which nobody is entered.
fn nobody(directories: &Directories, config: &str) -> Option<Finding> {
    let is_empty = |kind: &Source| matches!(kind, Source::File(table) if table.is_empty());
    if !directories.iter().all(|directory| is_empty(&directory.kind)) {
        return None;
    }
    let names: Vec<_> = directories.iter().map(|directory| quoted(&directory.name)).collect();
    let what = format!(
        "nobody is in the table of users ({}): whom the module asks for a phone, it refuses",
        names.join(", ")
    );
    Some(Finding::new(
        Kind::NotEntered,
        config,
        &what,
        "`mobileidctl enrol NAME --msisdn ...`, yourself first",
    ))
}

/// `anna, ben and 3 more`.
fn listed(names: &BTreeSet<&str>) -> String {
    let shown: Vec<_> = names.iter().take(NAMES_MAX).map(|name| escaped(name, 64)).collect();
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests;
