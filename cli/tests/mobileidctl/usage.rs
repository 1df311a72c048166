use std::{
    fs::OpenOptions,
    process::{Command, Stdio},
};

use crate::support::{Folder, binary, ctl};

#[test]
fn wrong_arguments_end_with_2_and_say_so_on_standard_error() {
    for arguments in [
        &[] as &[&str],
        &["frobnicate"],
        &["check", "--frobnicate"],
        &["check", "extra"],
        &["login"],
        &["login", ""],
        &["login", "a\nb"],
        &["whois"],
        &["whois", "a\nb"],
        &["enrol"],
        &["enrol", "a\nb"],
        &["enrol", "alice", "--msisdn", "079 123 45 67"],
        &["enrol", "alice", "--language", "de"],
        &["enrol", "alice", "--identified"],
        &["enrol", "alice", "--first-name", "Alice", "--last-name", "Muster", "--country", "CH"],
        &["heartbeat", "--config"],
        &["breakglass"],
        &["breakglass", "create"],
        &["breakglass", "revoke", "a\nb"],
        &["grace", "clear"],
        &["pushes", "clear", "alice", "--all"],
        &["serial"],
        &["serial", "show"],
        &["serial", "pin", "alice"],
        &["serial", "pin", "alice", "MID CHE"],
        &["serial", "forget", ""],
        &["serial", "forget", "a\nb"],
        &["identify"],
        &["identify", "methods", "--level", "5"],
        &["identify", "methods", "--all", "--level", "4"],
        &["identify", "start", "KLARNA"],
        &["identify", "start", "KLARNA", "Bank", "--born", "31.12.1990"],
        &["identify", "start", "KLARNA", "Bank", "--user", "alice", "--mobile", "+41791234567"],
        &["identify", "status", "ref", "--every", "1s"],
        &["identify", "status", "ref", "--wait", "--every", "0s"],
        &["identify", "verify", "--mobile", "+41791234567", "--first-name", "Alice"],
        &["setup", "--trust-sha256", "00"],
        &["setup", "--simulator", "/root/phone", "--ap-id", "mid://acme.example"],
        &["setup", "--simulator", "/root/phone", "--trust", "root.crt"],
        &["setup", "--url", "http://acme.example"],
        &["signature"],
        &["signature", "verify"],
    ] {
        let run = ctl(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {run:?}");
        assert!(!run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_argument_cannot_command_the_terminal() {
    let run = ctl(&["login", "a\u{1b}[2Jb"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("\\u{1b}") && !run.stderr.contains('\u{1b}'), "{run:?}");
}

#[test]
fn help_and_version_are_printed() {
    for arguments in [&["--help"] as &[&str], &["check", "--help"], &["breakglass", "create", "-h"]] {
        let run = ctl(arguments);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        assert!(run.stdout.contains("Usage: mobileidctl"), "{run:?}");
    }
    assert_eq!(ctl(&["--version"]).stdout, format!("mobileidctl {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_2_where_something_was_to_be_tried() {
    let folder = Folder::sound();
    folder.edit("ap_id", "ap_di");
    for (verb, arguments) in
        [("heartbeat", &[] as &[&str]), ("login", &["alice"]), ("whois", &["alice"]), ("enrol", &["alice"])]
    {
        let run = folder.ctl(verb, arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains("mobileid.toml:2: service.ap_di: unknown key"), "{run:?}");
    }
}

#[test]
fn a_reader_who_has_gone_away_is_no_failure() {
    let folder = Folder::sound();
    let config = folder.text("mobileid.toml");
    for arguments in [&["check", "--config", &config] as &[&str], &["--help"]] {
        let mut child =
            binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[test]
fn a_full_disk_is_one() {
    let folder = Folder::sound();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command: Command = binary();
    command.args(["check", "--config", &folder.text("mobileid.toml")]).stdout(full);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("standard output: No space left"));
}
