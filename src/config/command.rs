//! A `[[directory]]` with `type = "command"`, as written.

use std::{path::PathBuf, time::Duration};

use super::{
    Located,
    reader::{Section, Source},
};

/// The directory, before the program is looked at.
#[derive(Debug)]
pub struct CommandFile {
    /// The program, by its absolute path.
    pub program: Located<PathBuf>,
    /// What stands before the user's name.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

const RULE: &str =
    "must be a program by its absolute path and its arguments, like [\"/usr/local/libexec/phone-of\"]";
const ARGUMENTS_MAX: usize = 64;
const ARGUMENT_MAX: usize = 4096;

impl CommandFile {
    pub(super) fn read(section: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let (absent, line) = (!section.has("command"), section.line_of("command", source));
        let before = source.mistakes.0.len();
        let mut words = section.list("command", source).into_iter();
        let program = words.next().filter(|program| program.value.starts_with('/'));
        let arguments: Vec<_> = words.map(|word| word.value).collect();
        let fits = |word: &str| word.len() <= ARGUMENT_MAX && !word.contains('\0');
        let fit = program.as_ref().is_some_and(|program| fits(&program.value))
            && arguments.len() <= ARGUMENTS_MAX
            && arguments.iter().all(|word| fits(word));
        if !fit && source.mistakes.0.len() == before {
            let key = section.key("command");
            source.mistake(line, &key, if absent { "is missing" } else { RULE });
        }
        let timeout = section.number("timeout", 1..=30, 5, source)?;
        let Located { value, line, key } = program.filter(|_| fit)?;
        let program = Located { value: PathBuf::from(value), line, key };
        Some(Self { program, arguments, timeout: Duration::from_secs(timeout) })
    }
}
