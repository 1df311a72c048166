//! What the administrator has to do, in sentences that fit the screen, each with the command to be typed.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::home;
use crate::folders::command_line;

/// Where the packages put install.md.
const GUIDES: &str = "/usr/share/doc/mobileid-tools";

/// Something to do.
#[derive(Debug, Serialize)]
pub(super) struct ToDo {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

impl ToDo {
    pub(super) fn new(what: impl Into<String>, command: Option<String>) -> Self {
        Self { what: what.into(), command }
    }

    /// The line that setup leaves to somebody who has read about it: where, is said if it is there.
    pub(super) fn pam(root: &Path) -> Self {
        let folder = root.join(GUIDES.trim_start_matches('/'));
        // Debian compresses what is longer than 4 kB.
        let is_there = ["install.md", "install.md.gz"].iter().any(|guide| folder.join(guide).exists());
        let docs = if is_there { format!(" (docs: {GUIDES})") } else { String::new() };
        let what = format!(
            "Put the line of pam_mobileid(8){docs} into /etc/pam.d, keep a root shell open, and look"
        );
        Self::new(what, Some("mobileidctl doctor".to_owned()))
    }

    pub(super) fn in_words(&self) -> String {
        let end = if self.command.is_some() { ":" } else { "." };
        let mut text = wrapped(&format!("{}{end}", self.what));
        if let Some(command) = &self.command {
            text.push_str(&format!("      {command}\n"));
        }
        text
    }
}

/// A paragraph of a list. A word that is longer than a line has one to itself.
fn wrapped(what: &str) -> String {
    const WIDTH: usize = 78;
    let (mut text, mut line) = (String::new(), "  -".to_owned());
    for word in what.split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = "   ".to_owned();
        }
        line.push(' ');
        line.push_str(word);
    }
    format!("{text}{line}\n")
}

/// How the tool is called for one folder.
#[derive(Debug)]
pub(super) struct Commands {
    folder: PathBuf,
}

impl Commands {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Setup, once more.
    pub(super) fn setup(&self, more: &[&str]) -> String {
        self.command("setup", "--folder", &self.folder, more)
    }

    /// Another verb, on the configuration.
    pub(super) fn verb(&self, verb: &str) -> String {
        self.command(verb, "--config", &self.folder.join("mobileid.toml"), &[])
    }

    fn command(&self, verb: &str, place: &str, path: &Path, more: &[&str]) -> String {
        let mut words: Vec<OsString> = vec!["mobileidctl".into()];
        words.extend(verb.split(' ').map(OsString::from));
        if self.folder != Path::new(home::DEFAULT) {
            words.extend([place.into(), path.into()]);
        }
        words.extend(more.iter().map(OsString::from));
        command_line(words.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_sentence_fits_the_screen_and_its_command_stays_one_line() {
        let command = "mobileidctl setup --trust a.crt".repeat(9);
        let text = ToDo::new("word ".repeat(40).trim_end(), Some(command.clone())).in_words();
        let (paragraph, last) = text.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(last.trim(), command);
        assert!(paragraph.lines().count() > 2 && paragraph.ends_with("word:"), "{text}");
        assert!(paragraph.lines().all(|line| line.len() <= 78 && line.starts_with("  ")), "{text}");
        assert_eq!(ToDo::new("a b", None).in_words(), "  - a b.\n");
    }

    #[test]
    fn the_guides_are_named_where_they_are() {
        let root = std::env::temp_dir().join(format!("setup-guides-{}", std::process::id()));
        let docs = root.join("usr/share/doc/mobileid-tools");
        fs::create_dir_all(&docs).unwrap();
        let without = ToDo::pam(&root).what;
        fs::write(docs.join("install.md.gz"), "").unwrap();
        let with = ToDo::pam(&root).what;
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            without,
            "Put the line of pam_mobileid(8) into /etc/pam.d, keep a root shell open, and look"
        );
        assert!(with.contains("pam_mobileid(8) (docs: /usr/share/doc/mobileid-tools) into"), "{with}");
    }

    #[test]
    fn a_command_names_the_folder_where_it_is_not_the_usual_one() {
        let (usual, other) = (Commands::of(Path::new("/etc/mobileid")), Commands::of(Path::new("/a b")));
        assert_eq!(usual.setup(&["--trust", "x"]), "mobileidctl setup --trust x");
        assert_eq!(usual.verb("login alice"), "mobileidctl login alice");
        assert_eq!(other.setup(&["--trust", "x"]), "mobileidctl setup --folder '/a b' --trust x");
        assert_eq!(other.verb("login alice"), "mobileidctl login alice --config '/a b/mobileid.toml'");
    }
}
