//! The store among real processes: killed, contending, swept; and folders that are not as they should be.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsStr,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    process::{Child, Command},
    thread,
    time::Instant,
};

use super::*;
use crate::driver::processes::{self, Moments, Part, TempFolder};

const KIND: &str = "pushes";
const KEY: &str = "alice";

/// A folder in /tmp, for the store to be made in.
struct Folder(TempFolder);

impl Folder {
    fn new(name: &str) -> Self {
        Self(TempFolder::new(&format!("store-{name}")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }

    fn chmod(&self, name: &str, mode: u32) {
        chmod(&self.path(name), mode);
    }

    fn store(&self) -> Store {
        Store::open_until_boot(&self.path("mobileid")).unwrap()
    }

    /// The file of the record of [`KEY`] with this suffix.
    fn file(&self, suffix: &str) -> PathBuf {
        self.path(&format!("mobileid/{KIND}/{}{suffix}", Name::of_key(KEY).0))
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        fs::read_dir(self.path("mobileid").join(KIND)).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

/// The lock, however long somebody else has it.
fn lock(store: &Store) -> Locked<'_> {
    loop {
        if let Some(locked) = store.try_lock(KIND, KEY).unwrap() {
            return locked;
        }
        thread::yield_now();
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_record_is_there_for_the_next_one_who_locks_it() {
    let folder = Folder::new("basics");
    for store in [folder.store(), Store::open(&folder.path("mobileid")).unwrap()] {
        let mut locked = store.try_lock(KIND, KEY).unwrap().unwrap();
        assert_eq!(locked.read(), Ok(None));
        locked.write(b"first").unwrap();
        locked.write(b"second").unwrap();
        assert_eq!(locked.read(), Ok(Some(b"second".to_vec())));
        // Somebody else's record is another one, and this one is held.
        assert_eq!(store.try_lock(KIND, "bob").unwrap().unwrap().read(), Ok(None));
        assert!(store.try_lock(KIND, KEY).unwrap().is_none());
        drop(locked);

        let again = store.try_lock(KIND, KEY).unwrap().unwrap();
        assert_eq!(again.read(), Ok(Some(b"second".to_vec())));
        again.remove().unwrap();
        assert_eq!(store.try_lock(KIND, KEY).unwrap().unwrap().read(), Ok(None));
    }
}

#[test]
fn everything_is_roots_alone_and_named_by_a_digest() {
    let folder = Folder::new("modes");
    let store = folder.store();
    let key = "../../etc/passwd\0\n";
    store.try_lock(KIND, key).unwrap().unwrap().write(b"x").unwrap();
    assert_eq!(mode(&folder.path("mobileid")), 0o700);
    assert_eq!(mode(&folder.path("mobileid/pushes")), 0o700);
    for file in folder.files() {
        let name = file.file_name().and_then(OsStr::to_str).unwrap().to_owned();
        assert!(Name::of_file(&name).is_some(), "{name}");
        assert_eq!(mode(&file), 0o600, "{name}");
    }
    assert_eq!(folder.files().len(), 2);
    // As `printf alice | sha256sum` has it.
    let alice = "2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90";
    assert_eq!(Name::of_key("alice").0, alice);
}

#[test]
fn what_is_not_as_it_should_be_is_refused_with_what_to_do() {
    type Spoil = fn(&Folder);
    let stories: [(&str, Spoil, &str); 12] = [
        ("parent", |f| f.chmod("", 0o777), " may be changed by others: chmod go-w it"),
        ("open", |f| f.chmod("mobileid", 0o750), "/mobileid may be read by others: chmod go-rwx it"),
        ("kind", |f| f.chmod("mobileid/pushes", 0o701), "/pushes may be read by others: chmod go-rwx it"),
        ("link", |f| elsewhere(f, "mobileid"), "/mobileid is no folder: remove it"),
        ("kind-link", |f| elsewhere(f, "mobileid/pushes"), "/pushes is no folder: remove it"),
        ("record", |f| chmod(&f.file(""), 0o640), "6e90 may be read by others: chmod go-rwx it"),
        ("lock", |f| chmod(&f.file(".lock"), 0o666), "6e90.lock may be read by others: chmod go-rwx it"),
        ("record-link", |f| linked(&f.file("")), "6e90 is a link: remove it"),
        ("lock-link", |f| linked(&f.file(".lock")), "6e90.lock is a link: remove it"),
        ("record-folder", |f| folder_at(&f.file("")), "6e90 is no regular file: remove it"),
        (
            "large",
            |f| fs::write(f.file(""), [b'x'; 4097]).unwrap(),
            "6e90 is larger than 4096 octets: remove it",
        ),
        ("gone", |f| fs::remove_dir_all(f.path("")).unwrap(), "store-parent cannot be read: No such file"),
    ];
    for (name, spoil, expected) in stories {
        let folder = Folder::new(&format!("spoilt-{name}"));
        folder.store().try_lock(KIND, KEY).unwrap().unwrap().write(b"x").unwrap();
        spoil(&folder);
        let found = refusal(&folder.path("mobileid"));
        let expected = expected.replace("store-parent", &format!("spoilt-{name}"));
        assert!(found.contains(&expected), "{name}: {found}");
    }
}

#[test]
fn what_belongs_to_somebody_else_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        return; // Only root can give a file away.
    }
    let give: fn(&Path) = |path| chown(path, Some(65_534), None).unwrap();
    for what in ["folder", "kind", "record", "lock"] {
        let folder = Folder::new(&format!("foreign-{what}"));
        folder.store().try_lock(KIND, KEY).unwrap().unwrap().write(b"x").unwrap();
        give(&match what {
            "folder" => folder.path("mobileid"),
            "kind" => folder.path("mobileid/pushes"),
            "record" => folder.file(""),
            _ => folder.file(".lock"),
        });
        let found = refusal(&folder.path("mobileid"));
        assert!(found.ends_with("belongs to another user: chown root it"), "{what}: {found}");
    }
}

/// Why nothing can be read from the record of [`KEY`].
fn refusal(store: &Path) -> String {
    let read = || Store::open_until_boot(store)?.try_lock(KIND, KEY)?.unwrap().read();
    read().unwrap_err()
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Moves a folder of the store, and leaves a link to it.
fn elsewhere(folder: &Folder, name: &str) {
    fs::rename(folder.path(name), folder.path("elsewhere")).unwrap();
    symlink(folder.path("elsewhere"), folder.path(name)).unwrap();
}

/// Moves a file, and leaves a link to it.
fn linked(path: &Path) {
    let elsewhere = path.with_file_name("elsewhere");
    fs::rename(path, &elsewhere).unwrap();
    symlink(elsewhere, path).unwrap();
}

fn folder_at(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

#[test]
fn a_folder_that_names_none_is_refused() {
    for path in ["/", "..", ""] {
        let found = Store::open(Path::new(path)).unwrap_err();
        assert!(found.ends_with("is no folder for records: name one below another"), "{found}");
    }
}

#[test]
fn a_record_that_could_not_be_read_again_is_not_written() {
    let folder = Folder::new("too-large");
    let store = folder.store();
    let mut locked = lock(&store);
    locked.write(&[b'x'; RECORD_MAX]).unwrap();
    let found = locked.write(&[b'y'; RECORD_MAX + 1]).unwrap_err();
    assert!(found.ends_with("cannot hold 4097 octets"), "{found}");
    assert_eq!(locked.read(), Ok(Some(vec![b'x'; RECORD_MAX])));
}

#[test]
fn a_listing_has_every_record_and_says_what_it_could_not_read() {
    let folder = Folder::new("each");
    let store = folder.store();
    for user in ["alice", "bob", "carol"] {
        store.try_lock(KIND, user).unwrap().unwrap().write(user.as_bytes()).unwrap();
    }
    let _held = store.try_lock(KIND, "dave").unwrap().unwrap();
    fs::write(folder.file(".new"), "half").unwrap();
    fs::write(folder.path("mobileid/pushes/notes"), "an administrator's").unwrap();
    chmod(&folder.file(""), 0o644);
    let mut listing = store.each(KIND).unwrap();
    listing.records.sort();
    assert_eq!(listing.records, [b"bob".to_vec(), b"carol".to_vec()]);
    assert!(listing.unreadable[0].ends_with("chmod go-rwx it"), "{:?}", listing.unreadable);
    assert!(!listing.more);
    assert!(store.each("grace").unwrap().records.is_empty());
}

#[test]
fn clearing_removes_what_was_meant_and_nothing_that_is_held() {
    let folder = Folder::new("clear");
    let store = folder.store();
    for user in ["alice", "bob", "carol"] {
        store.try_lock(KIND, user).unwrap().unwrap().write(user.as_bytes()).unwrap();
    }
    let held = store.try_lock(KIND, "bob").unwrap().unwrap();
    let one = |removed, busy| Ok(Removed { removed, busy });
    assert_eq!(store.clear(KIND, |record| record == b"dave"), one(0, 0));
    // Its files are seen one by one, and each time it is held.
    let bob = store.clear(KIND, |record| record == b"bob").unwrap();
    assert!(bob.removed == 0 && bob.busy >= 1, "{bob:?}");
    drop(held);
    assert_eq!(store.clear(KIND, |record| record == b"bob"), one(1, 0));
    // One that cannot be read goes where everything does.
    fs::write(folder.file(""), [0; 5000]).unwrap();
    assert_eq!(store.clear(KIND, |_| true), one(2, 0));
    assert!(folder.files().is_empty());
}

#[test]
fn a_sweep_takes_what_is_old_so_many_at_a_time() {
    let folder = Folder::new("sweep");
    let store = folder.store();
    for user in 0..SWEPT + 6 {
        store.try_lock(KIND, &user.to_string()).unwrap().unwrap().write(b"x").unwrap();
    }
    let hour = Duration::from_secs(3600);
    let none = Removed::default();
    assert_eq!(store.sweep(KIND, hour).unwrap(), none);
    let aged = |path: &Path, by| File::open(path).unwrap().set_modified(SystemTime::now() - by).unwrap();
    folder.files().iter().for_each(|file| aged(file, 2 * hour));
    // An old lock file keeps nothing alive, and a fresh record is not old for its lock's sake.
    store.try_lock(KIND, "0").unwrap().unwrap().write(b"fresh").unwrap();
    assert_eq!(store.sweep(KIND, hour).unwrap().removed, SWEPT);
    assert_eq!(store.sweep(KIND, hour).unwrap().removed, 5);
    assert_eq!(store.each(KIND).unwrap().records, [b"fresh".to_vec()]);
    // What killed processes leave behind goes too; what lies in the future, and what is not ours, stays.
    folder.files().iter().for_each(|file| aged(file, 2 * hour));
    File::open(folder.files().first().unwrap()).unwrap().set_modified(SystemTime::now() + hour).unwrap();
    fs::write(folder.file(".new"), "half").unwrap();
    aged(&folder.file(".new"), 2 * hour);
    assert_eq!(store.sweep(KIND, hour).unwrap().removed, 1);
    assert_eq!(folder.files().len(), 2);
}

#[test]
fn a_lock_whose_file_is_gone_is_not_taken_for_the_lock() {
    let folder = Folder::new("gone");
    let store = folder.store();
    let holder = lock(&store);
    // Somebody has opened the file, and locks it when the holder has removed it.
    let late = File::open(folder.file(".lock")).unwrap();
    holder.remove().unwrap();
    late.try_lock().unwrap();
    // Who comes now makes a new file, and is not kept out by the old one.
    let next = store.try_lock(KIND, KEY).unwrap();
    assert!(next.is_some() && folder.file(".lock").exists());
}

#[test]
fn a_forked_copy_of_the_descriptor_does_not_keep_the_lock() {
    let folder = Folder::new("copy");
    let store = folder.store();
    let held = lock(&store);
    let _copy = held.lock.try_clone().unwrap();
    drop(held);
    assert!(store.try_lock(KIND, KEY).unwrap().is_some());
}

// From here on there are other processes, which play a part of this.

const PARTS: &str = "driver::store::tests::played_by_another_process";

/// This program, to play a part.
fn program(part: &str, folder: &Folder) -> Command {
    processes::program(PARTS, part, &folder.path("mobileid"), 0)
}

#[test]
#[ignore = "a part that other tests start in a process of its own"]
fn played_by_another_process() {
    let Some(Part { name, folder, from }) = Part::ours() else { return };
    let until_boot = || Store::open_until_boot(&folder).unwrap();
    match name.as_str() {
        "writer" => writes_until_killed(from, &until_boot()),
        "durable-writer" => writes_until_killed(from, &Store::open(&folder).unwrap()),
        "contender" => contends(&until_boot()),
        "without-room" => writes_without_room(&until_boot()),
        other => panic!("no part {other}"),
    }
}

/// The record with this number: no part of one is a part of another, nor another one.
fn numbered(number: u64) -> Vec<u8> {
    let length = 8 + usize::try_from(number * 37 % 4000).unwrap();
    number.to_le_bytes().into_iter().cycle().take(length).collect()
}

fn writes_until_killed(from: u64, store: &Store) {
    processes::writes_until_killed(from, |number| lock(store).write(&numbered(number)).unwrap());
}

/// Kills a writer so many times, each time while it writes, and looks at what it leaves.
fn killed(times: u64, part: &str, folder: &Folder, store: &Store) {
    let writer = |from| processes::program(PARTS, part, &folder.path("mobileid"), from);
    processes::killed(times, writer, |done, begun| {
        let locked = store.try_lock(KIND, KEY).unwrap().expect("a dead process holds the lock");
        let found = locked.read().unwrap().unwrap_or_else(|| numbered(0));
        let [old, new] = [done, begun].map(numbered);
        assert!(found == old || found == new, "neither {done} nor {begun}: {found:?}");
        u64::from_le_bytes(found.first_chunk().copied().unwrap())
    });
    let ours = ["", ".lock", ".new"].map(|suffix| folder.file(suffix));
    assert!(folder.files().iter().all(|file| ours.contains(file)), "{:?}", folder.files());
}

#[test]
fn a_thousand_killed_writers_leave_the_old_record_or_the_new() {
    let folder = Folder::new("killed");
    killed(950, "writer", &folder, &folder.store());
    let folder = Folder::new("killed-durable");
    let store = Store::open(&folder.path("mobileid")).unwrap();
    killed(50, "durable-writer", &folder, &store);
}

const ROUNDS: u64 = 300;

/// Takes the lock again and again, and sees to it that nobody else has it meanwhile.
fn contends(store: &Store) {
    let witness = store.folder.join("witness");
    let mut numbers = Moments(u64::from(std::process::id()));
    for round in 0..ROUNDS {
        let mut locked = lock(store);
        let alone = OpenOptions::new().write(true).create_new(true).open(&witness);
        drop(alone.expect("two have the lock"));
        let record = numbered(u64::from(numbers.next().subsec_nanos()));
        locked.write(&record).unwrap();
        thread::yield_now();
        assert_eq!(locked.read().unwrap(), Some(record), "somebody else has written");
        fs::remove_file(&witness).unwrap();
        if round % 3 == 0 {
            locked.remove().unwrap();
        }
    }
}

#[test]
fn one_at_a_time_has_the_lock_while_others_remove_and_sweep() {
    let folder = Folder::new("contended");
    let store = folder.store();
    let start = || program("contender", &folder).spawn().unwrap();
    let mut contenders = [start(), start(), start()];
    let running = |child: &mut Child| child.try_wait().unwrap().is_none();
    let began = Instant::now();
    let mut swept = 0;
    while contenders.iter_mut().any(running) {
        swept += store.sweep(KIND, Duration::ZERO).unwrap().removed;
        assert!(began.elapsed() < Duration::from_secs(120), "somebody waits for ever");
    }
    for contender in contenders {
        let ended = contender.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    assert!(swept > 0, "the sweep never came between");
}

/// Where no file may have any octets, an old record stands, and nothing half is left.
fn writes_without_room(store: &Store) {
    let mut locked = lock(store);
    let found = locked.write(b"new").unwrap_err();
    assert!(found.contains("cannot be written: "), "{found}");
    assert_eq!(locked.read(), Ok(Some(b"old".to_vec())));
}

#[test]
fn a_full_disk_leaves_the_old_record() {
    let folder = Folder::new("full");
    let store = folder.store();
    lock(&store).write(b"old").unwrap();
    // A disk that is full, as one process sees it: no file of its may grow, and the write says so.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]).arg(env::current_exe().unwrap());
    processes::as_part(&mut command, PARTS, "without-room", &folder.path("mobileid"), 0);
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(lock(&store).read(), Ok(Some(b"old".to_vec())));
    assert!(!folder.file(".new").exists());
}
