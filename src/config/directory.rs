//! `[users]` and `[[directory]]`: where users are looked up, as written.

use std::{collections::HashMap, path::PathBuf};

pub use super::ldap::LdapFile;
use super::{
    CommandFile, Located, path,
    reader::{Section, Source},
    values::choice,
};
use crate::directory::{USER_NAME, USERS, WhenUnavailable};

/// A directory before what it names is read.
#[derive(Debug)]
pub struct DirectoryFile {
    /// What log lines call it.
    pub name: Located<String>,
    /// What becomes of a login when it cannot be asked.
    pub unavailable: WhenUnavailable,
    /// What it is.
    pub kind: KindFile,
}

/// The kinds, as written.
#[derive(Debug)]
pub enum KindFile {
    /// A user table.
    File(Located<PathBuf>),
    /// LDAP servers.
    Ldap(Box<LdapFile>),
    /// A program.
    Command(CommandFile),
}

#[derive(Clone, Copy)]
enum Type {
    File,
    Ldap,
    Command,
}

const TYPES: &[(&str, Type)] = &[("file", Type::File), ("ldap", Type::Ldap), ("command", Type::Command)];
const UNAVAILABLE: &[(&str, WhenUnavailable)] =
    &[("deny", WhenUnavailable::Deny), ("next", WhenUnavailable::Next)];

/// All of them, in the order in which they are asked: the table of `[users]` where it has one, then each
/// `[[directory]]`. None where one could not be read.
pub(super) fn read_all(
    users: &mut Section<'_>,
    root: &mut Section<'_>,
    source: &mut Source<'_>,
) -> Option<Vec<DirectoryFile>> {
    let tables = root.tables("directory", source);
    // Whoever names directories needs no table beside them.
    let table = if tables.is_empty() { users.required("table", source) } else { users.text("table", source) };
    let count = tables.len().saturating_add(usize::from(table.is_some()));
    let mut directories = Vec::new();
    if let Some(table) = table {
        let name = Located { value: USERS.to_owned(), line: table.line, key: table.key.clone() };
        let table = path(table, source);
        directories.extend(table.map(|at| DirectoryFile {
            name,
            unavailable: WhenUnavailable::Deny,
            kind: KindFile::File(at),
        }));
    }
    directories.extend(tables.into_iter().filter_map(|section| DirectoryFile::read(section, source)));
    let mut names = HashMap::new();
    for Located { value: name, line, key } in directories.iter().map(|d| &d.name) {
        if let Some(first) = names.insert(name, *line) {
            let what = format_args!("\"{name}\" is the name of the directory of line {first} already");
            source.mistake(*line, key, what);
        }
    }
    (count > 0 && directories.len() == count).then_some(directories)
}

impl DirectoryFile {
    fn read(mut section: Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let name = section.required("name", source).filter(|name| {
            let fits = is_name(&name.value);
            if !fits {
                source.mistake(name.line, &name.key, NAME_RULE);
            }
            fits
        });
        let unavailable = choice(&mut section, "unavailable", UNAVAILABLE, source);
        if !section.has("type") {
            source.mistake(
                section.line(),
                &section.key("type"),
                "is missing: \"file\", \"ldap\" or \"command\"",
            );
        }
        let kind = match choice(&mut section, "type", TYPES, source)?.value {
            Type::File => section.required("table", source).and_then(|t| path(t, source)).map(KindFile::File),
            Type::Ldap => LdapFile::read(&mut section, source).map(|ldap| KindFile::Ldap(Box::new(ldap))),
            Type::Command => CommandFile::read(&mut section, source).map(KindFile::Command),
        };
        section.finish(source);
        Some(Self { name: name?, unavailable: unavailable.map(|u| u.value).unwrap_or_default(), kind: kind? })
    }
}

const NAME_RULE: &str = "must be 1 to 32 letters, digits, dots, dashes or underscores, and not \"user-name\"";

fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text != USER_NAME
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
