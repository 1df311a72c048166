//! The verbs of mobileidctl as a page has them.

use clap::{Arg, Command};

use super::{hold_part, roff};

/// All of them, each with the words before it.
pub(super) fn leaves(command: &Command) -> Vec<Command> {
    let mut command = command.clone();
    command.build();
    below(&command)
}

fn below(command: &Command) -> Vec<Command> {
    let mut verbs: Vec<&Command> = command.get_subcommands().collect();
    verbs.sort_by_key(|verb| verb.get_name().to_owned());
    let leaf = |verb: &Command| if verb.has_subcommands() { below(verb) } else { vec![verb.clone()] };
    verbs.into_iter().flat_map(leaf).collect()
}

fn section(verb: &mut Command) -> String {
    let usage = verb.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_start_matches("mobileidctl ");
    let mut out = format!(".SS \"{}\"\n", roff::literal(usage));
    out.push_str(
        &verb.get_about().map_or_else(String::new, |about| roff::prose(&format!("{about}.")) + "\n"),
    );
    let (positionals, options): (Vec<&Arg>, Vec<&Arg>) = verb
        .get_arguments()
        .filter(|arg| arg.get_id() != "help" && !arg.is_hide_set())
        .partition(|arg| arg.is_positional());
    positionals.into_iter().chain(options).for_each(|arg| out.push_str(&tagged(arg)));
    let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
    after.split("\n\n").filter(|p| !p.is_empty()).for_each(|paragraph| out.push_str(&told(paragraph)));
    out
}

fn tagged(arg: &Arg) -> String {
    let names: Vec<String> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| format!("\\fI{name}\\fR")).collect();
    let tag = match arg.get_long() {
        Some(long) if arg.get_action().takes_values() => {
            format!("{} {}", roff::bold(&format!("--{long}")), names.join(" "))
        }
        Some(long) => roff::bold(&format!("--{long}")),
        None => names.join(" "),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = match defaults.first() {
        Some(value) if !arg.is_hide_default_value_set() && arg.get_action().takes_values() => {
            format!(" Default: {value}.")
        }
        _ => String::new(),
    };
    format!(".TP\n{tag}\n{}\n", roff::prose(&format!("{help}.{default}")))
}

/// A paragraph; lines that are indented are an example.
fn told(paragraph: &str) -> String {
    let (example, text): (Vec<&str>, Vec<&str>) = paragraph.lines().partition(|line| line.starts_with("  "));
    let text: String = text.into_iter().map(|line| roff::prose(line) + "\n").collect();
    let example = if example.is_empty() { String::new() } else { roff::example(&example) };
    format!(".PP\n{text}{example}")
}

#[test]
fn the_page_has_every_verb_and_option() {
    use clap::CommandFactory as _;
    let written: String = leaves(&crate::Cli::command()).iter_mut().map(section).collect();
    hold_part("packaging/man/mobileidctl.1", &written);
}
