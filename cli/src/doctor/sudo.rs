//! sudo's defaults: when does sudo ask at all, whose phone, and how often? Nothing else in sudoers matters here:
//! passwd_timeout does not cover the wait in PAM, and a refusal ends sudo at once, whatever passwd_tries says.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Kind, quoted};

/// sudo itself stops later; nobody gets as far.
const DEPTH_MAX: usize = 16;
/// More than any host has.
const FILES_MAX: usize = 500;

/// Where sudoers files come from.
pub(crate) trait Files {
    fn text(&self, path: &str) -> Result<String, String>;
    /// The names in a folder.
    fn names(&self, folder: &str) -> Result<Vec<String>, String>;
}

/// What sudoers sets.
#[derive(Debug, Default)]
pub(crate) struct Sudoers {
    pub(crate) findings: Vec<Finding>,
    /// PAM services besides `sudo` and `sudo-i`.
    pub(crate) services: BTreeSet<String>,
    /// What was set last for everybody, with its place: only that counts.
    global: BTreeMap<String, (String, Setting)>,
    files: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Setting {
    On,
    Off,
    To(String),
}

/// Reads a sudoers file and what it includes.
pub(crate) fn examine(files: &impl Files, path: &str) -> Sudoers {
    let mut sudoers = Sudoers::default();
    sudoers.file(files, path, 0);
    for (name, (place, setting)) in std::mem::take(&mut sudoers.global) {
        sudoers.judge(&place, &name, &setting, "");
    }
    sudoers
}

impl Sudoers {
    fn file(&mut self, files: &impl Files, path: &str, depth: usize) {
        self.files = self.files.saturating_add(1);
        if depth > DEPTH_MAX || self.files > FILES_MAX {
            return self.not_examined(path, "too many files include one another");
        }
        let text = match files.text(path) {
            Ok(text) => text,
            Err(why) => return self.not_examined(path, &why),
        };
        for (number, line) in logical_lines(&text) {
            let place = format!("{path}:{number}");
            match Directive::of(&line) {
                Some(Directive::File(name)) => match beside(path, name) {
                    Some(target) => self.file(files, &target, depth.saturating_add(1)),
                    None => self.not_examined(&place, "the file's name depends on the host's"),
                },
                Some(Directive::Folder(name)) => match beside(path, name) {
                    Some(target) => self.folder(files, &target, depth),
                    None => self.not_examined(&place, "the folder's name depends on the host's"),
                },
                None => self.line(&place, &line),
            }
        }
    }

    fn folder(&mut self, files: &impl Files, folder: &str, depth: usize) {
        let mut names = match files.names(folder) {
            Ok(names) => names,
            Err(why) => return self.not_examined(folder, &why),
        };
        names.retain(|name| !name.contains('.') && !name.ends_with('~'));
        names.sort();
        for name in names {
            self.file(files, &format!("{}/{name}", folder.trim_end_matches('/')), depth.saturating_add(1));
        }
    }

    fn line(&mut self, place: &str, line: &str) {
        let Some(rest) = line.trim_start().strip_prefix("Defaults") else {
            if without_comment(line).contains("NOPASSWD:") {
                let what = "a rule with NOPASSWD asks neither for a password nor for the phone";
                self.find(Kind::SudoNopasswd, place, what, "take NOPASSWD out where a person is behind it");
            }
            return;
        };
        let scoped = rest.starts_with(['@', ':', '!', '>']);
        let (scope, settings) =
            if scoped { rest.split_once(char::is_whitespace).unwrap_or((rest, "")) } else { ("", rest) };
        for (name, setting) in settings_of(without_comment(settings)) {
            if scoped {
                self.judge(place, &name, &setting, scope);
            } else {
                self.global.insert(name, (place.to_owned(), setting));
            }
        }
    }

    /// What a setting, for all or for a scope, does to the second factor.
    fn judge(&mut self, place: &str, name: &str, setting: &Setting, scope: &str) {
        let shown = quoted(&format!("Defaults{scope} {}", setting.written(name)));
        match (name, setting) {
            ("authenticate", Setting::Off) => {
                let what = format!("{shown}: sudo asks neither for a password nor for the phone");
                self.find(Kind::SudoAsksNobody, place, &what, "take the setting out");
            }
            ("rootpw" | "targetpw" | "runaspw", Setting::On) => {
                let what = format!("{shown}: sudo asks the phone of another account, not of its caller");
                self.find(Kind::SudoAsksAnotherPhone, place, &what, "take the setting out");
            }
            ("timestamp_timeout", Setting::Off) => self.timestamp(place, &shown, 0.0),
            ("timestamp_timeout", Setting::To(minutes)) => {
                if let Ok(minutes) = minutes.parse() {
                    self.timestamp(place, &shown, minutes);
                }
            }
            ("pam_service" | "pam_login_service" | "pam_askpass_service", Setting::To(service)) => {
                self.services.insert(service.clone());
            }
            _ => {}
        }
    }

    fn timestamp(&mut self, place: &str, shown: &str, minutes: f64) {
        if minutes < 0.0 {
            let what = format!("{shown}: one confirmation counts until the next boot");
            self.find(Kind::SudoTimestampEndless, place, &what, "Defaults timestamp_timeout=15");
        } else if minutes == 0.0 {
            let what = format!("{shown}: every sudo rings the phone, and people learn to press yes");
            self.find(Kind::SudoTimestampZero, place, &what, "Defaults timestamp_timeout=5");
        }
    }

    fn not_examined(&mut self, place: &str, why: &str) {
        let what = format!("not examined: {}", quoted(why));
        self.find(Kind::NotExamined, place, &what, "run it as root, or look yourself");
    }

    fn find(&mut self, kind: Kind, place: &str, what: &str, remedy: &str) {
        self.findings.push(Finding::new(kind, place, what, remedy));
    }
}

impl Setting {
    fn written(&self, name: &str) -> String {
        match self {
            Self::On => name.to_owned(),
            Self::Off => format!("!{name}"),
            Self::To(value) => format!("{name}={value}"),
        }
    }
}

enum Directive<'a> {
    File(&'a str),
    Folder(&'a str),
}

impl<'a> Directive<'a> {
    /// `@include` and `@includedir`; with `#`, which is no comment there, as they were once written.
    fn of(line: &'a str) -> Option<Self> {
        let rest = line.trim_start();
        let rest = rest.strip_prefix('@').or_else(|| rest.strip_prefix('#'))?;
        let (word, name) = rest.split_once(char::is_whitespace)?;
        let name = name.trim().trim_matches('"');
        match word {
            "include" => Some(Self::File(name)),
            "includedir" => Some(Self::Folder(name)),
            _ => None,
        }
    }
}

/// A name without a slash at its beginning is beside the file that names it; `%h` is the host's name.
fn beside(path: &str, name: &str) -> Option<String> {
    if name.contains('%') {
        return None;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(if name.starts_with('/') { name.to_owned() } else { format!("{folder}/{name}") })
}

fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, mut whole) = open.take().unwrap_or((index.saturating_add(1), String::new()));
        match line.strip_suffix('\\') {
            Some(more) => {
                whole.push_str(more);
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

/// Up to a `#` that begins a word outside quotes and is no user number.
fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        let after = line.get(at.saturating_add(1)..).and_then(|rest| rest.chars().next());
        match c {
            '"' if before != '\\' => quoted = !quoted,
            '#' if !quoted && before != '\\' && !after.is_some_and(|c| c.is_ascii_digit()) => {
                return line.get(..at).unwrap_or_default();
            }
            _ => {}
        }
        before = c;
    }
    line
}

/// `!name, name=value, name`, where a value may be quoted.
fn settings_of(text: &str) -> Vec<(String, Setting)> {
    let mut quoted = false;
    let parts = text.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).map(setting_of).collect()
}

fn setting_of(part: &str) -> (String, Setting) {
    if let Some((name, value)) = part.split_once('=') {
        let value = value.trim().trim_matches('"').to_owned();
        return (name.trim_end_matches(['+', '-', ' ', '\t']).to_owned(), Setting::To(value));
    }
    // Every further `!` turns it around.
    let name = part.trim_start_matches(['!', ' ']);
    let off = part.chars().take_while(|c| matches!(c, '!' | ' ')).filter(|c| *c == '!').count() % 2 == 1;
    (name.to_owned(), if off { Setting::Off } else { Setting::On })
}

#[cfg(test)]
mod tests;
