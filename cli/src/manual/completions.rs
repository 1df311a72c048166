//! What shells offer after Tab: for mobileidctl from the definitions that read its command line, for the other two
//! programs from the options of their pages, which their own tests hold against them.

use clap::{Arg, ArgAction, Command, CommandFactory as _, ValueHint};
use clap_complete::{Shell, generate};

use super::{hold, read};

/// The definitions, with accounts where an account is meant.
fn mobileidctl() -> Command {
    accounts(offered(&crate::Cli::command()))
}

/// Without what is hidden, which clap's generators would offer all the same.
fn offered(command: &Command) -> Command {
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned();
    let below = command.get_subcommands().map(offered);
    // As in `option`.
    let leak = |text: &str| -> &'static str { text.to_owned().leak() };
    let offered = Command::new(leak(command.get_name()))
        .about(command.get_about().cloned().unwrap_or_default())
        .disable_help_subcommand(command.is_disable_help_subcommand_set())
        .args(shown)
        .subcommands(below);
    match command.get_version() {
        Some(version) => offered.version(leak(version)),
        None => offered,
    }
}

fn accounts(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let is_account = arg.get_id() == "user";
        if is_account { arg.value_hint(ValueHint::Username) } else { arg }
    });
    command.mut_subcommands(accounts)
}

/// The options of a page: after each `.TP` the names and the value, and then what it is for.
fn of_page(name: &'static str, page: &str) -> Command {
    let page = read(page).replace("\\-", "-");
    let (_, options) = page.split_once(".SH OPTIONS\n").unwrap();
    let (options, _) = options.split_once("\n.SH ").unwrap();
    let options = options.split(".TP\n").skip(1).flat_map(|entry| {
        let (tag, about) = entry.split_once('\n').unwrap();
        let words: Vec<String> = tag.split([' ', '"', ',']).map(str::to_owned).collect();
        let value = words.iter().skip(1).find(|word| !word.is_empty() && !word.starts_with('-')).cloned();
        let about = about.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
        let longs = words.into_iter().filter_map(|word| word.strip_prefix("--").map(str::to_owned));
        longs.map(|long| option(long, value.as_deref(), &about)).collect::<Vec<_>>()
    });
    Command::new(name).disable_help_flag(true).disable_version_flag(true).args(options)
}

fn option(long: String, value: Option<&str>, about: &str) -> Arg {
    // Here clap takes no others, and this ends with the test.
    let (long, about): (&'static str, &'static str) = (long.leak(), about.to_owned().leak());
    let arg = Arg::new(long).long(long).help(about);
    match value {
        Some("FILE") => arg.value_hint(ValueHint::FilePath),
        Some("DIR") => arg.value_hint(ValueHint::DirPath),
        Some(_) => arg.value_hint(ValueHint::Other),
        None => arg.action(ArgAction::SetTrue),
    }
}

#[test]
fn the_shells_complete_what_the_programs_take() {
    let responder = of_page("mobileid-radiusd", "packaging/man/mobileid-radiusd.8");
    let simulator = of_page("mobileid-simulator", "packaging/man/mobileid-simulator.1");
    let options = |command: &Command| command.get_arguments().count();
    assert_eq!((options(&responder), options(&simulator)), (5, 15));
    for mut command in [mobileidctl(), responder, simulator] {
        let name = command.get_name().to_owned();
        for (shell, file) in [
            (Shell::Bash, format!("{name}.bash")),
            (Shell::Zsh, format!("_{name}")),
            (Shell::Fish, format!("{name}.fish")),
        ] {
            let mut written = Vec::new();
            generate(shell, &mut command, &name, &mut written);
            hold(&format!("packaging/completions/{file}"), &String::from_utf8(written).unwrap());
        }
    }
}
