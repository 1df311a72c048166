//! Somebody is enrolled, against the simulator: from the number to the serial number and the table.

use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

use mobileid::{driver::pins::Pins, login::Pin, memory::pin::By, subscriber::Entry};
use mobileid_simulator::{Behaviour, Evidence, Jurisdiction, Methods, Subscriber};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    simulated::world,
    support::{Folder, Run, binary, ctl},
};

/// A table and serial numbers of a test's own, with the simulator's service.
struct House {
    folder: Folder,
    config: String,
}

const TABLE: &str = "# People of the house.\n[bob]\nmsisdn = \"+41790000002\"\n";

impl House {
    fn new() -> Self {
        Self::with(|config| config)
    }

    fn with(edit: impl Fn(String) -> String) -> Self {
        let folder = Folder::new();
        folder.write("users.toml", TABLE);
        let table = folder.text("users.toml");
        let config = world().config(|config| {
            assert!(config.contains("table = \"users.toml\""), "{config}");
            edit(config.replace("table = \"users.toml\"", &format!("table = \"{table}\"")))
        });
        Self { folder, config }
    }

    fn arguments(&self, arguments: &[&str]) -> Vec<String> {
        let state = self.folder.text("state");
        let fixed = ["--config", &self.config, "--state", &state];
        let (verb, rest) = arguments.split_first().unwrap();
        [*verb].iter().chain(&fixed).chain(rest).map(|word| (*word).to_owned()).collect()
    }

    fn ctl(&self, arguments: &[&str]) -> Run {
        let arguments = self.arguments(arguments);
        let run = ctl(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(!format!("{run:?}").contains("4179300"), "a whole number: {run:?}");
        run
    }

    fn enrol(&self, arguments: &[&str]) -> Run {
        self.ctl(&[&["enrol"], arguments].concat())
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let arguments = self.arguments(&[&["enrol"], arguments].concat());
        binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn table(&self) -> String {
        String::from_utf8(self.folder.read("users.toml")).unwrap()
    }

    fn kept(&self, user: &str) -> Option<mobileid::memory::pin::Pin> {
        Pins::at(&self.folder.path("state")).get(user).unwrap()
    }

    fn keep(&self, user: &str, serial: &str) {
        let entry = Entry { directory: "users".to_owned(), id: user.to_owned() };
        let pin = Pin { user: user.parse().unwrap(), entry, serial: serial.parse().unwrap() };
        let _ = Pins::at(&self.folder.path("state")).keep(&pin, By::Login, std::time::SystemTime::now());
    }
}

/// A person with a number of her own: her number and serial number.
fn somebody(last: u32, change: impl FnOnce(&mut Subscriber)) -> (String, String) {
    let mut subscriber = Subscriber::new(&format!("+4179300{last:04}")).unwrap();
    change(&mut subscriber);
    let (msisdn, serial) = (format!("+{}", subscriber.msisdn), subscriber.serial.clone());
    world().simulator.add_subscriber(subscriber);
    (msisdn, serial)
}

#[test]
fn somebody_new_is_entered_and_her_serial_number_kept() {
    let house = House::new();
    let (msisdn, serial) = somebody(1, |_| {});
    let run = house.enrol(&["alice", "--msisdn", &msisdn, "--language", "de"]);
    assert_eq!(run.code, 0, "{run:?}");
    let table = house.folder.text("users.toml");
    let expected = format!(
        "enrolled: alice\n  entry       users: alice\n  number      +4179*****01\n  serial      {serial}, kept from now on\n  \
         entered in  {table}\n  advice      have the person make a recovery code"
    );
    assert!(run.stdout.starts_with(&expected), "{run:?}");
    for part in [
        "looked up: +4179*****01",
        &format!("SIM: active, EC {serial} (active)"),
        "auto-activation: no, recovery code: no",
        "tell the person: Mobile ID: bestätigen Sie auf Ihrem Telefon",
        "text on the phone: SIM: Dieses Telefon für alice auf ",
        "waiting for the phone, ",
        "accepted: verified",
    ] {
        assert!(run.stderr.contains(part), "{part:?} is missing: {run:?}");
    }
    assert!(!run.stderr.contains('\r'), "nobody watches: {run:?}");
    assert_eq!(house.table(), format!("{TABLE}\n[alice]\nmsisdn = \"{msisdn}\"\nlanguage = \"de\"\n"));
    let pin = house.kept("alice").unwrap();
    assert_eq!((pin.serial.as_str(), pin.by), (serial.as_str(), By::Enrolment));

    let whois = house.ctl(&["whois", "alice", "--json"]);
    assert_eq!((whois.code, &whois.json()["serial_by"]), (0, &"enrolment".into()), "{whois:?}");
    let login = house.ctl(&["login", "alice", "--json"]);
    assert_eq!(login.json()["verdict"], "accepted", "{login:?}");

    // Once more: she is known, and so is her phone.
    let run = house.enrol(&["alice", "--json"]);
    let json = run.json();
    assert_eq!((run.code, json["verdict"].as_str()), (0, Some("enrolled")), "{run:?}");
    assert_eq!((&json["serial_kept"], json.get("table")), (&"before".into(), None), "{run:?}");
    assert_eq!(house.kept("alice"), Some(pin), "as it was written first");
}

#[test]
fn json_is_one_line_with_all_that_was_found() {
    let house = House::new();
    let (msisdn, serial) = somebody(2, |subscriber| subscriber.methods = Methods::Both);
    let run = house.enrol(&["o'neill.m", "--msisdn", &msisdn, "--json"]);
    let mut json = run.json();
    assert!(json["ap_trans_id"].take().as_str().unwrap().starts_with("mid-"), "{run:?}");
    let device = |method: &str| {
        serde_json::json!({
            "method": method, "state": "active", "pin_blocked": false, "algorithms": ["EC"], "serials": [serial],
        })
    };
    let expected = serde_json::json!({
        "verdict": "enrolled",
        "user": "o'neill.m",
        "directory": "users",
        "entry": "o'neill.m",
        "msisdn": "+4179*****02",
        "account": {
            "devices": [device("sim"), device("app")], "auto_activation": false, "recovery_code": false,
        },
        "ap_trans_id": null,
        "serial": serial,
        "serial_kept": "now",
        "table": house.folder.text("users.toml"),
    });
    assert_eq!(json, expected);
    assert!(
        house.table().ends_with(&format!("\n[\"o'neill.m\"]\nmsisdn = \"{msisdn}\"\n")),
        "{}",
        house.table()
    );
}

#[test]
fn whom_nobody_could_ask_is_not_asked() {
    let house = House::new();
    let (app, _) = somebody(3, |subscriber| subscriber.methods = Methods::App);
    house.folder.write("users.toml", format!("{TABLE}[erin]\nmsisdn = \"{app}\"\nprofile = \"sim\"\n"));
    let before = house.table();
    for (arguments, reason, says) in [
        (&["alice", "--msisdn", "+41793009999"][..], "unknown-client", "the number has no Mobile ID"),
        (&["alice", "--msisdn", "+41000092402"], "pin-nr-blocked", "PIN of Mobile ID is blocked"),
        (&["alice", "--msisdn", "+41000092403"], "card-blocked", "Swisscom has suspended"),
        (&["alice", "--msisdn", "+41000092404"], "not-active", "activates it on mobileid.ch"),
        (&["erin"], "other-method", "only the App"),
        (&["alice"], "not-enrolled", "give --msisdn"),
        (
            &["bob", "--msisdn", "+41793000004"],
            "other-number",
            "users has the number +4179*****02, not the one given",
        ),
    ] {
        let run = house.enrol(&[arguments, &["--json"]].concat());
        assert_eq!(run.code, 1, "{run:?}");
        let json = run.json();
        assert_eq!((&json["verdict"], &json["reason"]), (&"refused".into(), &reason.into()), "{run:?}");
        assert!(json["detail"].as_str().unwrap().contains(says), "{run:?}");
        assert!(!run.stderr.contains("text on the phone"), "{run:?}");
        let words = house.enrol(arguments);
        let user = arguments[0];
        assert!(words.stdout.starts_with(&format!("not enrolled: {user}: ")), "{words:?}");
        // An entry is named that was there before, and none that was not written.
        let was_there = ["erin", "bob"].contains(&user) && !arguments.contains(&"+41793000004");
        assert_eq!(words.stdout.contains("\n  entry "), was_there, "{words:?}");
        assert_eq!(json["entry"].is_string(), was_there, "{run:?}");
    }
    assert_eq!(world().simulator.pushes(&app), 0);
    assert_eq!(house.table(), before);
    assert_eq!(house.kept("alice"), None);
}

#[test]
fn a_number_that_somebody_else_has_in_the_table_is_a_warning() {
    let house = House::new();
    let (msisdn, _) = somebody(6, |_| {});
    house.folder.write("users.toml", format!("{TABLE}[erika]\nmsisdn = \"{msisdn}\"\n"));
    let run = house.enrol(&["alice", "--msisdn", &msisdn]);
    assert_eq!(run.code, 0, "{run:?}");
    let shared = "warning: users has the number +4179*****06 for erika too";
    assert!(run.stderr.contains(shared) && run.stdout.contains("\n  entry "), "{run:?}");
    assert_eq!(run.stderr.matches("warning: users").count(), 1, "{run:?}");
}

#[test]
fn a_name_that_is_no_account_here_is_a_note() {
    let house = House::new();
    let us = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name;
    for (name, last, is_noted) in [("nobody.of.this.host", 7, true), (us.as_str(), 8, false)] {
        let (msisdn, _) = somebody(last, |_| {});
        let run = house.enrol(&[name, "--msisdn", &msisdn]);
        assert_eq!(run.code, 0, "{run:?}");
        let note = format!("note: {name} is no account of this host: for RADIUS only?");
        assert_eq!(run.stderr.contains(&note), is_noted, "{run:?}");
    }
}

#[test]
fn who_does_not_confirm_is_not_enrolled() {
    for (last, behaviour, reason, says) in [
        (10, Behaviour::Cancel, "user-cancel", "declined on the phone"),
        (11, Behaviour::Timeout, "expired-transaction", "nobody answered on the phone in time"),
        (12, Behaviour::UntrustedChain, "untrusted-chain", "untrusted-chain"),
        (13, Behaviour::WrongText, "wrong-content", "wrong-content"),
        (14, Behaviour::Http503, "http-status", "http-status (503)"),
    ] {
        let house = House::with(|config| format!("{config}\n[timeouts]\nsim = 2\nsim_connection = 12\n"));
        let (msisdn, _) = somebody(last, |subscriber| subscriber.behaviour = behaviour);
        let run = house.enrol(&["alice", "--msisdn", &msisdn, "--json"]);
        assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some(reason)), "{run:?}");
        assert!(run.json()["detail"].as_str().unwrap().contains(says), "{run:?}");
        assert_eq!((house.table().as_str(), house.kept("alice")), (TABLE, None), "{run:?}");
    }
}

#[test]
fn another_phone_than_the_known_one_is_refused_until_it_is_forgotten() {
    let house = House::new();
    let (msisdn, serial) = somebody(20, |_| {});
    house.folder.write("users.toml", format!("{TABLE}[alice]\nmsisdn = \"{msisdn}\"\n"));
    house.keep("alice", "MIDCHE0000000000");
    let run = house.enrol(&["alice", "--json"]);
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("serial-mismatch")), "{run:?}");
    assert!(
        run.json()["detail"].as_str().unwrap().contains("run mobileidctl serial forget alice"),
        "{run:?}"
    );
    assert_eq!(world().simulator.pushes(&msisdn), 0, "the profile says so before a phone rings");

    // The profile says one thing, and the signature another.
    let (other, _) = somebody(21, |subscriber| subscriber.behaviour = Behaviour::OtherSerial);
    house.folder.write("users.toml", format!("{TABLE}[alice]\nmsisdn = \"{other}\"\n"));
    Pins::at(&house.folder.path("state")).forget("alice").unwrap();
    let theirs = Subscriber::new(&other).unwrap().serial;
    house.keep("alice", &theirs);
    let run = house.enrol(&["alice"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stdout.contains("another Mobile ID signed") && run.stdout.contains("serial forget alice"),
        "{run:?}"
    );
    assert_eq!(house.kept("alice").unwrap().serial.as_str(), theirs);

    Pins::at(&house.folder.path("state")).forget("alice").unwrap();
    house.folder.write("users.toml", format!("{TABLE}[alice]\nmsisdn = \"{msisdn}\"\n"));
    let run = house.enrol(&["alice"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(house.kept("alice").unwrap().serial.as_str(), serial);
}

#[test]
fn a_serial_number_that_is_kept_while_the_phone_rings_is_not_written_over() {
    let house = House::new();
    let (msisdn, _) = somebody(22, |subscriber| subscriber.behaviour = Behaviour::Interactive);
    let child = house.start(&["alice", "--msisdn", &msisdn, "--json"]);
    let pending = world().simulator.wait_for_pending(&msisdn, Duration::from_secs(20)).unwrap();
    house.keep("alice", "MIDCHE0000000000");
    assert!(world().simulator.approve(&pending.id));
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("serial-mismatch")), "{run:?}");
    assert_eq!(house.table(), TABLE, "the serial number comes before the entry");
}

#[test]
fn a_number_that_is_entered_while_the_phone_rings_is_not_written_over() {
    let house = House::new();
    let (msisdn, _) = somebody(23, |subscriber| subscriber.behaviour = Behaviour::Interactive);
    let child = house.start(&["alice", "--msisdn", &msisdn, "--json"]);
    let pending = world().simulator.wait_for_pending(&msisdn, Duration::from_secs(20)).unwrap();
    let meanwhile = format!("{TABLE}[alice]\nmsisdn = \"+41790000009\"\n");
    house.folder.write("users.toml", &meanwhile);
    assert!(world().simulator.approve(&pending.id));
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("other-number")), "{run:?}");
    assert_eq!(house.table(), meanwhile);
    assert_eq!(house.kept("alice"), None, "the serial number was not that of whoever is alice now");
}

#[test]
fn a_table_that_is_spoilt_while_the_phone_rings_leaves_a_serial_number_and_says_so() {
    let house = House::new();
    let (msisdn, serial) = somebody(24, |subscriber| subscriber.behaviour = Behaviour::Interactive);
    let child = house.start(&["alice", "--msisdn", &msisdn]);
    let pending = world().simulator.wait_for_pending(&msisdn, Duration::from_secs(20)).unwrap();
    house.folder.write("users.toml", "[alice");
    assert!(world().simulator.approve(&pending.id));
    let run = Run::of(child.wait_with_output().unwrap());
    let says = format!("nobody was entered, and the serial number {serial} is kept of alice: mend that");
    assert!(run.code == 2 && run.stderr.contains(&says), "{run:?}");
    assert_eq!(house.table(), "[alice");
    assert_eq!(house.kept("alice").unwrap().serial.as_str(), serial);

    house.folder.write("users.toml", TABLE);
    let child = house.start(&["alice", "--msisdn", &msisdn]);
    let pending = world().simulator.wait_for_pending(&msisdn, Duration::from_secs(20)).unwrap();
    assert!(world().simulator.approve(&pending.id));
    assert_eq!(Run::of(child.wait_with_output().unwrap()).code, 0);
}

#[test]
fn a_serial_number_that_the_service_has_not_listed_is_pointed_out() {
    let house = House::new();
    let (msisdn, listed) = somebody(25, |subscriber| subscriber.behaviour = Behaviour::OtherSerial);
    let run = house.enrol(&["alice", "--msisdn", &msisdn]);
    let kept = house.kept("alice").unwrap().serial.to_string();
    assert_ne!(kept, listed);
    let warning =
        format!("warning: the serial number {kept} is none that the service has listed for this number");
    assert!(run.code == 0 && run.stderr.contains(&warning), "{run:?}");
    // Who signs as listed is not suspected.
    let (msisdn, _) = somebody(26, |_| {});
    let run = house.enrol(&["carol", "--msisdn", &msisdn]);
    assert!(run.code == 0 && !run.stderr.contains("has listed"), "{run:?}");
}

#[test]
fn two_enrolments_at_once_are_both_entered() {
    let house = House::new();
    let people: Vec<_> = (30..34).map(|last| (format!("u{last}"), somebody(last, |_| {}).0)).collect();
    let children: Vec<_> =
        people.iter().map(|(user, msisdn)| house.start(&[user, "--msisdn", msisdn])).collect();
    for child in children {
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.code, 0, "{run:?}");
    }
    let table = house.table();
    assert!(table.starts_with(TABLE), "{table}");
    for (user, msisdn) in people {
        assert!(table.contains(&format!("\n[{user}]\nmsisdn = \"{msisdn}\"\n")), "{table}");
    }
}

#[test]
fn a_table_that_cannot_be_written_is_seen_before_a_phone_rings() {
    let (msisdn, _) = somebody(40, |_| {});
    let refused = |house: &House, says: &str| {
        let run = house.enrol(&["alice", "--msisdn", &msisdn]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    };
    let house = House::new();
    house.folder.mode("users.toml", 0o660);
    refused(&house, "may be changed by others: chmod go-w it");
    house.folder.mode("users.toml", 0o600);
    fs::create_dir(house.folder.path("users.toml.new")).unwrap();
    refused(&house, "users.toml.new cannot be removed");
    let house = House::new();
    fs::rename(house.folder.path("users.toml"), house.folder.path("real.toml")).unwrap();
    std::os::unix::fs::symlink(house.folder.path("real.toml"), house.folder.path("users.toml")).unwrap();
    refused(&house, "users.toml is a link: name the file itself in users.table");
    assert_eq!(house.table(), TABLE);
    let house = House::with(|config| {
        let line = config.lines().find(|line| line.starts_with("table = ")).unwrap();
        let other = format!("[[directory]]\ntype = \"file\"\nname = \"guests\"\n{line}\n");
        format!("{}\n{other}", config.replace(&format!("{line}\n"), ""))
    });
    refused(&house, "there is no users.table to enter anybody in");
    assert_eq!(world().simulator.pushes(&msisdn), 0);
}

#[test]
fn policies_decide_whether_the_serial_number_is_kept() {
    for (last, policy, kept) in [(50, "ignore", false), (51, "if-known", true), (52, "required", true)] {
        let house = House::with(|config| {
            config.replace("[signature]\n", &format!("[signature]\nserial = \"{policy}\"\n"))
        });
        let (msisdn, serial) = somebody(last, |_| {});
        let run = house.enrol(&["alice", "--msisdn", &msisdn, "--json"]);
        assert_eq!(run.code, 0, "{policy}: {run:?}");
        assert_eq!(run.json()["serial_kept"], if kept { "now" } else { "ignored" }, "{policy}");
        assert_eq!(house.kept("alice").map(|pin| pin.serial.to_string()), kept.then_some(serial), "{policy}");
        let login = house.ctl(&["login", "alice", "--json"]);
        assert_eq!(login.json()["verdict"], "accepted", "{policy}: {login:?}");
    }
}

#[test]
fn a_store_that_cannot_be_read_ends_it_before_a_phone_rings() {
    let house = House::new();
    let (msisdn, _) = somebody(60, |_| {});
    house.folder.write("state", "no folder");
    let run = house.enrol(&["alice", "--msisdn", &msisdn]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert_eq!(world().simulator.pushes(&msisdn), 0, "{run:?}");
}

#[test]
fn identified_wants_somebody_who_vouches_for_the_number() {
    let house = House::new();
    let vouched = |last: u32, level: u8| {
        let (msisdn, _) = somebody(last, |_| {});
        world().simulator.add_evidence(Evidence {
            id: format!("RAS-{last}"),
            msisdn: msisdn[1..].to_owned(),
            name: ("Eva".to_owned(), "Muster".to_owned()),
            jurisdiction: Jurisdiction::Zertes,
            level,
            terms_accepted: true,
        });
        msisdn
    };
    let identified = |user: &str, msisdn: &str, first: &str| {
        let name = ["--first-name", first, "--last-name", "Muster", "--country", "CH"];
        house.enrol(&[&[user, "--msisdn", msisdn, "--identified", "--json"], &name[..]].concat())
    };
    let (eva, low, unknown) = (vouched(61, 4), vouched(62, 3), somebody(63, |_| {}).0);
    for (user, msisdn, first) in [("low", &low, "Eva"), ("other", &eva, "Erna"), ("unknown", &unknown, "Eva")]
    {
        let run = identified(user, msisdn, first);
        assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("no-evidence")), "{run:?}");
        assert_eq!((world().simulator.pushes(msisdn), house.table().as_str()), (0, TABLE), "{run:?}");
    }
    let run = identified("eva", &eva, "Eva");
    assert_eq!((run.code, run.json()["evidence_id"].as_str()), (0, Some("RAS-61")), "{run:?}");
    assert!(run.stderr.contains("identified: evidence RAS-61"), "{run:?}");
    for arguments in [
        &["eve", "--msisdn", "+41793000061", "--identified"][..],
        &["eve", "--msisdn", "+41793000061", "--identified", "--first-name", "Eve"],
        &["eve", "--msisdn", "+41793000061", "--first-name", "E", "--last-name", "M", "--country", "CH"],
        &["eve", "--language", "de"],
        &["eve", "--msisdn", "079 300 00 61"],
    ] {
        let run = house.enrol(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{arguments:?}: {run:?}");
    }
}

#[test]
fn a_signal_gives_it_up_and_nobody_is_enrolled() {
    let house = House::new();
    let (msisdn, _) = somebody(70, |subscriber| subscriber.behaviour = Behaviour::Interactive);
    let child = house.start(&["alice", "--msisdn", &msisdn, "--json"]);
    world().simulator.wait_for_pending(&msisdn, Duration::from_secs(20)).unwrap();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.json()["reason"].as_str()), (1, Some("cancelled")), "{run:?}");
    assert_eq!((house.table().as_str(), house.kept("alice")), (TABLE, None));
}
