//! What one login leaves for the next, as the administrator sees and changes it.

use std::{fs, time::Duration};

use mobileid::{
    driver::{
        breakglass::{Refused, Stores, redeem},
        moment::moment,
        store::Store,
    },
    memory::{
        grace::{self, Grace, Key},
        pushes::{self, Pushes},
    },
    secret::Secret,
    subscriber::Subscriber,
};

use crate::support::{Folder, Run, ctl};

/// Stores of a test's own, and the verbs on them.
struct House {
    folder: Folder,
    state: Store,
    runtime: Store,
}

impl House {
    fn new() -> Self {
        let folder = Folder::new();
        let state = Store::open(&folder.path("state")).unwrap();
        let runtime = Store::open_until_boot(&folder.path("runtime")).unwrap();
        Self { folder, state, runtime }
    }

    /// Runs a verb that works on both folders, or on the one that is named.
    fn ctl(&self, words: &str, folders: &[&str]) -> Run {
        let paths: Vec<_> =
            folders.iter().map(|name| (format!("--{name}"), self.folder.text(name))).collect();
        let mut arguments: Vec<&str> = words.split(' ').collect();
        arguments.extend(paths.iter().flat_map(|(option, path)| [option.as_str(), path.as_str()]));
        ctl(&arguments)
    }

    fn breakglass(&self, words: &str) -> Run {
        let both = &["state", "runtime"][..if words.starts_with("list") { 1 } else { 2 }];
        self.ctl(&format!("breakglass {words}"), both)
    }

    fn redeem(&self, user: &str, typed: &str) -> Result<usize, Refused> {
        let stores = Stores { state: &self.state, runtime: &self.runtime };
        let typed = Secret::new(typed.to_owned());
        redeem(stores, &user.parse().unwrap(), &typed, &moment().unwrap(), || false)
            .map(|redeemed| redeemed.left)
    }
}

#[test]
fn codes_are_shown_once_and_work() {
    let house = House::new();
    let run = house.breakglass("create root --count 3");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("Codes for root: 3, shown this once."), "{run:?}");
    let codes: Vec<_> = run.stdout.lines().collect();
    assert_eq!(codes.len(), 3, "{run:?}");
    assert_eq!(house.redeem("root", codes[1]), Ok(2));

    let run = house.breakglass("list");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with("root ") && run.stdout.contains(" 2 left, made 20"), "{run:?}");
    assert!(!codes.iter().any(|code| run.stdout.contains(code)), "{run:?}");
    let json = house.breakglass("list --json").json();
    assert_eq!(
        (json["breakglass"][0]["user"].as_str(), json["breakglass"][0]["left"].as_u64()),
        (Some("root"), Some(2))
    );
    assert_eq!(json["breakglass"].as_array().unwrap().len(), 1);
}

#[test]
fn codes_that_are_left_are_replaced_only_when_told_to() {
    let house = House::new();
    let first = house.breakglass("create root");
    assert_eq!(first.stdout.lines().count(), 10, "{first:?}");
    let again = house.breakglass("create root");
    assert_eq!((again.code, again.stdout.as_str()), (1, ""), "{again:?}");
    assert!(again.stderr.contains("root has codes left (10); --replace"), "{again:?}");
    let again = house.breakglass("create root --json");
    assert_eq!((again.code, again.json()["left"].as_u64()), (1, Some(10)), "{again:?}");

    let replaced = house.breakglass("create root --count 1 --replace");
    assert!(replaced.stderr.contains("no good any more: 10."), "{replaced:?}");
    assert_eq!(house.redeem("root", first.stdout.lines().next().unwrap()), Err(Refused::WrongCode));
    assert_eq!(house.redeem("root", replaced.stdout.trim()), Ok(0));
    // None are left: nothing is lost.
    let json = house.breakglass("create root --count 2 --json").json();
    assert_eq!((json["user"].as_str(), json["replaced"].as_u64()), (Some("root"), Some(0)));
    assert_eq!(house.redeem("root", json["codes"][0].as_str().unwrap()), Ok(1));
}

#[test]
fn codes_are_taken_back() {
    let house = House::new();
    let codes = house.breakglass("create root").stdout;
    let run = house.breakglass("revoke root");
    assert_eq!((run.code, run.stdout.as_str()), (0, "root: codes taken back: 10\n"), "{run:?}");
    assert_eq!(house.redeem("root", codes.lines().next().unwrap()), Err(Refused::NoCodes));
    let run = house.breakglass("revoke root");
    assert_eq!((run.code, run.stderr.as_str()), (1, "root has no break-glass codes\n"), "{run:?}");
    let run = house.breakglass("revoke root --json");
    assert_eq!((run.code, run.json()["count"].as_u64()), (1, Some(0)), "{run:?}");
    house.breakglass("create root --count 3");
    let json = house.breakglass("revoke root --json").json();
    assert_eq!((json["user"].as_str(), json["count"].as_u64()), (Some("root"), Some(3)));
}

#[test]
fn codes_are_for_accounts() {
    let house = House::new();
    let run = house.breakglass("create no-such-account-here");
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("no account of this host; --force"), "{run:?}");
    let run = house.breakglass("create no-such-account-here --count 1 --force");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 1), "{run:?}");
    for number in ["0", "51", "-1", "ten"] {
        let run = house.breakglass(&format!("create root --count={number}"));
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{number}: {run:?}");
        assert!(run.stderr.contains("a number from 1 to 50"), "{number}: {run:?}");
    }
}

#[test]
fn a_folder_that_others_can_reach_is_refused_by_name() {
    let house = House::new();
    house.folder.mode("state", 0o755);
    for words in ["create root", "revoke root", "list"] {
        let run = house.breakglass(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(&house.folder.text("state")), "{run:?}");
    }
}

#[test]
fn a_damaged_record_is_told_and_can_be_replaced() {
    let house = House::new();
    house.breakglass("create root");
    let records = fs::read_dir(house.folder.path("state/breakglass")).unwrap();
    for record in records.map(|file| file.unwrap().path()).filter(|path| path.extension().is_none()) {
        fs::write(record, "no JSON").unwrap();
    }
    let run = house.breakglass("list");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.contains("damaged, or of another version: 1"), "{run:?}");
    let run = house.breakglass("create root");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("--replace root"), "{run:?}");
    assert_eq!(house.breakglass("create root --replace").code, 0);
    assert_eq!(house.breakglass("list").code, 0);
}

/// A confirmation of each of these, half an hour ago.
fn confirmed(house: &House, users: &[&str]) {
    let mut then = moment().unwrap();
    then.up = then.up.saturating_sub(Duration::from_secs(1801));
    let phone = Subscriber {
        msisdn: "+41791234567".parse().unwrap(),
        language: None,
        serial: None,
        profile: None,
        groups: Vec::new(),
        entry: mobileid::subscriber::Entry::default(),
    };
    let key = Key::of("publickey ssh-ed25519 AAAA", &phone).unwrap();
    for user in users {
        let address = "192.0.2.7".parse().unwrap();
        let grace = Grace { user: (*user).to_owned(), address, key, confirmed: then.clone() };
        let place = grace::place(user, address, &key);
        let mut record = house.runtime.try_lock(grace::KIND, &place).unwrap().unwrap();
        record.write(&grace.encode()).unwrap();
    }
}

#[test]
fn confirmations_are_listed_and_ended() {
    let house = House::new();
    let run = |words: &str| house.ctl(&format!("grace {words}"), &["runtime"]);
    assert_eq!((run("list").code, run("list").stderr.as_str()), (0, "no confirmation stands\n"));
    confirmed(&house, &["bob", "alice", "carol"]);
    let json = run("list --json").json();
    assert_eq!(json["grace"][0]["user"], "alice");
    assert_eq!(json["grace"][0]["address"], "192.0.2.7");
    let list = run("list");
    assert_eq!((list.code, list.stdout.lines().count()), (0, 3), "{list:?}");
    assert!(list.stdout.starts_with("alice ") && list.stdout.contains(" from 192.0.2.7 "), "{list:?}");

    let cleared = run("clear bob");
    assert_eq!(
        (cleared.code, cleared.stdout.as_str()),
        (0, "bob: confirmations cleared: 1\n"),
        "{cleared:?}"
    );
    assert_eq!(run("clear bob").code, 1);
    assert_eq!(run("clear").code, 2);
    assert_eq!(run("clear alice --all").code, 2);
    assert_eq!(run("clear --all").stdout, "everybody: confirmations cleared: 2\n");
    let json = run("clear --all --json").json();
    assert_eq!(json, serde_json::json!({ "cleared": 0, "in_use": 0 }));
    assert_eq!(run("clear bob --json").json()["user"], "bob");
    assert_eq!(run("list --json").json()["grace"].as_array().unwrap().len(), 0);
}

#[test]
fn pushes_in_vain_are_listed_and_forgotten() {
    let house = House::new();
    let run = |words: &str| house.ctl(&format!("pushes {words}"), &["runtime"]);
    for user in ["bob", "alice"] {
        let mut pushes = Pushes::none(user);
        pushes.sent(&moment().unwrap());
        pushes.sent(&moment().unwrap());
        let mut record = house.runtime.try_lock(pushes::KIND, user).unwrap().unwrap();
        record.write(&pushes.encode()).unwrap();
    }
    let json = run("list --json").json();
    assert_eq!(json["pushes"][0]["user"], "alice");
    assert_eq!(json["pushes"][1]["within_10_minutes"], 2);
    assert!(run("list").stdout.contains(" 2 in 10 minutes, 2 in 1 hour, 2 in 24 hours\n"));
    // Whom a login holds just now stays, and the administrator hears of it.
    let held = house.runtime.try_lock(pushes::KIND, "bob").unwrap().unwrap();
    let busy = run("clear --all");
    assert_eq!(
        (busy.code, busy.stdout.as_str()),
        (1, "everybody: counts of pushes cleared: 1\n"),
        "{busy:?}"
    );
    assert!(busy.stderr.contains("in use by a login and still there: try again"), "{busy:?}");
    drop(held);
    assert_eq!(run("clear bob").stdout, "bob: counts of pushes cleared: 1\n");
    assert_eq!(run("list").stderr, "no phone was asked in vain\n");
}
