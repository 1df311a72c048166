use std::{
    fs::Permissions,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::ExitStatusExt as _,
    },
    thread,
    time::Duration,
};

use super::*;
use crate::careful::PAUSE;

/// A folder of a test's own with a table in it, gone when the test ends.
struct House(PathBuf);

impl Drop for House {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const OLD: &str =
    "# The people of ACME.\n\n[\"b.ob\"]   # on leave\nmsisdn = \"+41 79 000 00 02\"\n# the end";

impl House {
    fn new(name: &str, table: &str) -> Self {
        let house =
            Self(std::env::temp_dir().join(format!("mobileidctl-table-{name}-{}", std::process::id())));
        let _ = fs::remove_dir_all(&house.0);
        fs::create_dir(&house.0).unwrap();
        fs::set_permissions(&house.0, Permissions::from_mode(0o700)).unwrap();
        fs::write(house.file(), table).unwrap();
        fs::set_permissions(house.file(), Permissions::from_mode(0o600)).unwrap();
        house
    }

    fn file(&self) -> PathBuf {
        self.0.join("users.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn table(&self) -> Table {
        Table::at(&self.file()).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

fn entry(user: &str, msisdn: &str) -> NewEntry {
    NewEntry { user: user.parse().unwrap(), msisdn: msisdn.parse().unwrap(), language: None }
}

#[test]
fn an_entry_goes_to_the_end_and_the_rest_stays_to_the_letter() {
    let german = NewEntry { language: Some(Language::De), ..entry("alice", "+41790000001") };
    let added = "[alice]\nmsisdn = \"+41790000001\"\nlanguage = \"de\"\n";
    for (before, gap) in [(OLD, "\n\n"), ("[b]\nmsisdn = '+41790000002'\n", "\n"), ("# c\n\n", ""), ("", "")]
    {
        let house = House::new("end", before);
        assert_eq!(house.table().check(&german), Ok(()));
        assert_eq!(house.text(), before, "asking changes nothing");
        assert_eq!(house.table().enter(&german), Ok(Entered::Now));
        assert_eq!(house.text(), format!("{before}{gap}{added}"));
        assert_eq!(house.names(), ["users.toml"]);
        assert_eq!(house.table().enter(&german), Ok(Entered::Before), "there is one entry of hers");
        assert_eq!(house.text(), format!("{before}{gap}{added}"));
    }
}

#[test]
fn every_name_that_a_user_can_have_is_found_again() {
    for name in [
        "o'neill",
        "a.b",
        "ACME\\alice",
        "\"",
        "älice",
        "a b",
        "[x]",
        "x=y#z",
        "alice@acme.example",
        "-",
        "=",
    ] {
        let house = House::new("names", OLD);
        assert_eq!(house.table().enter(&entry(name, "+41790000001")), Ok(Entered::Now), "{name}");
        let table = UserTable::parse("t", &house.text()).unwrap();
        assert!(matches!(table.lookup(&name.parse().unwrap()), Answer::Found(_)), "{name}: {}", house.text());
        assert_eq!(table.len(), 2, "{name}");
    }
}

#[test]
fn owner_and_mode_are_those_of_the_old_table() {
    for mode in [0o600, 0o640, 0o644, 0o400] {
        let house = House::new("mode", OLD);
        fs::set_permissions(house.file(), Permissions::from_mode(mode)).unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(house.file(), None, Some(12)).unwrap();
        }
        let before = fs::metadata(house.file()).unwrap();
        assert_eq!(house.table().enter(&entry("alice", "+41790000001")), Ok(Entered::Now));
        let after = fs::metadata(house.file()).unwrap();
        assert_eq!(after.mode() & 0o7777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "another file took its place");
    }
}

#[test]
fn another_number_is_not_written_over() {
    let house = House::new("number", OLD);
    let refused = house.table().enter(&entry("b.ob", "+41790000003"));
    assert_eq!(refused, Err(NotEntered::OtherNumber("+41790000002".parse().unwrap())));
    assert_eq!(house.table().check(&entry("b.ob", "+41790000003")), refused.map(|_| ()));
    assert_eq!(house.text(), OLD);
}

#[test]
fn a_table_that_logins_would_not_trust_is_not_written() {
    let alice = entry("alice", "+41790000001");
    let refused = |house: &House| match house.table().check(&alice) {
        Err(NotEntered::Unusable(why)) => why,
        other => panic!("{other:?}"),
    };
    let house = House::new("trust", OLD);
    fs::set_permissions(house.file(), Permissions::from_mode(0o660)).unwrap();
    assert!(refused(&house).contains("may be changed by others"), "{}", refused(&house));
    fs::set_permissions(house.file(), Permissions::from_mode(0o600)).unwrap();
    fs::write(house.file(), "[bob\n").unwrap();
    assert!(refused(&house).contains("users.toml:1: not TOML"), "{}", refused(&house));
    fs::write(house.file(), OLD).unwrap();
    // What cannot be written is seen before a phone rings: here its place is taken, which holds for root too.
    fs::create_dir(house.0.join("users.toml.new")).unwrap();
    assert!(refused(&house).contains("users.toml.new cannot be removed"), "{}", refused(&house));
    assert_eq!(house.text(), OLD);

    let link = house.0.join("link.toml");
    symlink(house.file(), &link).unwrap();
    assert!(Table::at(&link).unwrap_err().ends_with("is a link: name the file itself in users.table"));
    assert!(Table::at(&house.0.join("none.toml")).unwrap_err().contains("cannot be read"));
    fs::set_permissions(&house.0, Permissions::from_mode(0o777)).unwrap();
    assert!(Table::at(&house.file()).unwrap_err().contains("may be changed by others"));
}

#[test]
fn what_a_killed_process_left_is_removed() {
    let house = House::new("left", OLD);
    fs::write(house.0.join("users.toml.new"), "[ali").unwrap();
    assert_eq!(house.table().enter(&entry("alice", "+41790000001")), Ok(Entered::Now));
    assert!(house.text().starts_with(OLD) && house.text().ends_with("[alice]\nmsisdn = \"+41790000001\"\n"));
    assert_eq!(house.names(), ["users.toml"]);
}

#[test]
fn of_many_at_once_nobody_is_lost_and_a_reader_sees_whole_tables() {
    let house = House::new("many", OLD);
    let people = |thread: u32| (0..8).map(move |one| entry(&format!("u{thread}-{one}"), "+41790000001"));
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|thread| {
                let table = house.table();
                scope.spawn(move || {
                    people(thread).for_each(|one| assert_eq!(table.enter(&one), Ok(Entered::Now)))
                })
            })
            .collect();
        let mut most = 1;
        while !writers.iter().all(|writer| writer.is_finished()) {
            let count = UserTable::parse("t", &house.text()).unwrap().len();
            assert!(count >= most, "somebody was lost");
            most = count;
        }
    });
    assert_eq!(UserTable::parse("t", &house.text()).unwrap().len(), 33);
    assert_eq!(house.names(), ["users.toml"]);
}

#[test]
fn a_lock_is_waited_for() {
    let house = House::new("lock", OLD);
    let held = house.table().lock().unwrap();
    thread::scope(|scope| {
        let table = house.table();
        let writer = scope.spawn(move || table.enter(&entry("alice", "+41790000001")));
        thread::sleep(PAUSE * 3);
        assert!(!writer.is_finished());
        assert_eq!(house.text(), OLD);
        drop(held);
        assert_eq!(writer.join().unwrap(), Ok(Entered::Now));
    });
}

/// Set for the process that is killed: where it enters people until then.
const VICTIM: &str = "MOBILEIDCTL_TEST_TABLE";

#[test]
fn a_process_that_is_killed_leaves_the_old_table_or_the_new_one() {
    if let Some(file) = std::env::var_os(VICTIM) {
        let table = Table::at(Path::new(&file)).unwrap();
        for one in 0.. {
            let _ = table.enter(&entry(&format!("u{}-{one}", std::process::id()), "+41790000001"));
        }
    }
    let house = House::new("killed", OLD);
    let mut people = 1;
    for round in 0..100_u32 {
        let mut victim = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "enrol::table::tests::a_process_that_is_killed_leaves_the_old_table_or_the_new_one",
            ])
            .env(VICTIM, house.file())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Until it has begun, and then for another while each time.
        while house.text().matches("[u").count() + 1 == people {
            assert!(victim.try_wait().unwrap().is_none(), "it ended by itself");
            thread::yield_now();
        }
        thread::sleep(Duration::from_micros(u64::from(round) * 37));
        victim.kill().unwrap();
        assert_eq!(victim.wait().unwrap().signal(), Some(9));
        let text = house.text();
        assert!(text.starts_with(OLD), "{text}");
        let count = UserTable::parse("t", &text).unwrap().len();
        assert!(count > people, "somebody was lost");
        people = count;
    }
    assert_eq!(
        house.table().enter(&entry("alice", "+41790000001")),
        Ok(Entered::Now),
        "the lock went with it"
    );
}
