//! Who is who: from a user's name to the [`Subscriber`], as data. That nobody knows the user is an answer;
//! that a directory could not be asked is not.
//!
//! ```text
//!   alice ──> users.toml ──not enrolled──> ad (LDAP) ──not enrolled──> hr (command) ──> not enrolled
//!                │ found                      │ found, barred, unusable      │
//!                ▼                            ▼                              ▼
//!              the first one that knows her settles it       away: denied, unless `unavailable = "next"`
//! ```
//!
//! Directories are asked in the order of the configuration. One that is away ends the search, because it might have
//! known the user; `unavailable = "next"` lets the others be asked, and where none of them knows the user either the
//! answer is still that nobody can tell: a directory that is away never makes a user unknown.
//!
//! A host may take a phone number for a name ([`UserName::of_number`]). Whom every directory was asked for and none knows
//! is then whoever has that phone.

pub mod command;
pub mod file;
pub mod ldap;

pub(crate) use self::ldap::entry::GROUPS_MAX;
use self::{command::Program, file::UserTable, ldap::Ldap};
use crate::{
    subscriber::{Entry, Msisdn, Subscriber, UserName},
    text,
};

/// What the directories say of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The user has a phone.
    Found(Subscriber),
    /// Every directory was asked, and none has an entry.
    NotEnrolled,
    /// A directory knows the user and says that they may not log in; with its words, for the administrator.
    Barred(String),
    /// A directory could not be asked, or its entry is unusable; with what happened, for the administrator.
    Unavailable(String),
}

/// What one directory says of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The user has a phone.
    Found(Subscriber),
    /// The directory was asked and has no entry.
    NotEnrolled,
    /// The account is switched off or has expired.
    Barred(String),
    /// There is an entry, and it has to be mended before anybody can use it.
    Unusable(String),
    /// The directory could not be asked.
    Away(String),
}

/// One place to look users up in.
#[derive(Debug, Clone)]
pub struct Directory {
    /// What log lines call it.
    pub name: String,
    /// What becomes of a login when it cannot be asked.
    pub unavailable: WhenUnavailable,
    /// What it is.
    pub kind: Kind,
}

/// What becomes of a login when a directory cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenUnavailable {
    /// It is denied.
    #[default]
    Deny,
    /// The next directories are asked. Where none of them knows the user, it is denied as well.
    Next,
}

/// The kinds of directories.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A table that was read with the configuration.
    File(UserTable),
    /// Servers that speak LDAP.
    Ldap(Box<Ldap>),
    /// A program that is asked.
    Command(Program),
}

/// A directory that has to be waited for.
#[derive(Debug, Clone, Copy)]
pub enum Remote<'a> {
    /// Servers that speak LDAP.
    Ldap(&'a Ldap),
    /// A program.
    Command(&'a Program),
}

impl Directory {
    /// A person of this directory.
    fn found(&self, mut subscriber: Subscriber) -> Subscriber {
        subscriber.entry.directory.clone_from(&self.name);
        subscriber
    }
}

/// All directories, in the order in which they are asked.
#[derive(Debug, Clone, Default)]
pub struct Directories(Vec<Directory>);

impl Directories {
    /// These, in this order.
    #[must_use]
    pub fn new(directories: Vec<Directory>) -> Self {
        Self(directories)
    }

    /// One table and nothing else.
    #[must_use]
    pub fn of_table(users: UserTable) -> Self {
        let (name, unavailable) = (USERS.to_owned(), WhenUnavailable::Deny);
        Self(vec![Directory { name, unavailable, kind: Kind::File(users) }])
    }

    /// What they say of a user; `ask` asks those that have to be waited for.
    ///
    /// # Errors
    /// What `ask` ends with: it was given up.
    pub fn lookup<E>(
        &self,
        user: &UserName,
        ask: impl FnMut(Remote<'_>) -> Result<Answer, E>,
    ) -> Result<Lookup, E> {
        self.lookup_told(user, ask, |_, _| {})
    }

    /// The same; `told` hears what each directory that was asked has answered.
    ///
    /// # Errors
    /// As [`Self::lookup`].
    pub fn lookup_told<E>(
        &self,
        user: &UserName,
        mut ask: impl FnMut(Remote<'_>) -> Result<Answer, E>,
        mut told: impl FnMut(&Directory, &Answer),
    ) -> Result<Lookup, E> {
        let mut away = Vec::new();
        for directory in &self.0 {
            let answer = match &directory.kind {
                Kind::File(table) => table.lookup(user),
                Kind::Ldap(ldap) => ask(Remote::Ldap(ldap))?,
                Kind::Command(program) => ask(Remote::Command(program))?,
            };
            told(directory, &answer);
            let named = |what: String| {
                // What a server says of a number may repeat it.
                let what = if user.number().is_some() { text::without_numbers(&what) } else { what };
                format!("{}: {what}", directory.name)
            };
            match (answer, directory.unavailable) {
                (Answer::Found(subscriber), _) => return Ok(Lookup::Found(directory.found(subscriber))),
                (Answer::NotEnrolled, _) => {}
                (Answer::Barred(why), _) => return Ok(Lookup::Barred(named(why))),
                (Answer::Away(why), WhenUnavailable::Next) => away.push(named(why)),
                (Answer::Unusable(why), _) | (Answer::Away(why), WhenUnavailable::Deny) => {
                    return Ok(Lookup::Unavailable(named(why)));
                }
            }
        }
        Ok(match (away.as_slice(), user.number()) {
            ([], None) => Lookup::NotEnrolled,
            ([], Some(number)) => Lookup::Found(of_number(number.clone())),
            _ => Lookup::Unavailable(away.join("; ")),
        })
    }

    /// The user's entry, where it stands in a table and no other directory has to be asked before that one.
    #[must_use]
    pub fn at_hand(&self, user: &UserName) -> Option<Subscriber> {
        let tables = self.0.iter().map_while(|directory| match &directory.kind {
            Kind::File(table) => Some((directory, table)),
            Kind::Ldap(_) | Kind::Command(_) => None,
        });
        let mut answers = tables.map(|(directory, table)| (directory, table.lookup(user)));
        answers.find_map(|(directory, answer)| match answer {
            Answer::Found(subscriber) => Some(directory.found(subscriber)),
            _ => None,
        })
    }

    /// Whether the directory of this name keeps serial numbers itself: what its entries do not say is not known.
    #[must_use]
    pub fn keeps_serial(&self, name: &str) -> bool {
        self.keeper(name).is_some()
    }

    /// The directory of this name, where it keeps serial numbers itself.
    #[must_use]
    pub fn keeper(&self, name: &str) -> Option<&Ldap> {
        match &self.0.iter().find(|directory| directory.name == name)?.kind {
            Kind::Ldap(ldap) => ldap.write_serial.then_some(ldap),
            Kind::File(_) | Kind::Command(_) => None,
        }
    }

    /// The LDAP directories, by their names.
    pub fn ldap(&self) -> impl Iterator<Item = (&str, &Ldap)> {
        self.0.iter().filter_map(|directory| match &directory.kind {
            Kind::Ldap(ldap) => Some((directory.name.as_str(), ldap.as_ref())),
            Kind::File(_) | Kind::Command(_) => None,
        })
    }

    /// Whether none of them has to be waited for.
    #[must_use]
    pub fn all_at_hand(&self) -> bool {
        self.0.iter().all(|directory| matches!(directory.kind, Kind::File(_)))
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Directory> {
        self.0.iter()
    }
}

/// The name of the directory that `users.table` is.
pub const USERS: &str = "users";

/// What stands for a directory where the user's name is the number: no directory has that name.
pub const USER_NAME: &str = "user-name";

/// Somebody of whom nothing is known but the number that they are called by.
fn of_number(msisdn: Msisdn) -> Subscriber {
    let entry = Entry { directory: USER_NAME.to_owned(), id: msisdn.digits().to_owned() };
    Subscriber { msisdn, language: None, serial: None, profile: None, groups: Vec::new(), entry }
}

/// Longest name of a group, in bytes.
const GROUP_MAX: usize = 256;

/// Whether it can be the name of a group.
pub(crate) fn is_group(name: &str) -> bool {
    (1..=GROUP_MAX).contains(&name.len()) && !name.chars().any(text::is_unprintable)
}

#[cfg(test)]
mod tests;
