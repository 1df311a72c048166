//! The user table: a TOML file with a table per user.
//!
//! ```
//! use mobileid::directory::{Answer, file::UserTable};
//!
//! let table = UserTable::parse("users.toml", r#"
//! [alice]
//! msisdn = "+41 79 123 45 67"
//! language = "de"
//! "#).unwrap();
//! assert!(matches!(table.lookup(&"alice".parse().unwrap()), Answer::Found(_)));
//! assert!(matches!(table.lookup(&"bob".parse().unwrap()), Answer::NotEnrolled));
//! ```

use std::collections::BTreeMap;

use super::{Answer, is_group};
use crate::{
    config::{
        Located, Mistakes,
        reader::{Section, Source},
    },
    subscriber::{Entry, Msisdn, Subscriber, UserName},
    text,
};

/// The users of a table file.
#[derive(Debug, Clone, Default)]
pub struct UserTable(BTreeMap<UserName, Subscriber>);

impl UserTable {
    /// Reads the text of a table file; `file` is its name for messages.
    ///
    /// # Errors
    /// All mistakes of the file: a bad name or number, an unknown key, a user who stands twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, Mistakes> {
        let (mut source, root) = Source::parse(file, text)?;
        let mut users = BTreeMap::new();
        for entry in root.named_sections(&mut source) {
            let name = match entry.key.parse::<UserName>() {
                Ok(name) => Some(name),
                Err(error) => {
                    source.mistake(entry.line, &text::escaped(&entry.key, 100), error);
                    None
                }
            };
            let subscriber = read_subscriber(entry.value, &mut source);
            if let (Some(name), Some(mut subscriber)) = (name, subscriber) {
                subscriber.entry.id = name.to_string();
                // TOML itself refuses a second table of the same name.
                users.insert(name, subscriber);
            }
        }
        source.mistakes.or(Some(Self(users)))
    }

    /// A table with one person in it.
    #[must_use]
    pub fn of_one(user: UserName, subscriber: Subscriber) -> Self {
        Self(BTreeMap::from([(user, subscriber)]))
    }

    /// What the table says of a user: who is in it and who is not, nothing else.
    #[must_use]
    pub fn lookup(&self, user: &UserName) -> Answer {
        self.0.get(user).map_or(Answer::NotEnrolled, |s| Answer::Found(s.clone()))
    }

    /// Who has this number.
    pub fn with_number<'a>(&'a self, msisdn: &'a Msisdn) -> impl Iterator<Item = &'a UserName> {
        self.0.iter().filter(move |(_, subscriber)| subscriber.msisdn == *msisdn).map(|(user, _)| user)
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nobody is entered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn read_subscriber(mut entry: Section<'_>, source: &mut Source<'_>) -> Option<Subscriber> {
    let msisdn = entry.required_parsed("msisdn", source);
    let language = entry.parsed("language", source);
    let serial = entry.parsed("serial", source);
    let profile = entry.parsed("profile", source);
    let groups = entry.list("groups", source);
    entry.finish(source);
    let groups = groups.into_iter().filter_map(|group| read_group(group, source)).collect();
    Some(Subscriber { msisdn: msisdn?, language, serial, profile, groups, entry: Entry::default() })
}

fn read_group(group: Located<String>, source: &mut Source<'_>) -> Option<String> {
    let fits = is_group(&group.value);
    if !fits {
        source.mistake(group.line, &group.key, "a group has 1 to 256 bytes of printable characters");
    }
    fits.then_some(group.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> String {
        UserTable::parse("users.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_full_entry_is_read() {
        let text = "[alice]\nmsisdn='0041 79 123 45 67'\nlanguage='it'\nserial='MIDCHE1'\nprofile='app'\n";
        let table = UserTable::parse("users.toml", text).unwrap();
        let Answer::Found(alice) = table.lookup(&"alice".parse().unwrap()) else { panic!("not found") };
        assert_eq!(alice.msisdn.digits(), "41791234567");
        assert_eq!(alice.serial.unwrap().as_str(), "MIDCHE1");
        assert_eq!(table.len(), 1);
        assert_eq!(table.lookup(&"Alice".parse().unwrap()), Answer::NotEnrolled);
    }

    #[test]
    fn mistakes_name_line_and_key_and_never_the_number() {
        let shown = mistakes("[alice]\nmsisdn = \"079 123 45 67\"\n");
        assert!(
            shown.starts_with("users.toml:2: alice.msisdn: the phone number has no country code"),
            "{shown}"
        );
        assert!(!shown.contains("079"), "{shown}");
        let shown = mistakes("[alice]\nmsisdn='+41791234567'\n\n[alice]\nmsisdn='+41791234568'\n");
        assert!(shown.starts_with("users.toml:4: not TOML: duplicate key"), "{shown}");
        assert!(!shown.contains("4179"), "{shown}");
        assert!(mistakes("[alice]\nlanguage='de'\n").starts_with("users.toml:1: alice.msisdn: is missing"));
        assert!(mistakes("alice = '+41791234567'\n").starts_with("users.toml:1: alice: must be a table"));
        let shown = mistakes("\"+41791234567\" = 'alice'\n");
        assert!(shown.contains("must be a table") && !shown.contains("1234"), "{shown}");
        assert!(
            mistakes("[alice]\nmsisdn='+41791234567'\nmsidn='x'\n").contains(":3: alice.msidn: unknown key")
        );
        for groups in ["['a', '']", "\"a\\u0007\""] {
            let shown = mistakes(&format!("[alice]\nmsisdn='+41791234567'\ngroups={groups}\n"));
            assert!(shown.starts_with("users.toml:3: alice.groups: a group has 1 to 256"), "{shown}");
        }
        assert!(mistakes("[\"a\\u0007\"]\nmsisdn='+41791234567'\n").contains("control or formatting"));
    }

    #[test]
    fn all_mistakes_are_named_at_once() {
        let shown = mistakes("[alice]\nmsisdn='1'\nlanguage='xx'\n[bob]\nserial='a b'\n");
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 4, "{shown}");
        assert!(lines[3].starts_with("users.toml:5: bob.serial: "), "{shown}");
    }
}
