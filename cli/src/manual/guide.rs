//! What the guide, the README and the pages have typed is what the tool takes.

use std::{collections::BTreeSet, fs};

use clap::{Command, CommandFactory as _};

use super::{file, pages::blocks, read};

/// Everything that somebody may copy a command from: the guide, and what the pages have unfilled.
fn texts() -> Vec<(String, String)> {
    let below = |folder: &str| {
        let entries = fs::read_dir(file(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        paths.map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    let guide =
        [below("docs"), below("docs/recipes"), vec![file("README.md").display().to_string()]].concat();
    let guide = guide.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap()));
    guide
        .chain(below("packaging/man").into_iter().map(|path| (path.clone(), blocks(&path).concat())))
        .collect()
}

/// The commands in a text, each up to where it ends or something else begins.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let end = |c: char| "`#|&;\n)\"'".contains(c);
    text.split("mobileidctl ").skip(1).filter_map(move |rest| rest.split(end).next())
}

/// The first word of a command that the tool does not know; None where it knows all. Prose that only begins with the
/// tool's name has no verb.
fn unknown(tool: &Command, command: &str) -> Option<String> {
    let mut words = command.split_whitespace().peekable();
    let mut verb = tool;
    while let Some(next) = words.peek().and_then(|word| verb.find_subcommand(word)) {
        verb = next;
        words.next();
    }
    let known = |word: &str| {
        let name = word.trim_start_matches('-').split(['=', ',', '.', ':']).next().unwrap_or_default();
        verb.get_arguments().any(|arg| arg.get_long() == Some(name)) || name == "help" || name == "version"
    };
    let mut options = words.filter(|word| word.starts_with("--") && word.len() > 2);
    options.find(|word| !known(word)).map(str::to_owned)
}

#[test]
fn no_text_names_an_option_that_there_is_not() {
    let mut tool = crate::Cli::command();
    tool.build();
    let mut count = 0;
    for (path, text) in texts() {
        for command in commands(&text) {
            assert_eq!(unknown(&tool, command), None, "{path}: mobileidctl {command}");
            count += 1;
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn a_group_of_verbs_is_named_with_one_of_them() {
    let tool = crate::Cli::command();
    let groups: Vec<&Command> = tool.get_subcommands().filter(|verb| verb.has_subcommands()).collect();
    assert!(groups.len() >= 5);
    for (path, text) in texts() {
        for command in commands(&text) {
            let mut words = command.split_whitespace();
            let Some(group) = groups.iter().find(|group| Some(group.get_name()) == words.clone().next())
            else {
                continue;
            };
            let Some(verb) = words.nth(1) else { continue };
            let is_verb = verb.chars().all(|c| c.is_ascii_lowercase());
            assert!(!is_verb || group.find_subcommand(verb).is_some(), "{path}: mobileidctl {command}");
        }
    }
}

/// Tables, and keys with their tables, of all samples that are read by the code: `pam.grace`, `attributes.serial`.
fn keys() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for document in ["docs/configuration.md", "docs/directories.md", "docs/radius.md"] {
        let text = read(document);
        for sample in text.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()) {
            let mut table = String::new();
            for line in sample.lines().filter(|line| !line.starts_with('#')) {
                match line.split_once(" = ") {
                    Some((key, _)) => keys.insert(format!("{table}.{key}")),
                    None if line.starts_with('[') => {
                        table = line.trim_matches(['[', ']']).to_owned();
                        keys.insert(table.clone())
                    }
                    None => continue,
                };
            }
        }
    }
    let inner = keys.iter().filter_map(|key| Some(key.split_once('.')?.1.to_owned())).collect::<Vec<_>>();
    keys.into_iter().chain(inner).collect()
}

#[test]
fn a_key_that_is_named_with_its_table_is_one() {
    let known = keys();
    let tables: BTreeSet<&str> = known.iter().filter_map(|key| Some(key.split_once('.')?.0)).collect();
    let mut count = 0;
    for (path, text) in texts().into_iter().filter(|(path, _)| path.ends_with(".md")) {
        for literal in text.split('`').map(|literal| literal.split(" = ").next().unwrap_or_default()) {
            let is_key = literal.chars().all(|c| c.is_ascii_lowercase() || "._".contains(c));
            let Some((table, _)) = literal.split_once('.').filter(|_| is_key) else { continue };
            let is_file = [".toml", "client.key", "client.crt"].iter().any(|end| literal.ends_with(end));
            if tables.contains(table) && !is_file {
                assert!(known.contains(literal), "{path}: there is no {literal}");
                count += 1;
            }
        }
    }
    assert!(count > 60, "{count}");
}
