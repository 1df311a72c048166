//! Real programs: scripts that each test writes.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::PathBuf,
    process::{self, Stdio},
    sync::Arc,
};

use super::*;

/// A folder with programs, removed in the end.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mobileid-command-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    /// A script that this process never has open for writing: a child that another test starts at that moment would
    /// have it open too, and nobody could run it.
    fn script(&self, name: &str, body: &str) -> Program {
        let path = self.0.join(name);
        let mut shell = process::Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(&path)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        write!(shell.stdin.take().unwrap(), "#!/bin/sh\n{body}\n").unwrap();
        assert!(shell.wait().unwrap().success());
        Program { path, arguments: Vec::new(), timeout: Duration::from_secs(20) }
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.0.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What a script has written into a file of this folder.
    fn noted(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap().trim().to_owned()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ALICE: &str = r#"echo '{"msisdn":"+41791234567"}'"#;

fn patient() -> Tick {
    Arc::new(|| Verdict::Continue)
}

fn answer(program: &Program, user: &str) -> Answer {
    let far = Instant::now() + Duration::from_secs(60);
    lookup(program, &user.parse().unwrap(), &patient(), far).unwrap()
}

/// The answer in a word, and its words.
fn told(program: &Program, user: &str) -> String {
    match answer(program, user) {
        Answer::Found(found) => format!("found {} {}", found.msisdn.digits(), found.groups.join("|")),
        Answer::NotEnrolled => "not enrolled".to_owned(),
        Answer::Barred(why) => format!("barred: {why}"),
        Answer::Unusable(why) => format!("unusable: {why}"),
        Answer::Away(why) => format!("away: {why}"),
    }
}

/// Whether a process runs: one that is dead and waits for its parent does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

fn wait_until_gone(pid: &str) {
    let by = Instant::now() + Duration::from_secs(10);
    while runs(pid) {
        assert!(Instant::now() < by, "{pid} is still there");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_programs_answer() {
    let site = Site::new("answers");
    for (name, body, expected) in [
        ("found", ALICE, "found 41791234567 "),
        ("nobody", "exit 1", "not enrolled"),
        (
            "in-trouble",
            "echo no database >&2; exit 1",
            "away: the program ends with 1 and complains: no database",
        ),
        (
            "a-tool-fails",
            "set -e; cat /nonexistent",
            "away: the program ends with 1 and complains: cat: /nonexistent",
        ),
        (
            "complains",
            &format!("{ALICE}; echo deprecated >&2"),
            "away: the program ends with 0 and complains: deprecated",
        ),
        ("garbage", "echo '+41791234567'", "unusable: the program's answer: expected value at line 1"),
        ("silent", "exit 0", "unusable: the program's answer: EOF"),
        (
            "stranger",
            r#"echo '{"msisdn":"+41791234567","mobile":1}'"#,
            "unusable: the program's answer: unknown field",
        ),
        ("gives-up", "exit 75", "away: the program ends with 75"),
        ("crashes", "kill -SEGV $$", "away: the program was ended by SIGSEGV"),
        (
            "long",
            "head -c 1000000 /dev/zero | tr '\\0' x",
            "unusable: the program writes more than 65536 bytes",
        ),
        ("endless", "exec yes", "unusable: the program writes more than 65536 bytes"),
        ("loud", "exec yes >&2", "unusable: the program writes more than 65536 bytes"),
        ("reads", "cat; exit 1", "not enrolled"),
        ("closes-both", "exec >&- 2>&-; sleep 0.2; exit 1", "not enrolled"),
    ] {
        let told = told(&site.script(name, body), "alice");
        assert!(told.starts_with(expected), "{name}: {told}");
    }
}

#[test]
fn an_answer_of_64_kib_is_read_and_one_byte_more_is_not() {
    let site = Site::new("large");
    let padded = |size: usize| format!(r#"printf '%-{size}s' '{{"msisdn":"+41791234567"}}'"#);
    assert!(told(&site.script("fits", &padded(OUTPUT_MAX)), "alice").starts_with("found"));
    assert!(told(&site.script("too-long", &padded(OUTPUT_MAX + 1)), "alice").starts_with("unusable"));
}

#[test]
fn a_name_is_one_argument_whatever_is_in_it() {
    let site = Site::new("names");
    // What it was called with, as the person's groups.
    let body = r#"test $# = 3 || exit 9
printf '{"msisdn":"+41791234567","groups":["%s","%s","%s"]}' "$1" "$2" "$(printf %s "$3" | od -An -tx1 | tr -d ' \n')""#;
    let mut program = site.script("echo", body);
    program.arguments = vec!["--site".into(), "a b".into()];
    for name in [
        "alice",
        "a b",
        "'; touch x; '",
        "$(id)",
        "`id`",
        "*",
        "a\\b",
        "x=y",
        "é@example.com",
        "\"",
        "+41791234567",
    ] {
        let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(told(&program, name), format!("found 41791234567 --site|a b|{hex}"), "{name}");
    }
    // A dash would make it an option; a line's end is in no user's name.
    assert!(told(&program, "-rf").starts_with("unusable: a name that begins with a dash"));
    assert!("alice\nbob".parse::<UserName>().is_err());
}

#[test]
fn a_program_begins_in_a_clean_world() {
    let site = Site::new("world");
    let note = site.0.join("note");
    // The signals are those of sed, which has the shell's: the shell's own are all blocked for a moment whenever it starts
    // somebody.
    let body = format!(
        "{{ env | sort; pwd; readlink /proc/self/fd/0; readlink /proc/$$/fd/*; \
         sed -n 's/^\\(Sig[A-Z][a-z]*\\):\\t*/\\1 /p' /proc/self/status; \
         cut -d' ' -f5,6,7 /proc/$$/stat; echo $$; }} > {}; {ALICE}",
        note.display()
    );
    // Hosts have descriptors that are not closed by a start.
    let kept = fs::File::open(&site.0).unwrap();
    nix::fcntl::fcntl(&kept, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    assert!(told(&site.script("look", &body), "alice").starts_with("found"));
    drop(kept);
    let noted = site.noted("note");
    let lines: Vec<_> = noted.lines().collect();
    let pid = *lines.last().unwrap();
    let session = format!("{pid} {pid} 0");
    for line in ["LANG=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/", "/dev/null", &session] {
        assert!(lines.contains(&line), "{line} in {noted}");
    }
    // The shell itself sets these.
    let others = lines.iter().filter(|line| line.contains('='));
    let others: Vec<_> =
        others.filter(|l| !["LANG=C", "PWD=/", "OLDPWD=/", "_=/usr/bin/env"].contains(l)).collect();
    assert_eq!(others.len(), 1, "{others:?}");
    let pipes = lines.iter().filter(|line| line.starts_with("pipe:")).count();
    assert_eq!(pipes, 2, "{noted}");
    assert!(!lines.contains(&site.0.to_str().unwrap()), "{noted}");
    let signals = |state: &str| {
        let line = lines.iter().find_map(|line| line.strip_prefix(state)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    // glibc leaves its own two, 32 and 33, ignored in whatever it spawns.
    assert_eq!((signals("SigBlk "), signals("SigIgn ") & !(3 << 31)), (0, 0), "{noted}");
}

#[test]
fn a_program_that_does_not_end_is_ended_and_so_is_what_it_started() {
    let site = Site::new("hangs");
    for (name, body) in [
        ("hangs", "echo $$ > PID; exec sleep 1000"),
        ("ignores", "trap '' TERM INT HUP PIPE; echo $$ > PID; while :; do sleep 1000; done"),
        ("silent", "echo $$ > PID; exec >&- 2>&- sleep 1000"),
        ("by-another", "(echo $(exec sh -c 'echo $PPID') > PID; exec sleep 1000) & wait"),
    ] {
        let pid = site.0.join(format!("{name}.pid"));
        let mut program = site.script(name, &body.replace("PID", &pid.display().to_string()));
        program.timeout = Duration::from_secs(1);
        let begun = Instant::now();
        assert_eq!(told(&program, "alice"), "away: the program does not end within 1 s", "{name}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}: {:?}", begun.elapsed());
        wait_until_gone(&site.noted(&format!("{name}.pid")));
    }
}

#[test]
fn a_grandchild_that_keeps_the_output_open_keeps_nobody_waiting() {
    let site = Site::new("grandchild");
    for (name, start) in [("within", "sleep 1000 &"), ("another-session", "setsid sleep 1000 &")] {
        let note = site.0.join(name.to_owned() + ".pid");
        let program = site.script(name, &format!("{start}\necho $! > {}\n{ALICE}", note.display()));
        let begun = Instant::now();
        assert!(told(&program, "alice").starts_with("found"), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}");
        let pid = site.noted(&(name.to_owned() + ".pid"));
        if name == "within" {
            wait_until_gone(&pid);
        } else {
            // Who leaves the session on purpose is not followed.
            let _ = process::Command::new("kill").arg(pid).status();
        }
    }
}

#[test]
fn the_host_and_the_deadline_end_it_as_well() {
    let site = Site::new("given-up");
    let note = site.0.join("pid");
    let program =
        site.script("hangs", &format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 1000", note.display()));
    let seen = note.clone();
    let cancel: Tick = Arc::new(move || if seen.exists() { Verdict::Cancel } else { Verdict::Continue });
    let far = Instant::now() + Duration::from_secs(60);
    let alice = "alice".parse().unwrap();
    assert_eq!(lookup(&program, &alice, &cancel, far), Err(GivenUp));
    assert!(!std::path::Path::new("/proc").join(site.noted("pid")).exists(), "not even a zombie");
    let soon = Instant::now() + Duration::from_millis(300);
    assert!(matches!(lookup(&program, &alice, &patient(), soon), Ok(Answer::Away(_))));
    assert!(!std::path::Path::new("/proc").join(site.noted("pid")).exists());
}

#[test]
fn a_program_that_others_could_have_changed_meanwhile_is_not_run() {
    let site = Site::new("changed");
    fs::create_dir(site.0.join("libexec")).unwrap();
    let program = site.script("libexec/phone-of", ALICE);
    let away = |program: &Program| told(program, "alice");
    assert!(away(&program).starts_with("found"));
    for (what, mode, after, expected) in [
        ("libexec/phone-of", 0o775, 0o755, "phone-of may be changed by others"),
        ("libexec/phone-of", 0o757, 0o755, "phone-of may be changed by others"),
        ("libexec", 0o777, 0o755, "libexec may be changed by others"),
        ("libexec/phone-of", 0o644, 0o755, "phone-of cannot be run: chmod +x it"),
    ] {
        site.chmod(what, mode);
        let told = away(&program);
        assert!(told.starts_with("away: ") && told.contains(expected), "{told}");
        site.chmod(what, after);
    }
    // A link is followed first, and what it leads to is run.
    symlink(site.0.join("libexec/phone-of"), site.0.join("link")).unwrap();
    let at = |name: &str| Program { path: site.0.join(name), ..program.clone() };
    assert!(away(&at("link")).starts_with("found"));
    assert!(away(&at("libexec")).contains("is no regular file"));
    assert!(away(&at("missing")).contains("missing cannot be read: No such file"));
    assert!(away(&site.script("a=b", ALICE)).contains("has a = in its path"));
    let mut bare = site.script("bare", ALICE);
    bare.path = site.0.join("no-interpreter");
    fs::write(&bare.path, "#!/nonexistent\n").unwrap();
    site.chmod("no-interpreter", 0o755);
    assert!(away(&bare).contains("no-interpreter"), "{}", away(&bare));
}
