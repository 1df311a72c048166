use std::{
    env, fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use super::*;
use crate::driver::moment::moment;

/// Two folders for one test, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("mobileid-breakglass-{}-{count}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn house(&self) -> House {
        House::of(&self.0)
    }

    /// The one record of this kind.
    fn record(&self, store: &str, kind: &str) -> PathBuf {
        let files = fs::read_dir(self.0.join(store).join(kind)).unwrap().map(|file| file.unwrap().path());
        let records: Vec<_> = files.filter(|path| path.extension().is_none()).collect();
        assert_eq!(records.len(), 1, "{records:?}");
        records[0].clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The stores of a folder, and alice.
struct House {
    state: Store,
    runtime: Store,
    alice: UserName,
}

impl House {
    fn of(folder: &Path) -> Self {
        Self {
            state: Store::open(&folder.join("state")).unwrap(),
            runtime: Store::open_until_boot(&folder.join("runtime")).unwrap(),
            alice: "alice".parse().unwrap(),
        }
    }

    fn stores(&self) -> Stores<'_> {
        Stores { state: &self.state, runtime: &self.runtime }
    }

    fn create(&self, count: usize, existing: Existing) -> Result<Created, NotCreated> {
        create(self.stores(), &self.alice, count, SystemTime::now(), existing)
    }

    fn redeem(&self, typed: &str) -> Result<usize, Refused> {
        self.redeem_at(typed, &moment().unwrap())
    }

    fn redeem_at(&self, typed: &str, now: &Moment) -> Result<usize, Refused> {
        let typed = Secret::new(typed.to_owned());
        redeem(self.stores(), &self.alice, &typed, now, || false).map(|redeemed| redeemed.left)
    }

    fn has_codes(&self) -> Result<bool, Refused> {
        has_codes(&self.state, &self.alice, || false)
    }
}

fn sentence(refused: Result<usize, Refused>) -> String {
    match refused {
        Err(Refused::Store(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_is_used_up() {
    let folder = Folder::new();
    let house = folder.house();
    assert_eq!((house.has_codes(), house.redeem("any")), (Ok(false), Err(Refused::NoCodes)));

    let paper = house.create(2, Existing::Keep).unwrap().paper;
    assert_eq!(house.has_codes(), Ok(true));
    assert_eq!(house.redeem(paper[1].expose()), Ok(1));
    assert_eq!(house.redeem(paper[1].expose()), Err(Refused::WrongCode));
    assert_eq!(house.redeem(paper[0].expose()), Ok(0));
    assert_eq!((house.has_codes(), house.redeem(paper[0].expose())), (Ok(false), Err(Refused::NoCodes)));
}

#[test]
fn codes_are_replaced_only_on_purpose() {
    let folder = Folder::new();
    let house = folder.house();
    let first = house.create(2, Existing::Keep).unwrap();
    assert_eq!(first.replaced, 0);
    assert_eq!(house.create(1, Existing::Keep).map(|_| ()), Err(NotCreated::Left(2)));
    assert_eq!(house.redeem(first.paper[0].expose()), Ok(1));
    let second = house.create(1, Existing::Replace).unwrap();
    assert_eq!(second.replaced, 1);
    assert_eq!(house.redeem(first.paper[1].expose()), Err(Refused::WrongCode));
    assert_eq!(house.redeem(second.paper[0].expose()), Ok(0));
    // None are left: nothing is replaced.
    assert_eq!(house.create(1, Existing::Keep).unwrap().replaced, 0);
    // What is not made leaves the old ones as they are.
    let none = house.create(0, Existing::Replace).map(|_| ());
    assert_eq!(none, Err(NotCreated::Store("a set has 1 to 50 codes".to_owned())));
    assert_eq!(house.has_codes(), Ok(true));
}

#[test]
fn revoked_codes_are_gone() {
    let folder = Folder::new();
    let house = folder.house();
    assert_eq!(revoke(house.stores(), &house.alice), Ok(None));
    let paper = house.create(3, Existing::Keep).unwrap().paper;
    assert_eq!(revoke(house.stores(), &house.alice), Ok(Some(3)));
    assert_eq!(house.redeem(paper[0].expose()), Err(Refused::NoCodes));
}

#[test]
fn who_is_gone_waits_for_nobody() {
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(1, Existing::Keep).unwrap().paper;
    let redeemed = |is_gone: bool| {
        redeem(house.stores(), &house.alice, &paper[0], &moment().unwrap(), || is_gone).map(|r| r.left)
    };
    for (store, kind) in [(&house.state, KIND), (&house.runtime, KIND_OF_TRIES)] {
        let held = store.try_lock(kind, house.alice.as_str()).unwrap().unwrap();
        assert_eq!(redeemed(true), Err(Refused::Cancelled), "{kind}");
        if kind == KIND {
            assert_eq!(has_codes(&house.state, &house.alice, || true), Err(Refused::Cancelled));
        }
        drop(held);
    }
    // Nobody is asked where there is nothing to wait for; and the code is still good.
    assert_eq!(redeemed(true), Ok(0));
}

#[test]
fn the_sixth_try_is_not_looked_at() {
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(3, Existing::Keep).unwrap().paper;
    for (code, left) in [(&paper[0], 2), (&paper[1], 1)] {
        for wrong in ["", "wrong", "3333-3333-3333", "wrong"] {
            assert_eq!(house.redeem(wrong), Err(Refused::WrongCode));
        }
        // The right one gives the wrong ones back.
        assert_eq!(house.redeem(code.expose()), Ok(left));
    }
    for _ in 0..5 {
        assert_eq!(house.redeem("wrong"), Err(Refused::WrongCode));
    }
    assert_eq!(house.redeem(paper[2].expose()), Err(Refused::TooManyTries));
    let mut later = moment().unwrap();
    later.up += Duration::from_secs(901);
    assert_eq!(house.redeem_at(paper[2].expose(), &later), Ok(0));
}

#[test]
fn new_codes_come_with_new_tries() {
    let folder = Folder::new();
    let house = folder.house();
    house.create(1, Existing::Keep).unwrap();
    while house.redeem("wrong") != Err(Refused::TooManyTries) {}
    let paper = house.create(1, Existing::Replace).unwrap().paper;
    assert_eq!(house.redeem(paper[0].expose()), Ok(0));
}

#[test]
fn what_cannot_be_read_is_a_no_that_names_the_way_out() {
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(2, Existing::Keep).unwrap().paper;
    assert_eq!(house.redeem("wrong"), Err(Refused::WrongCode));
    let tries = folder.record("runtime", KIND_OF_TRIES);
    let codes = folder.record("state", KIND);
    for (what, path, octets) in [
        ("no JSON", &tries, "no JSON".to_owned()),
        ("nothing", &tries, String::new()),
        ("somebody else's tries", &tries, r#"{"user":"bob","boot":"","up_ms":[]}"#.to_owned()),
        ("no JSON", &codes, "no JSON".to_owned()),
        ("somebody else's codes", &codes, fs::read_to_string(&codes).unwrap().replace("alice", "bob")),
    ] {
        let sound = fs::read(path).unwrap();
        fs::write(path, octets).unwrap();
        let said = sentence(house.redeem(paper[0].expose()));
        assert!(said.contains("alice") && said.contains("breakglass create --replace"), "{what}: {said}");
        fs::write(path, sound).unwrap();
    }
    assert_eq!(house.redeem(paper[0].expose()), Ok(1));

    fs::write(&codes, "no JSON").unwrap();
    assert!(house.has_codes().is_err());
    assert!(matches!(house.create(1, Existing::Keep), Err(NotCreated::Store(_))));
    assert_eq!(house.create(1, Existing::Replace).unwrap().replaced, 0);
    assert_eq!(house.has_codes(), Ok(true));
}

#[test]
fn nobody_is_let_in_for_a_code_that_stays() {
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(1, Existing::Keep).unwrap().paper;
    // In the way of the writer, and not to be removed like a file.
    let mut new = folder.record("state", KIND).into_os_string();
    new.push(".new");
    fs::create_dir(&new).unwrap();
    let said = sentence(house.redeem(paper[0].expose()));
    assert!(said.contains("cannot be written"), "{said}");
    fs::remove_dir(&new).unwrap();
    assert_eq!(house.redeem(paper[0].expose()), Ok(0));
}

const FOLDER: &str = "BREAKGLASS_TEST_FOLDER";
const TYPED: &str = "BREAKGLASS_TEST_TYPED";
const READY: &str = "=ready=";
const YES: &str = "=yes=";

/// Redeems a code of alice's once its standard input ends.
#[test]
#[ignore = "what the processes of the other tests run"]
fn a_login() {
    let (Some(folder), Ok(typed)) = (env::var_os(FOLDER), env::var(TYPED)) else { return };
    let house = House::of(Path::new(&folder));
    println!("{READY}");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    match house.redeem(&typed) {
        Ok(left) => println!("{YES} {left} left"),
        Err(refused) => println!("=no= {refused:?}"),
    }
}

/// Starts [`a_login`] in a process of its own, and waits until it is about to begin.
fn login(folder: &Folder, typed: &str) -> Child {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "driver::breakglass::tests::a_login", "--ignored", "--nocapture"])
        .env(FOLDER, &folder.0)
        .env(TYPED, typed)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !said.ends_with(READY.as_bytes()) {
        child.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    child
}

/// What it said from then on.
fn ended(child: Child) -> String {
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn of_many_processes_with_one_code_one_gets_in() {
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(2, Existing::Keep).unwrap().paper;
    let logins: Vec<_> = (0..8).map(|_| login(&folder, paper[0].expose())).collect();
    // All of them run by now, and go on when the last of these ends is closed.
    let (stdins, logins): (Vec<_>, Vec<_>) = logins.into_iter().map(|mut l| (l.stdin.take(), l)).unzip();
    drop(stdins);
    let said: Vec<_> = logins.into_iter().map(ended).collect();
    assert_eq!(said.iter().filter(|said| said.contains(YES)).count(), 1, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("WrongCode")).count(), 5, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("TooManyTries")).count(), 2, "{said:?}");
}

#[test]
fn a_code_is_good_once_whenever_a_process_is_killed() {
    const ROUNDS: u32 = 24;
    let folder = Folder::new();
    let house = folder.house();
    let paper = house.create(26, Existing::Keep).unwrap().paper;
    let (first, paper) = paper.split_first().unwrap();
    let mut whole = login(&folder, first.expose());
    let began = Instant::now();
    drop(whole.stdin.take());
    assert!(ended(whole).contains(YES));
    let takes = began.elapsed();

    let (mut yes, mut spent, mut kept) = (0, 0, 0);
    for (round, code) in (0..ROUNDS).zip(paper) {
        let mut killed = login(&folder, code.expose());
        drop(killed.stdin.take());
        // The moment is the point here: from before it has begun until after it has ended.
        sleep(takes * 2 * round / ROUNDS);
        killed.kill().unwrap();
        let was_in = ended(killed).contains(YES);
        let again = house.redeem(code.expose());
        match (was_in, &again) {
            (true, Err(Refused::WrongCode)) => yes += 1,
            (false, Err(Refused::WrongCode)) => spent += 1,
            (false, Ok(_)) => kept += 1,
            _ => panic!("round {round}: let in: {was_in}, and then {again:?}"),
        }
        // A try that a killed process has used up stays so; here there are to be enough.
        house.runtime.clear(KIND_OF_TRIES, |_| true).unwrap();
    }
    println!("let in: {yes}, used up in vain: {spent}, still good: {kept}");
    assert!(kept > 0, "each was killed too late");
    assert!(yes + spent > 0, "each was killed too early");
}

#[test]
fn a_killed_process_has_used_up_its_try() {
    let folder = Folder::new();
    let house = folder.house();
    house.create(1, Existing::Keep).unwrap();
    let tries = || {
        let listing = house.runtime.each(KIND_OF_TRIES).unwrap();
        listing.records.first().map(|octets| Tries::decode(octets).unwrap())
    };
    for _ in 0..5 {
        let before = tries();
        let mut killed = login(&folder, "3333-3333-3333");
        drop(killed.stdin.take());
        let until = Instant::now() + Duration::from_secs(60);
        while tries() == before {
            assert!(Instant::now() < until, "the try is not counted");
            thread::yield_now();
        }
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    assert_eq!(house.redeem("wrong"), Err(Refused::TooManyTries));
}
