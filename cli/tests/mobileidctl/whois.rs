//! What `whois` says a login would use; nobody is asked but directories.

use std::{os::unix::process::CommandExt as _, time::SystemTime};

use mobileid::{driver::pins::Pins, login::Pin, memory::pin::By, subscriber::Entry};

use crate::support::{Folder, Run, binary};

/// A sound configuration with somebody else in a directory that is away.
fn folder() -> Folder {
    let folder = Folder::sound();
    folder.write(
        "users.toml",
        "[alice]\nmsisdn = \"+41791234567\"\nlanguage = \"fr\"\ngroups = [\"vpn\", \"ops\"]\n\
         [bob]\nmsisdn = \"+41791234568\"\nserial = \"MIDCHEBOB0000001\"\nprofile = \"app\"\n",
    );
    folder
}

fn with_directory(folder: &Folder, unavailable: &str) {
    let config = String::from_utf8(folder.read("mobileid.toml")).unwrap();
    let directory = format!(
        "[[directory]]\ntype = \"ldap\"\nname = \"ad\"\nservers = [\"ldap://127.0.0.1:1\"]\n\
         bind = \"anonymous\"\nbase = \"dc=acme\"\nfilter = \"(uid={{user}})\"\ntimeout = 1\n\
         unavailable = \"{unavailable}\"\n"
    );
    folder.write("mobileid.toml", config + &directory);
}

fn whois(folder: &Folder, arguments: &[&str]) -> Run {
    let state = folder.text("state");
    let run = folder.ctl("whois", &[arguments, &["--state", &state]].concat());
    let revealed = arguments.contains(&"--reveal");
    assert!(revealed || !format!("{run:?}").contains("123456"), "a whole number: {run:?}");
    run
}

fn kept(folder: &Folder, user: &str, serial: &str, by: By) {
    let entry = Entry { directory: "users".to_owned(), id: user.to_owned() };
    let pin = Pin { user: user.parse().unwrap(), entry, serial: serial.parse().unwrap() };
    let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_719_909_000);
    let _ = Pins::at(&folder.path("state")).keep(&pin, by, at);
}

#[test]
fn an_entry_is_shown_with_where_each_part_comes_from() {
    let folder = folder();
    let run = whois(&folder, &["alice"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let expected = "\
alice
  directory   users knows the user
  entry       users: alice
  number      +4179*****67
  language    FR
  method      auth-profile-1 (the configuration's)
  groups      vpn, ops
  serial      none is known
  policy      signature.serial = \"first-use\"
  a login     asks this phone, and keeps the serial number of its signature
";
    assert_eq!(run.stdout, expected);
    let json = whois(&folder, &["alice", "--json"]).json();
    let expected = serde_json::json!({
        "user": "alice",
        "asked": [{ "directory": "users", "answer": "found" }],
        "directory": "users",
        "entry": "alice",
        "msisdn": "+4179*****67",
        "language": "FR",
        "profile": "auth-profile-1",
        "defaults": ["profile"],
        "groups": ["vpn", "ops"],
        "policy": "first-use",
        "login": "asks-phone-and-keeps-serial",
    });
    assert_eq!(json, expected);
}

#[test]
fn a_serial_number_is_the_directorys_or_the_one_that_is_kept() {
    let folder = folder();
    kept(&folder, "alice", "MIDCHEALICE00001", By::Enrolment);
    // Of somebody whose entry has one, what is kept is not looked at.
    kept(&folder, "bob", "MIDCHEBOB0000002", By::Login);
    let run = whois(&folder, &["alice"]);
    let line = "\n  serial      MIDCHEALICE00001, kept here since 2024-07-02, by enrolment\n";
    assert!(run.stdout.contains(line) && run.stdout.ends_with("a login     asks this phone\n"), "{run:?}");
    let json = whois(&folder, &["alice", "--json"]).json();
    assert_eq!((&json["serial_from"], &json["serial_by"]), (&"kept".into(), &"enrolment".into()));
    let run = whois(&folder, &["bob"]);
    assert!(run.stdout.contains("\n  serial      MIDCHEBOB0000001, of the directory\n"), "{run:?}");
    assert!(run.stdout.contains("\n  method      app\n"), "{run:?}");
}

#[test]
fn what_a_login_would_do_follows_from_the_policy() {
    for (policy, kept_serial, login, code) in [
        ("first-use", false, "asks-phone-and-keeps-serial", 0),
        ("first-use", true, "asks-phone", 0),
        ("if-known", false, "asks-phone", 0),
        ("ignore", true, "asks-phone", 0),
        ("required", true, "asks-phone", 0),
        ("required", false, "serial-unknown", 1),
    ] {
        let folder = folder();
        folder.edit("[signature]\n", &format!("[signature]\nserial = \"{policy}\"\n"));
        if kept_serial {
            kept(&folder, "alice", "MIDCHEALICE00001", By::Login);
        }
        let run = whois(&folder, &["alice", "--json"]);
        let json = run.json();
        assert_eq!((run.code, json["login"].as_str()), (code, Some(login)), "{policy} {kept_serial}");
        assert_eq!(json["serial"].is_string(), kept_serial && policy != "ignore", "{json}");
    }
}

#[test]
fn each_directory_that_was_asked_says_what_it_answered() {
    let folder = folder();
    with_directory(&folder, "next");
    let run = whois(&folder, &["alice", "--json"]);
    assert_eq!(run.json()["asked"].as_array().unwrap().len(), 1, "the first one settled it: {run:?}");
    let run = whois(&folder, &["carol"]);
    assert_eq!(run.code, 1, "{run:?}");
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines[..2], ["carol", "  directory   users does not know the user"]);
    assert!(lines[2].starts_with("  directory   ad could not be asked: 127.0.0.1:1: "), "{run:?}");
    assert!(lines[4].starts_with("  a login     is denied: directory-unavailable: ad: "), "{run:?}");
}

#[test]
fn whom_nobody_knows_is_denied_or_let_in() {
    let folder = folder();
    let run = whois(&folder, &["carol", "--json"]);
    assert_eq!((run.code, run.json()["login"].as_str()), (1, Some("not-enrolled")), "{run:?}");
    folder.edit("table = ", "unenrolled = \"allow\"\ntable = ");
    let run = whois(&folder, &["carol"]);
    assert_eq!(run.code, 1, "no phone would be asked: {run:?}");
    assert!(run.stdout.contains("  a login     lets the user in without a phone"), "{run:?}");
}

#[test]
fn a_damaged_record_is_told_and_a_login_denied() {
    let folder = folder();
    kept(&folder, "alice", "MIDCHEALICE00001", By::Login);
    let kind = std::fs::read_dir(folder.path("state/pins-1")).unwrap();
    let record = kind.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_none()).unwrap();
    std::fs::write(record, "{").unwrap();
    let run = whois(&folder, &["alice"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("number      +4179*****67"), "{run:?}");
    assert!(run.stdout.contains("is denied: pin-failed: the serial number kept of alice"), "{run:?}");
}

#[test]
fn a_whole_number_is_roots_to_see() {
    let folder = folder();
    let arguments = ["whois", "alice", "--reveal", "--config", &folder.text("mobileid.toml")];
    if nix::unistd::geteuid().is_root() {
        let run = whois(&folder, &["alice", "--reveal"]);
        assert!(run.stdout.contains("  number      +41791234567\n"), "{run:?}");
        // It is refused before anything is read, so the folder of the test need not be open to them.
        let copy = std::env::temp_dir().join(format!("mobileidctl-reveal-{}", std::process::id()));
        std::fs::copy(binary().get_program(), &copy).unwrap();
        let output = std::process::Command::new(&copy).args(arguments).uid(65534).gid(65534).output();
        std::fs::remove_file(&copy).unwrap();
        refused(&Run::of(output.unwrap()));
    } else {
        refused(&Run::of(binary().args(arguments).output().unwrap()));
    }
}

fn refused(run: &Run) {
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("--reveal is for root"), "{run:?}");
}
