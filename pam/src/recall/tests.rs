use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    process,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::SystemTime,
};

use super::*;

const LONGEST: Duration = Duration::from_secs(90);

/// A host's memory, gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("pam-recall-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn memory(&self) -> Memory {
        let clock = || Ok(Moment { boot: "b".to_owned(), up: Duration::from_secs(1000) });
        Memory::within(&self.0.join("run"), &self.0.join("state"), clock).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn here() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

#[test]
fn whoever_waits_for_a_lock_gets_it_or_learns_why_not() {
    let folder = Folder::new();
    let (holder, waiter) = (folder.memory(), folder.memory());
    let gone: Tick = Arc::new(|| TickVerdict::Cancel);
    let phone = holder.phone("alice", &here(), in_a_minute()).unwrap();
    let (_, connection) = holder.connection("c", LONGEST, &here(), in_a_minute()).unwrap();
    assert!(matches!(waiter.phone("alice", &gone, in_a_minute()), Err(NoLock::Cancelled)));
    assert!(matches!(waiter.phone("alice", &here(), Instant::now()), Err(NoLock::Late)));
    assert!(matches!(waiter.connection("c", LONGEST, &here(), Instant::now()), Err(NoLock::Late)));
    // Other people's phones and connections are free, also for who is late or gone: nobody is waited for.
    assert!(waiter.phone("bob", &gone, Instant::now()).is_ok());
    assert!(waiter.connection("d", LONGEST, &gone, Instant::now()).is_ok());
    drop((phone, connection));
    assert!(waiter.phone("alice", &gone, Instant::now()).is_ok());
    assert!(waiter.connection("c", LONGEST, &gone, Instant::now()).is_ok());
}

#[test]
fn a_phone_that_becomes_free_goes_to_who_waits() {
    let folder = Folder::new();
    let (holder, waiter) = (folder.memory(), folder.memory());
    let phone = holder.phone("alice", &here(), in_a_minute()).unwrap();
    // Given free once somebody is known to wait for it.
    let (asked, waits) = std::sync::mpsc::channel();
    let tick: Tick = Arc::new(move || {
        let _ = asked.send(());
        TickVerdict::Continue
    });
    thread::scope(|threads| {
        let waiting = threads.spawn(|| waiter.phone("alice", &tick, in_a_minute()).map(|_| ()));
        waits.recv().unwrap();
        drop(phone);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn what_is_wrong_with_one_folder_does_not_let_the_others_grow() {
    let folder = Folder::new();
    let memory = folder.memory();
    drop(memory.connection("c", LONGEST, &here(), in_a_minute()).unwrap());
    drop(memory.phone("alice", &here(), in_a_minute()).unwrap());
    let files = |kind: &str| {
        fs::read_dir(folder.0.join("run").join(kind))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect::<Vec<_>>()
    };
    for file in [files(connection::KIND), files(pushes::KIND)].concat() {
        let days_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 3600);
        fs::File::open(file).unwrap().set_modified(days_ago).unwrap();
    }
    fs::set_permissions(folder.0.join("run").join(connection::KIND), fs::Permissions::from_mode(0o755))
        .unwrap();
    assert!(memory.sweep().unwrap_err().contains("/connection-1 may be read by others"));
    assert_eq!((files(connection::KIND).len(), files(pushes::KIND).len()), (2, 0));
    fs::set_permissions(folder.0.join("run").join(connection::KIND), fs::Permissions::from_mode(0o700))
        .unwrap();
    assert_eq!(memory.sweep(), Ok(()));
    assert!(files(connection::KIND).is_empty());
}

#[test]
fn a_phone_rings_only_after_both_records_say_so() {
    let folder = Folder::new();
    let memory = folder.memory();
    let (standing, connection) = memory.connection("c", LONGEST, &here(), in_a_minute()).unwrap();
    assert_eq!(standing, Standing::Fresh { left: LONGEST });
    let mut records = Records::new(&memory, Some(connection));
    records.of_phone(memory.phone("alice", &here(), in_a_minute()).unwrap());
    records.sending().unwrap();
    // As if the process had been killed here.
    drop(records);
    let (standing, _) = memory.connection("c", LONGEST, &here(), in_a_minute()).unwrap();
    assert_eq!(standing, Standing::Interrupted);
    let phone = memory.phone("alice", &here(), in_a_minute()).unwrap();
    assert_eq!(phone.pushes.within(Duration::from_secs(60), &memory.now().unwrap()), 1);
}
