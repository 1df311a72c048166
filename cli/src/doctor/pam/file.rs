//! Reads a service's file as Linux-PAM does (pam.conf(5)): what is in its auth stack, in which order?
//!
//! `@include` and `include` put the lines of another file in their place; `substack` is one step with a stack of its
//! own. Everything is bounded: a file that includes itself ends in a finding.

use std::collections::BTreeMap;

/// Linux-PAM gives up there too.
const DEPTH_MAX: usize = 16;
/// More lines than any stack has.
const LINES_MAX: usize = 2_000;

/// Where a service's file comes from.
pub(crate) trait Files {
    /// The file's name for a person, and its text; nothing where there is none.
    fn file(&self, name: &str) -> Result<Option<(String, String)>, String>;
}

/// One step of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Module(Line),
    Substack(Vec<Step>),
}

/// A line that names a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// File and line.
    pub(crate) place: String,
    pub(crate) control: Control,
    /// As it is written: a name, or a path.
    pub(crate) module: String,
    pub(crate) arguments: Vec<String>,
}

/// What is done about a module's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Ignore,
    Ok,
    Done,
    Bad,
    Die,
    Reset,
    Jump(usize),
}

/// The second column: an action for each result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    actions: BTreeMap<String, Action>,
    default: Action,
}

impl Control {
    /// What is done about a result with this name.
    pub(crate) fn on(&self, result: &str) -> Action {
        self.actions.get(result).copied().unwrap_or(self.default)
    }

    fn new(actions: &[(&str, Action)], default: Action) -> Self {
        Self {
            actions: actions.iter().map(|(result, action)| ((*result).to_owned(), *action)).collect(),
            default,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        use Action::{Bad, Die, Done, Ignore, Ok};
        Some(match text.to_ascii_lowercase().as_str() {
            "required" => Self::new(&[("success", Ok), ("new_authtok_reqd", Ok), ("ignore", Ignore)], Bad),
            "requisite" => Self::new(&[("success", Ok), ("new_authtok_reqd", Ok), ("ignore", Ignore)], Die),
            "sufficient" => Self::new(&[("success", Done), ("new_authtok_reqd", Done)], Ignore),
            "optional" => Self::new(&[("success", Ok), ("new_authtok_reqd", Ok)], Ignore),
            list => return Self::parse_list(list.strip_prefix('[')?.strip_suffix(']')?),
        })
    }

    fn parse_list(list: &str) -> Option<Self> {
        // What no pair names is a failure.
        let mut control = Self { actions: BTreeMap::new(), default: Action::Bad };
        for pair in list.split_whitespace() {
            let (result, action) = pair.split_once('=')?;
            let action = match action {
                "ignore" => Action::Ignore,
                "ok" => Action::Ok,
                "done" => Action::Done,
                "bad" => Action::Bad,
                "die" => Action::Die,
                "reset" => Action::Reset,
                // A jump over nothing is a mistake in Linux-PAM too.
                count => Action::Jump(count.parse().ok().filter(|count| *count > 0)?),
            };
            if result == "default" {
                control.default = action;
            } else {
                control.actions.insert(result.to_owned(), action);
            }
        }
        Some(control)
    }
}

/// A service's auth stack, and what was read for it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Stack {
    pub(crate) steps: Vec<Step>,
    /// What PAM cannot make sense of, with its place: with any of these it refuses everybody.
    pub(crate) broken: Vec<(String, String)>,
    /// The names of the files that were included.
    pub(crate) included: Vec<String>,
    lines: usize,
}

impl Stack {
    /// Reads the stack of a service; nothing where it has no file.
    pub(crate) fn read(files: &impl Files, service: &str) -> Result<Option<Self>, String> {
        let Some((place, text)) = files.file(service)? else { return Ok(None) };
        let mut stack = Self::default();
        let mut steps = Vec::new();
        stack.add_file(files, &place, &text, 0, &mut steps);
        stack.steps = steps;
        Ok(Some(stack))
    }

    fn add_file(&mut self, files: &impl Files, shown: &str, text: &str, depth: usize, steps: &mut Vec<Step>) {
        for (number, line) in logical_lines(text) {
            let place = format!("{shown}:{number}");
            self.lines = self.lines.saturating_add(1);
            if self.lines > LINES_MAX {
                return self.break_at(&place, format!("there are more than {LINES_MAX} lines"));
            }
            let words = words(&line);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                [] => {}
                ["@include", name, ..] => self.include(files, &place, name, depth, steps),
                [kind, rest @ ..] if is_auth(kind) => self.add_auth(files, place, rest, depth, steps),
                [kind, ..] if is_other(kind) => {}
                [kind, ..] => {
                    let what = super::quoted(kind);
                    self.break_at(&place, format!("{what} is none of auth, account, password and session"));
                }
            }
        }
    }

    fn add_auth(
        &mut self,
        files: &impl Files,
        place: String,
        words: &[&str],
        depth: usize,
        steps: &mut Vec<Step>,
    ) {
        match words {
            [control, name, ..] if control.eq_ignore_ascii_case("include") => {
                self.include(files, &place, name, depth, steps);
            }
            [control, name, ..] if control.eq_ignore_ascii_case("substack") => {
                let mut inner = Vec::new();
                self.include(files, &place, name, depth, &mut inner);
                steps.push(Step::Substack(inner));
            }
            [control, module, arguments @ ..] => match Control::parse(control) {
                Some(control) => steps.push(Step::Module(Line {
                    place,
                    control,
                    module: (*module).to_owned(),
                    arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
                })),
                None => self.break_at(&place, format!("{} is no control value", super::quoted(control))),
            },
            _ => self.break_at(&place, "the line has no module".to_owned()),
        }
    }

    fn include(&mut self, files: &impl Files, place: &str, name: &str, depth: usize, steps: &mut Vec<Step>) {
        if depth >= DEPTH_MAX {
            return self.break_at(place, format!("more than {DEPTH_MAX} files include one another"));
        }
        match files.file(name) {
            Ok(Some((shown, text))) => {
                self.included.push(name.to_owned());
                self.add_file(files, &shown, &text, depth.saturating_add(1), steps);
            }
            Ok(None) => self.break_at(place, format!("{} is not there", super::quoted(name))),
            Err(why) => self.break_at(place, format!("{}: {why}", super::quoted(name))),
        }
    }

    fn break_at(&mut self, place: &str, why: String) {
        self.broken.push((place.to_owned(), why));
    }
}

fn is_auth(kind: &str) -> bool {
    kind.strip_prefix('-').unwrap_or(kind).eq_ignore_ascii_case("auth")
}

fn is_other(kind: &str) -> bool {
    let kind = kind.strip_prefix('-').unwrap_or(kind);
    ["account", "password", "session"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

/// Lines without comments, with the number that each begins at; a backslash at the end goes on in the next.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let (number, mut whole) = open.take().unwrap_or((index.saturating_add(1), String::new()));
        match line.trim_end().strip_suffix('\\') {
            Some(more) => {
                whole.push_str(more);
                whole.push(' ');
                open = Some((number, whole));
            }
            None => {
                whole.push_str(line);
                lines.push((number, whole));
            }
        }
    }
    lines.extend(open);
    lines
}

/// Words between blanks. A word in square brackets may have blanks in it, and loses the brackets where it is an
/// argument; `\]` in it is a bracket.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('[') {
            Some(inside) => bracketed(inside, words.len() > 1),
            None => {
                let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                (word.to_owned(), after)
            }
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn bracketed(inside: &str, bare: bool) -> (String, &str) {
    let mut word = String::new();
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            ']' if !escaped => {
                let after = inside.get(at.saturating_add(1)..).unwrap_or_default();
                return (if bare { word } else { format!("[{word}]") }, after);
            }
            '\\' if !escaped => escaped = true,
            c => {
                if escaped && c != ']' {
                    word.push('\\');
                }
                word.push(c);
                escaped = false;
            }
        }
    }
    // Never closed: Linux-PAM takes the rest of the line, and it is no control value.
    (format!("[{word}"), "")
}

#[cfg(test)]
pub(crate) mod tests;
