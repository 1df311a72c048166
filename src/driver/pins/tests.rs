//! Serial numbers: which one counts, who writes it first, and what a killed writer leaves.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
};

use super::*;
use crate::{
    config::{FileConfig, KindFile},
    directory::{Directory, Kind, WhenUnavailable},
    driver::processes::{self, Part, TempFolder},
    subscriber::Subscriber,
};

const ALICE: &str = "uid=alice,ou=people";
const OLD: &str = "MIDCHE0000000001";
const NEW: &str = "MIDCHE0000000002";

struct House {
    folder: TempFolder,
    pins: Pins,
}

impl House {
    fn new(name: &str) -> Self {
        let folder = TempFolder::new(&format!("pins-{name}"));
        let pins = Pins::at(&folder.path("state"));
        Self { folder, pins }
    }

    /// With [`OLD`] kept of alice.
    fn with_old(name: &str) -> Self {
        let house = Self::new(name);
        assert_eq!(house.kept(OLD), Pinned::Kept);
        house
    }

    fn kept(&self, serial: &str) -> Pinned {
        self.pins.keep(&first(ALICE, serial), By::Login, at(1000))
    }

    /// The one record.
    fn record(&self) -> PathBuf {
        let files = fs::read_dir(self.folder.path("state").join(KIND)).unwrap();
        let mut records = files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_none());
        let record = records.next().unwrap();
        assert_eq!(records.next(), None);
        record
    }

    fn spoil(&self, content: &str) {
        fs::write(self.record(), content).unwrap();
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn serial(text: &str) -> SerialNumber {
    text.parse().unwrap()
}

fn entry(id: &str) -> Entry {
    Entry { directory: "corp".to_owned(), id: id.to_owned() }
}

/// A first signature.
fn first(id: &str, text: &str) -> login::Pin {
    login::Pin { user: "alice".parse().unwrap(), entry: entry(id), serial: serial(text) }
}

/// What is kept of alice where it was written at that second.
fn pin(text: &str, at: u64, by: By) -> Pin {
    Pin { entry: ALICE.to_owned(), user: "alice".to_owned(), serial: serial(text), at, by }
}

/// One LDAP directory, "corp", which keeps serial numbers itself or does not.
fn corp(write_serial: bool) -> Directories {
    let text = format!(
        "[service]\nap_id='a'\ndtbd_prefix='A: '\nclient_cert='c'\nclient_key='k'\n[signature]\ntrust='t'\n\
         [[directory]]\ntype='ldap'\nname='corp'\nservers='ldap://127.0.0.1'\nbind='anonymous'\nbase='dc=x'\n\
         filter='(uid={{user}})'\nwrite_serial={write_serial}\nattributes.serial='employeeNumber'\n"
    );
    let file = FileConfig::parse("m.toml", &text).unwrap();
    let KindFile::Ldap(ldap) = &file.directories[0].kind else { panic!("no LDAP") };
    Directories::new(vec![Directory {
        name: "corp".to_owned(),
        unavailable: WhenUnavailable::Deny,
        kind: Kind::Ldap(Box::new(ldap.ldap.clone())),
    }])
}

fn found(said: Option<&str>) -> Lookup {
    Lookup::Found(Subscriber {
        msisdn: "+41791234567".parse().unwrap(),
        language: None,
        serial: said.map(serial),
        profile: None,
        groups: Vec::new(),
        entry: entry(ALICE),
    })
}

/// The serial number that a login is held against.
fn known(house: &House, said: Option<&str>, writes: bool, policy: SerialPolicy) -> Option<String> {
    match house.pins.complete(found(said), &corp(writes), policy) {
        Ok(Lookup::Found(subscriber)) => subscriber.serial.map(|serial| serial.to_string()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_directory_says_counts_then_what_is_kept_here() {
    use SerialPolicy::{FirstUse, IfKnown, Ignore, Required};
    let (kept, none) = (House::with_old("known"), House::new("unknown"));
    for policy in [IfKnown, FirstUse, Required] {
        for (house, said, writes, expected) in [
            (&kept, None, false, Some(OLD)),
            (&kept, Some(NEW), false, Some(NEW)),
            // A directory that keeps them itself knows none where it says none, whatever lies here.
            (&kept, None, true, None),
            (&kept, Some(NEW), true, Some(NEW)),
            (&none, None, false, None),
            (&none, Some(NEW), false, Some(NEW)),
        ] {
            assert_eq!(
                known(house, said, writes, policy).as_deref(),
                expected,
                "{policy:?} {said:?} {writes}"
            );
        }
    }
    // Who looks at none opens nothing: the folder is not even made.
    let untouched = House::new("ignored");
    assert_eq!(known(&untouched, None, false, Ignore), None);
    assert!(!untouched.folder.path("state").exists());
}

#[test]
fn whoever_is_not_found_has_no_serial_number() {
    let house = House::with_old("not-found");
    for lookup in
        [Lookup::NotEnrolled, Lookup::Barred("disabled".to_owned()), Lookup::Unavailable("away".to_owned())]
    {
        assert_eq!(house.pins.complete(lookup.clone(), &corp(false), SerialPolicy::FirstUse), Ok(lookup));
    }
}

#[test]
fn nobody_is_asked_for_what_cannot_be_held_against_anything() {
    let away = |house: &House| match house.pins.complete(found(None), &corp(false), SerialPolicy::IfKnown) {
        Err(Withheld { reason: Reason::PinFailed, detail }) => detail,
        other => panic!("{other:?}"),
    };
    let house = House::with_old("damaged");
    let whole = fs::read_to_string(house.record()).unwrap();
    let says =
        format!("the serial number kept of {ALICE} cannot be read: mobileidctl serial forget '{ALICE}'");
    for damaged in [
        "",
        "null",
        &whole[..whole.len() - 1],
        &whole.replace("\"at\"", "\"since\""),
        &whole.replace(OLD, ""),
        &whole.replace(OLD, "MID CHE"),
        // What was kept of somebody else does not become hers by lying under her name.
        &whole.replace("alice,ou", "bob,ou"),
    ] {
        house.spoil(damaged);
        assert_eq!(away(&house), says, "{damaged}");
        // Nor is it a reason to begin anew.
        assert_eq!(house.kept(NEW), Pinned::Unavailable(says.clone()), "{damaged}");
    }
    house.spoil(&"x".repeat(5000));
    assert!(away(&house).ends_with("is larger than 4096 octets: remove it"));
    // What the directory says needs no record.
    assert_eq!(known(&house, Some(NEW), false, SerialPolicy::IfKnown).as_deref(), Some(NEW));
}

#[test]
fn what_is_to_be_typed_works_as_it_is_shown() {
    let house = House::new("typed");
    for (id, typed) in [
        ("uid=alice,ou=new people", "'uid=alice,ou=new people'"),
        ("cn=x'; reboot; ',ou=people", "USER, with the user's name"),
        (r"cn=muster\, erika,ou=people", "USER, with the user's name"),
        ("41791234567", "USER, with the user's name"),
    ] {
        assert_eq!(house.pins.keep(&first(id, OLD), By::Login, at(1000)), Pinned::Kept);
        house.spoil("");
        let says = house.pins.get(id).unwrap_err();
        assert!(says.ends_with(&format!("mobileidctl serial forget {typed}")), "{says}");
        assert!(!says.contains("1234567"), "{says}");
        assert!(matches!(house.pins.forget(id), Ok(Before::Damaged(_))), "{id}");
    }
}

#[test]
fn a_folder_that_others_reach_keeps_nothing() {
    let spoilt_by: [(_, fn(&House), _); 3] = [
        ("open", |house| mode(house, 0o755), "/state may be read by others: chmod go-rwx it"),
        ("writable", |house| mode(house, 0o770), "/state may be read by others: chmod go-rwx it"),
        ("foreign", foreign, "/state belongs to another user: chown root it"),
    ];
    for (name, spoil, says) in spoilt_by {
        if name == "foreign" && !nix::unistd::geteuid().is_root() {
            continue; // Only root can give a folder away.
        }
        let house = House::with_old(name);
        spoil(&house);
        let told = [
            house.pins.check().unwrap_err(),
            house.pins.get(ALICE).unwrap_err(),
            house.pins.each().unwrap_err(),
            house.pins.forget(ALICE).unwrap_err(),
            match house.kept(NEW) {
                Pinned::Unavailable(why) => why,
                other => panic!("{name}: {other:?}"),
            },
            match house.pins.complete(found(None), &corp(false), SerialPolicy::FirstUse) {
                Err(Withheld { reason: Reason::PinFailed, detail }) => detail,
                other => panic!("{name}: {other:?}"),
            },
        ];
        for why in told {
            assert!(why.ends_with(says), "{name}: {why}");
        }
    }
}

fn mode(house: &House, mode: u32) {
    fs::set_permissions(house.folder.path("state"), fs::Permissions::from_mode(mode)).unwrap();
}

fn foreign(house: &House) {
    chown(house.folder.path("state"), Some(65_534), None).unwrap();
}

#[test]
fn a_folder_is_looked_at_before_anybody_logs_in() {
    let house = House::new("check");
    let missing = house.pins.check().unwrap_err();
    assert!(missing.contains("/state is not there: make it, with mode 0700"), "{missing}");
    assert_eq!(house.kept(OLD), Pinned::Kept);
    assert_eq!(house.pins.check(), Ok(()));
}

#[test]
fn the_first_serial_number_stays() {
    let house = House::with_old("first");
    assert_eq!(house.kept(OLD), Pinned::Same);
    assert_eq!(house.kept(&OLD.to_lowercase()), Pinned::Same);
    assert_eq!(house.kept(NEW), Pinned::Other(serial(OLD)));
    assert_eq!(house.pins.get(ALICE), Ok(Some(pin(OLD, 1000, By::Login))));
    // Everybody has one of their own.
    assert_eq!(house.pins.keep(&first("uid=bob", NEW), By::Enrolment, at(2000)), Pinned::Kept);
    assert_eq!(house.pins.get(ALICE).unwrap().unwrap().serial, serial(OLD));
    let listing = house.pins.each().unwrap();
    let mut kept: Vec<_> = listing.records.iter().map(|octets| Pin::decode(octets).unwrap().by).collect();
    kept.sort_by_key(|by| by.name());
    assert_eq!((kept, listing.unreadable), (vec![By::Enrolment, By::Login], Vec::new()));
}

#[test]
fn an_administrator_has_the_last_word() {
    let house = House::with_old("administrator");
    let alice = "Alice".parse().unwrap();
    let set = |text: &str| house.pins.set(&alice, &entry(ALICE), &serial(text), at(2000));
    assert_eq!(set(NEW), Ok(Before::Kept(pin(OLD, 1000, By::Login))));
    let now = Pin { user: "Alice".to_owned(), ..pin(NEW, 2000, By::Administrator) };
    assert_eq!(house.pins.get(ALICE), Ok(Some(now.clone())));
    assert_eq!(house.pins.forget(ALICE), Ok(Before::Kept(now)));
    assert_eq!(house.pins.forget(ALICE), Ok(Before::Nothing));
    assert_eq!(house.pins.get(ALICE), Ok(None));
    // Then the next one is the first.
    assert_eq!(house.kept(NEW), Pinned::Kept);
    let damaged = |before: Result<Before, String>| {
        assert!(matches!(before, Ok(Before::Damaged(why)) if why.contains("cannot be read")));
    };
    house.spoil("half");
    damaged(set(OLD));
    assert_eq!(house.kept(OLD), Pinned::Same);
    house.spoil("half");
    damaged(house.pins.forget(ALICE));
    assert_eq!(house.kept(NEW), Pinned::Kept);
}

#[test]
fn everybody_is_listed_however_many_there_are() {
    let house = House::with_old("many");
    let record = house.record();
    for at in 0..5000 {
        fs::copy(&record, record.with_file_name(format!("{at:064x}"))).unwrap();
    }
    let listing = house.pins.each().unwrap();
    assert_eq!((listing.records.len(), listing.more), (5001, false));
}

// From here on there are other processes, which play a part of this.

const PARTS: &str = "driver::pins::tests::played_by_another_process";

#[test]
#[ignore = "a part that other tests start in a process of its own"]
fn played_by_another_process() {
    let Some(Part { name, folder, from }) = Part::ours() else { return };
    let pins = Pins::at(&folder);
    let user: UserName = "alice".parse().unwrap();
    match name.as_str() {
        "first" => eprint!("{}", word(&pins.keep(&first(ALICE, &numbered(from)), By::Login, at(from)))),
        "administrator" => processes::writes_until_killed(from, |number| {
            let serial = serial(&numbered(number));
            pins.set(&user, &entry(ALICE), &serial, at(number)).unwrap();
        }),
        "firsts" => processes::writes_until_killed(from, |number| {
            let kept = pins.keep(&first(&number.to_string(), &numbered(number)), By::Login, at(number));
            assert_eq!(kept, Pinned::Kept);
        }),
        other => panic!("no part {other}"),
    }
}

/// The serial number with this number: no part of one is another.
fn numbered(number: u64) -> String {
    format!("MIDCHE{number:010}{}", "X".repeat(usize::try_from(number % 40).unwrap()))
}

fn word(pinned: &Pinned) -> &'static str {
    match pinned {
        Pinned::Kept => "kept",
        Pinned::Same => "same",
        Pinned::Other(_) => "other",
        Pinned::Unavailable(_) => "unavailable",
    }
}

#[test]
fn of_eight_first_logins_at_once_one_is_the_first() {
    for round in 0..5 {
        let house = House::new(&format!("race-{round}"));
        let state = house.folder.path("state");
        // Two of each serial number.
        let racers: Vec<_> = (0..8_u64)
            .map(|at| processes::program(PARTS, "first", &state, at / 2).spawn().unwrap())
            .collect();
        let mut said: Vec<_> = racers
            .into_iter()
            .map(|racer| String::from_utf8(racer.wait_with_output().unwrap().stderr).unwrap())
            .collect();
        said.sort();
        assert_eq!(said, ["kept", "other", "other", "other", "other", "other", "other", "same"]);
    }
}

/// What is kept of this entry must be whole, or not there.
fn number_of(pins: &Pins, id: &str) -> Option<u64> {
    let pin = pins.get(id).unwrap()?;
    assert_eq!(pin.serial.as_str(), numbered(pin.at));
    Some(pin.at)
}

#[test]
fn a_thousand_killed_writers_leave_the_old_serial_number_or_the_new() {
    let house = House::new("killed");
    let state = house.folder.path("state");
    let alice = "alice".parse().unwrap();
    house.pins.set(&alice, &entry(ALICE), &serial(&numbered(0)), at(0)).unwrap();
    let writer = |from| processes::program(PARTS, "administrator", &state, from);
    processes::killed(800, writer, |done, begun| {
        let found = number_of(&house.pins, ALICE).expect("the old one is gone");
        assert!(found == done || found == begun, "neither {done} nor {begun}: {found}");
        // Nobody holds what was theirs.
        assert_eq!(house.kept(&numbered(found)), Pinned::Same);
        found
    });
    let writer = |from| processes::program(PARTS, "firsts", &state, from);
    let mut before = 0;
    processes::killed(200, writer, |done, begun| {
        // Who was told that it is kept finds it; of the last one nobody knows, but it is whole, or not there.
        let is_kept = |number: u64| number_of(&house.pins, &number.to_string()) == Some(number);
        assert!(done == before || is_kept(done), "{done} is lost");
        assert!(number_of(&house.pins, &begun.to_string()).is_none() || is_kept(begun));
        before = begun;
        begun
    });
}
