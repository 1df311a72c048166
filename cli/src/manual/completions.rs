//! What shells offer after Tab.

use clap::{Command, CommandFactory as _, ValueHint};
use clap_complete::{Generator, Shell, generate};

use super::hold;

/// The definitions, with accounts where an account is meant.
fn definitions() -> Command {
    accounts(crate::Cli::command())
}

fn accounts(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let names = arg.get_value_names().unwrap_or_default();
        let is_account = names.iter().any(|name| name == "USER" || name == "NAME") || arg.get_id() == "user";
        if is_account { arg.value_hint(ValueHint::Username) } else { arg }
    });
    command.mut_subcommands(accounts)
}

fn written(shell: impl Generator) -> String {
    let mut out = Vec::new();
    generate(shell, &mut definitions(), "mobileidctl", &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_shells_complete_what_the_tool_takes() {
    for (shell, path) in
        [(Shell::Bash, "mobileidctl.bash"), (Shell::Zsh, "_mobileidctl"), (Shell::Fish, "mobileidctl.fish")]
    {
        hold(&format!("packaging/completions/{path}"), &written(shell));
    }
}
