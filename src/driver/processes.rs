//! For tests: this program again, as other processes that contend or are killed while they write.
//!
//! ```text
//!   a test ──> program(PARTS, "writer", folder, from) ──> the same binary, running the ignored test PARTS alone,
//!                                                         which asks Part::ours() what it is to play
//! ```

use std::{
    env,
    ffi::OsString,
    fs,
    io::{Read, Write, stderr},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// A folder in /tmp that goes with the test.
pub(super) struct TempFolder(PathBuf);

impl TempFolder {
    pub(super) fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("mobileid-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const NAME: &str = "MOBILEID_TEST_PART";
const FOLDER: &str = "MOBILEID_TEST_FOLDER";
const FROM: &str = "MOBILEID_TEST_FROM";

/// What this process is to play.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    /// The first number to write.
    pub(super) from: u64,
}

impl Part {
    /// None where nobody has started this process to play one.
    pub(super) fn ours() -> Option<Self> {
        let var = |name| env::var_os(name).map(OsString::into_string)?.ok();
        Some(Self { name: var(NAME)?, folder: var(FOLDER)?.into(), from: var(FROM)?.parse().ok()? })
    }
}

/// This program, to run the test `parts` in the part of this name.
pub(super) fn program(parts: &str, name: &str, folder: &Path, from: u64) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    as_part(&mut command, parts, name, folder, from);
    command
}

/// The same, where something else is to start it.
pub(super) fn as_part(command: &mut Command, parts: &str, name: &str, folder: &Path, from: u64) {
    command.args([parts, "--exact", "--ignored", "--nocapture"]);
    command.env(NAME, name).env(FOLDER, folder).env(FROM, from.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
}

/// Writes one record after the other, and says before and after each which it is.
pub(super) fn writes_until_killed(from: u64, write: impl Fn(u64)) {
    for number in from.. {
        stderr().write_all(&number.to_le_bytes()).unwrap();
        write(number);
        stderr().write_all(&number.to_le_bytes()).unwrap();
    }
}

/// Kills a writer so many times, each time while it writes. `look` is told which record was written last and which was
/// begun, and says which it has found.
pub(super) fn killed(times: u64, writer: impl Fn(u64) -> Command, mut look: impl FnMut(u64, u64) -> u64) {
    let mut moments = Moments(times);
    let mut last = 0;
    for _ in 0..times {
        let mut writer = writer(last + 1).spawn().unwrap();
        let mut said = Vec::new();
        let mut stderr = writer.stderr.take().unwrap();
        stderr.read_exact(&mut [0; 8]).unwrap();
        thread::sleep(moments.next());
        writer.kill().unwrap();
        writer.wait().unwrap();
        stderr.read_to_end(&mut said).unwrap();
        // What was said last was begun; if it was said twice, it was done.
        let numbers: Vec<u64> =
            said.chunks_exact(8).map(|octets| u64::from_le_bytes(octets.try_into().unwrap())).collect();
        let begun = numbers.last().copied().unwrap_or(last + 1);
        let done = if numbers.len() % 2 == 1 { begun } else { begun - 1 };
        last = look(done, begun);
    }
}

/// Moments that look random, up to 2 ms.
pub(super) struct Moments(pub(super) u64);

impl Moments {
    pub(super) fn next(&mut self) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % 2000)
    }
}
