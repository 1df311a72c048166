//! What `--help` of every verb keeps to: a screen, exit codes, and JSON.

use clap::{Command, CommandFactory as _};

use super::verbs::leaves;
use crate::Cli;

/// A terminal has 24 lines when it opens, and most people's have more. No line is broken by us: 80 columns is what
/// everybody has.
const LINES: usize = 32;
const COLUMNS: usize = 80;

/// The tool itself, its groups of verbs, and its verbs.
fn every(command: &Command) -> Vec<Command> {
    let below = command.get_subcommands().flat_map(every);
    std::iter::once(command.clone()).chain(below).collect()
}

#[test]
fn help_fits_on_a_screen() {
    let mut tool = Cli::command();
    tool.build();
    let mut wide = Vec::new();
    for mut command in every(&tool) {
        let (help, name) = (command.render_help().to_string(), command.get_name().to_owned());
        assert!(help.lines().count() <= LINES, "{name}: {} lines", help.lines().count());
        let too_wide = help.lines().filter(|line| line.chars().count() > COLUMNS);
        wide.extend(too_wide.map(|line| format!("{name}: {line}")));
    }
    assert!(wide.is_empty(), "wider than {COLUMNS}: {wide:#?}");
}

#[test]
fn every_verb_says_how_it_ends_and_speaks_json() {
    let verbs = leaves(&Cli::command());
    assert!(verbs.len() >= 20);
    for mut verb in verbs {
        let help = verb.render_help().to_string();
        let codes = help.split("Exit codes: ").nth(1).unwrap_or_else(|| panic!("no exit codes: {help}"));
        let codes = codes.replace('\n', " ");
        for code in ["0 ", ", 1 ", ", 2 "] {
            assert!(codes.contains(code), "{code:?} is missing: {help}");
        }
        assert!(help.contains("--json"), "no --json: {help}");
        let silent: Vec<_> = verb.get_arguments().filter(|arg| arg.get_help().is_none()).collect();
        assert!(silent.is_empty(), "nothing is said of {silent:?}");
    }
}
