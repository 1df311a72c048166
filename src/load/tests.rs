use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A folder in /tmp (sticky, world-writable: tolerated) with files of chosen modes.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mobileid-load-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        let folder = Self(path);
        folder.chmod("", 0o755);
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }

    fn chmod(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path(name), bytes).unwrap();
        self.chmod(name, mode);
    }

    /// A configuration whose every file is as it should be, except that nothing in the PEM files is genuine.
    fn with_config(name: &str) -> Self {
        let folder = Self::new(name);
        folder.write("mobileid.toml", CONFIG, 0o600);
        folder.write("users.toml", "[alice]\nmsisdn = \"+41791234567\"\n", 0o644);
        folder.write("client.crt", PEM_CERT, 0o644);
        folder.write("server.pem", PEM_CERT, 0o644);
        folder.write("client.key", PEM_KEY, 0o600);
        fs::create_dir(folder.path("trust")).unwrap();
        folder.chmod("trust", 0o755);
        folder
    }

    fn mistakes(&self) -> String {
        load(&self.path("mobileid.toml")).map(|_| ()).unwrap_err().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const CONFIG: &str = "[service]
ap_id = 'mid://acme'
ap_pwd = 'x'
dtbd_prefix = 'ACME: '
server_trust = 'server.pem'
client_cert = 'client.crt'
client_key = 'client.key'
[signature]
trust = 'trust'
[users]
table = 'users.toml'
";
const PEM_CERT: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
const PEM_KEY: &str = "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";

fn refusal(path: &Path, keep: Keep) -> String {
    read(path, keep).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn modes_decide_whether_a_file_is_used() {
    let folder = Folder::new("modes");
    for (mode, readable, secret) in [
        (0o600, true, true),
        (0o400, true, true),
        (0o644, true, false),
        (0o604, true, false),
        (0o601, true, false),
        (0o640, true, false),
        (0o660, false, false),
        (0o610, true, false),
        (0o602, false, false),
        (0o666, false, false),
    ] {
        folder.write("f", "text", 0o600);
        folder.chmod("f", mode);
        assert_eq!(read(&folder.path("f"), Keep::Unchanged).is_ok(), readable, "{mode:o}");
        assert_eq!(read(&folder.path("f"), Keep::Secret).is_ok(), secret, "{mode:o}");
    }
    folder.chmod("f", 0o644);
    assert!(refusal(&folder.path("f"), Keep::Secret).contains("may be read by others: chmod go-rwx it"));
    folder.chmod("f", 0o666);
    assert!(refusal(&folder.path("f"), Keep::Unchanged).contains("may be changed by others: chmod go-w it"));
}

#[test]
fn every_folder_on_the_way_counts() {
    let folder = Folder::new("parents");
    fs::create_dir_all(folder.path("a/b")).unwrap();
    folder.write("a/b/f", "text", 0o600);
    folder.chmod("a", 0o755);
    folder.chmod("a/b", 0o755);
    assert!(read(&folder.path("a/b/f"), Keep::Secret).is_ok());
    folder.chmod("a", 0o757);
    assert!(refusal(&folder.path("a/b/f"), Keep::Unchanged).contains("/a may be changed by others"));
    // Sticky: others may add, but not exchange what is there.
    folder.chmod("a", 0o1777);
    assert!(read(&folder.path("a/b/f"), Keep::Secret).is_ok());
}

#[test]
fn a_folder_that_root_s_group_may_change_is_refused() {
    // With an access control list the group's bits are its mask: `setfacl -m u:mallory:rwx` looks just like this.
    let folder = Folder::new("group");
    folder.write("f", "text", 0o600);
    folder.chmod("", 0o770);
    assert!(refusal(&folder.path("f"), Keep::Unchanged).contains("may be changed by others"));
}

#[test]
fn an_empty_table_lets_nobody_in_even_where_strangers_are_allowed() {
    let folder = Folder::with_config("empty");
    folder.write("users.toml", "", 0o644);
    assert!(!folder.mistakes().contains("nobody in it"));
    folder.write("mobileid.toml", format!("{CONFIG}unenrolled = 'allow'\n"), 0o600);
    let shown = folder.mistakes();
    assert!(shown.contains(":11: users.table: the table has nobody in it"), "{shown}");
}

#[test]
fn a_program_that_others_could_change_is_a_mistake_of_its_line() {
    let folder = Folder::with_config("program");
    folder.write("phone-of", "#!/bin/sh\nexit 1\n", 0o755);
    let path = folder.path("phone-of").display().to_string();
    let more =
        format!("[[directory]]\ntype = 'command'\nname = 'hr'\ncommand = ['{path}', '--site', 'zurich']\n");
    folder.write("mobileid.toml", format!("{CONFIG}{more}"), 0o600);
    // Nothing in the PEM files is genuine: what is told is all that is wrong.
    let refused = |expected: &str| {
        let told = folder.mistakes();
        let mine: Vec<_> = told.lines().filter(|line| line.contains("directory.command")).collect();
        assert!(mine.iter().all(|line| line.contains("mobileid.toml:15: directory.command: ")), "{told}");
        assert_eq!(mine.is_empty(), expected.is_empty(), "{told}");
        assert!(mine.join("\n").contains(expected), "{expected}: {told}");
    };
    refused("");
    for (mode, expected) in [
        (0o775, "phone-of may be changed by others: chmod go-w it"),
        (0o757, "phone-of may be changed by others: chmod go-w it"),
        (0o644, "phone-of cannot be run: chmod +x it"),
        (0o700, ""),
        (0o755, ""),
    ] {
        folder.chmod("phone-of", mode);
        refused(expected);
    }
    folder.chmod("", 0o777);
    let told = load(&folder.path("mobileid.toml")).map(|_| ()).unwrap_err().to_string();
    assert!(told.contains("may be changed by others"), "{told}");
    folder.chmod("", 0o755);
    fs::remove_file(folder.path("phone-of")).unwrap();
    refused("phone-of cannot be read: No such file or directory");
    fs::create_dir(folder.path("phone-of")).unwrap();
    folder.chmod("phone-of", 0o755);
    refused("phone-of is no regular file");
}

#[test]
fn other_owners_are_refused_on_the_way_and_at_its_end() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can give files away");
        return;
    }
    let folder = Folder::new("owners");
    fs::create_dir(folder.path("d")).unwrap();
    folder.chmod("d", 0o755);
    folder.write("d/f", "text", 0o600);
    symlink(folder.path("d/f"), folder.path("link")).unwrap();
    assert!(read(&folder.path("link"), Keep::Secret).is_ok());
    let give = |name: &str, to: u32| std::os::unix::fs::lchown(folder.path(name), Some(to), None).unwrap();
    for name in ["d/f", "d", "link"] {
        give(name, 12345);
        let refused = refusal(&folder.path("link"), Keep::Unchanged);
        assert!(refused.contains(&format!("/{name} belongs to another user")), "{refused}");
        give(name, 0);
    }
    assert!(read(&folder.path("link"), Keep::Secret).is_ok());
}

#[test]
fn links_are_followed_step_by_step() {
    let folder = Folder::new("links");
    for name in ["d", "d/e", "open"] {
        fs::create_dir(folder.path(name)).unwrap();
        folder.chmod(name, 0o755);
    }
    folder.write("d/f", "text", 0o600);
    symlink("../f", folder.path("d/e/up")).unwrap();
    symlink(folder.path("d/e"), folder.path("open/e")).unwrap();
    symlink("open/e/up", folder.path("start")).unwrap();
    assert_eq!(guarded(&folder.path("start")).unwrap(), guarded(&folder.path("d/f")).unwrap());
    assert!(read(&folder.path("d/e/../f"), Keep::Secret).is_ok());
    // The folder of a link in the middle is neither on the way as written nor on the real one.
    symlink("start", folder.path("d/again")).unwrap();
    folder.chmod("open", 0o777);
    assert!(refusal(&folder.path("start"), Keep::Unchanged).contains("/open may be changed by others"));
    symlink("loop", folder.path("loop")).unwrap();
    assert!(refusal(&folder.path("loop"), Keep::Unchanged).contains("has too many links in it"));
}

#[test]
fn only_regular_files_are_read_and_nothing_blocks() {
    let folder = Folder::new("kinds");
    nix::unistd::mkfifo(&folder.path("fifo"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(refusal(&folder.path("fifo"), Keep::Unchanged).contains("is no regular file"));
    assert!(refusal(&folder.path(""), Keep::Unchanged).contains("is no regular file"));
    assert!(refusal(Path::new("/dev/zero"), Keep::Unchanged).contains("/dev/zero"));
    assert!(refusal(&folder.path("absent"), Keep::Unchanged).contains("cannot be read: No such file"));
    let big = File::create(folder.path("big")).unwrap();
    big.set_len(FILE_MAX + 1).unwrap();
    assert!(refusal(&folder.path("big"), Keep::Unchanged).contains("is larger than 16 MiB"));
}

#[test]
fn mistakes_of_the_files_are_told_at_the_line_that_names_them() {
    let folder = Folder::with_config("named");
    folder.chmod("client.key", 0o644);
    folder.write("server.pem", "no certificate", 0o644);
    let shown = folder.mistakes();
    let file = folder.path("mobileid.toml").display().to_string();
    let trust = folder.path("trust").display().to_string();
    for expected in [
        format!("{file}:9: signature.trust: {trust}: no .pem, .crt or .cer file in it"),
        format!(
            "{file}:5: service.server_trust: {}: no CERTIFICATE block in it",
            folder.path("server.pem").display()
        ),
        format!("{file}:7: service.client_key: {}", folder.path("client.key").display()),
    ] {
        assert!(shown.contains(&expected), "{expected}\nnot in\n{shown}");
    }
    assert_eq!(shown.lines().count(), 3, "{shown}");
}

#[test]
fn a_configuration_with_a_password_must_be_closed() {
    let folder = Folder::with_config("password");
    folder.chmod("mobileid.toml", 0o644);
    let shown = folder.mistakes();
    assert!(shown.contains("it holds a password, and") && shown.contains("chmod go-rwx"), "{shown}");
    folder.write("mobileid.toml", CONFIG.replace("ap_pwd = 'x'\n", ""), 0o644);
    assert!(!folder.mistakes().contains("go-rwx"));
}

#[test]
fn mistakes_inside_the_user_table_name_that_file() {
    let folder = Folder::with_config("table");
    folder.write("users.toml", "[alice]\nmsisdn = \"079\"\n", 0o644);
    assert!(folder.mistakes().contains(&format!("{}:2: alice.msisdn", folder.path("users.toml").display())));
    folder.write("users.toml", b"[alice]\n# \xff\n", 0o644);
    assert!(folder.mistakes().contains("not UTF-8 text"));
    fs::remove_file(folder.path("users.toml")).unwrap();
    assert!(folder.mistakes().contains("mobileid.toml:11: users.table: "));
}

#[test]
fn an_anchor_that_is_none_and_an_encrypted_key_are_named() {
    let folder = Folder::with_config("pem");
    folder.write("trust/a.pem", PEM_CERT, 0o644);
    folder.write("trust/readme.txt", "not a certificate", 0o644);
    folder.write(
        "client.key",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
        0o600,
    );
    let shown = folder.mistakes();
    assert!(shown.contains("trust/a.pem: "), "{shown}");
    assert!(!shown.contains("readme"), "{shown}");
    assert!(shown.contains("no unencrypted PRIVATE KEY block"), "{shown}");
}

#[test]
fn a_configuration_that_is_absent_says_so() {
    let shown = load(Path::new("/nonexistent/mobileid.toml")).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        shown,
        "/nonexistent/mobileid.toml: /nonexistent cannot be read: No such file or directory (os error 2)"
    );
}

const SRS: &str = "[srs]\nurl = 'https://a.example'\nevidence_url = 'https://b.example'\nclient_id = 'acme'\n\
                   client_secret_file = 'srs-secret'\nserver_trust = 'server.pem'\n";

#[test]
fn what_enrolment_needs_is_read_for_enrolment_alone() {
    let folder = Folder::with_config("registration");
    let config = folder.path("mobileid.toml");
    assert!(registration(&config).unwrap().is_none(), "no section, no service");
    folder.write("mobileid.toml", format!("{CONFIG}{SRS}"), 0o600);
    let mistakes = || registration(&config).map(|_| ()).unwrap_err().to_string();
    assert!(
        mistakes().contains("srs.client_secret_file: ") && mistakes().contains("cannot be read"),
        "{}",
        mistakes()
    );
    assert!(!folder.mistakes().contains("srs"), "a login does not look at it: {}", folder.mistakes());
    for (content, mode, says) in [
        ("s3cret\n", 0o644, "may be read by others"),
        ("", 0o600, "must have one line"),
        ("\n", 0o600, "must have one line"),
        ("s3cret\nmore\n", 0o600, "must have one line"),
        ("s3\u{1b}cret", 0o600, "must have one line"),
    ] {
        folder.write("srs-secret", content, mode);
        assert!(mistakes().contains(says) && !mistakes().contains("s3"), "{content:?}: {}", mistakes());
    }
    folder.write("srs-secret", "s3cret\r\n", 0o600);
    let read = registration(&config).unwrap().unwrap();
    assert_eq!((read.client.id.as_str(), read.client.secret.expose()), ("acme", "s3cret"));
    assert_eq!(read.evidence.endpoint.host, "b.example");
    assert_eq!(read.registration.server_roots.len(), 1);
    assert!(read.registration.proxy.is_none());
    let proxy = CONFIG.replacen("ap_id", "proxy = 'http://proxy.example:1'\nap_id", 1);
    folder.write("mobileid.toml", format!("{proxy}{SRS}"), 0o600);
    let read_again = registration(&config).unwrap().unwrap();
    for way in [read_again.registration, read_again.evidence] {
        assert_eq!(way.proxy.unwrap().endpoint.to_string(), "proxy.example:1");
    }
    assert!(!format!("{read:?}").contains("s3cret"));
}

#[test]
fn what_starts_programs_is_missed_by_its_package() {
    assert_eq!(starters(&STARTERS), Ok(()));
    let why =
        starters(&[("/usr/bin/env", "coreutils"), ("/usr/bin/mobileid-none", "util-linux")]).unwrap_err();
    assert_eq!(
        why,
        "/usr/bin/mobileid-none cannot be read: No such file or directory (os error 2); programs are started by it, of the \
         package util-linux"
    );
}
