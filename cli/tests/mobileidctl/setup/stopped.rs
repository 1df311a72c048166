//! Stopped anywhere, resumed, and held against what is there: nothing is lost, and nothing written over.

use std::{
    fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt as _, symlink},
        process::ExitStatusExt as _,
    },
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{CONTRACT, FILES, NOWHERE, openssl};
use crate::support::{Folder, Run, binary, ctl};

/// The files in the order in which they come.
const ORDER: [&str; 4] = ["mobileid.toml", "users.toml", "client.key", "client.crt"];

/// Setup with everything said.
fn all(folder: &Folder) -> Command {
    let mut command = binary();
    command.args(["setup", "--folder", &folder.text("etc")]).args(CONTRACT).args(NOWHERE);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// All is there, whole, and belongs together.
fn is_whole(folder: &Folder) {
    assert_eq!(folder.there(), FILES);
    let public = |kind: &[&str], file: &str| {
        openssl(&[kind, &["-in", folder.etc(file).to_str().unwrap(), "-pubout"]].concat())
    };
    let of_certificate =
        openssl(&["x509", "-in", folder.etc("client.crt").to_str().unwrap(), "-noout", "-pubkey"]);
    assert_eq!(public(&["pkey"], "client.key"), of_certificate);
    assert_eq!(fs::metadata(folder.etc("client.key")).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn killed_at_any_file_it_goes_on() {
    for file in ORDER {
        let folder = Folder::new();
        let mut child = all(&folder).spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        while !folder.etc(file).exists() && Instant::now() < until {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let there: Vec<_> =
            folder.snapshot().into_iter().filter(|(name, ..)| !name.starts_with(".setup")).collect();
        assert!(there.iter().any(|(name, ..)| name == file), "{file}");
        let run = Run::of(all(&folder).output().unwrap());
        assert_eq!(run.code, 1, "{file}: {run:?}");
        is_whole(&folder);
        let after = folder.snapshot();
        assert!(there.iter().all(|one| after.contains(one)), "{file}: something was written over");
    }
}

#[test]
fn from_every_first_part_it_goes_on_and_clears_up_after_the_one_that_was_killed() {
    let whole = Folder::begun();
    for length in 0..=ORDER.len() {
        let folder = Folder::new();
        fs::create_dir(folder.path("etc")).unwrap();
        for file in &ORDER[..length] {
            fs::copy(whole.etc(file), folder.etc(file)).unwrap();
        }
        fs::write(folder.etc(".setup.lock"), "").unwrap();
        fs::write(folder.etc(".setup.new"), "-----BEGIN").unwrap();
        let before = folder.snapshot();
        let run = Run::of(all(&folder).output().unwrap());
        assert_eq!(run.code, 1, "{length}: {run:?}");
        is_whole(&folder);
        assert_eq!(run.stderr.matches("kept  ").count(), length, "{run:?}");
        let after = folder.snapshot();
        assert!(
            before.iter().filter(|(name, ..)| !name.starts_with('.')).all(|one| after.contains(one)),
            "{length}"
        );
    }
}

#[test]
fn a_full_disk_leaves_no_part_of_a_file() {
    let folder = Folder::new();
    // What a disk without room says, said by the shell's limit.
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]).arg(binary().get_program());
    shell.args(["setup", "--folder", &folder.text("etc")]).args(CONTRACT).args(NOWHERE);
    let run = Run::of(shell.stdin(Stdio::null()).output().unwrap());
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("etc/mobileid.toml cannot be made: "), "{run:?}");
    assert_eq!(folder.there(), [""; 0]);
    assert_eq!(Run::of(all(&folder).output().unwrap()).code, 1);
    is_whole(&folder);
}

#[test]
fn a_core_file_would_have_the_key() {
    // It waits for the service, with its key.
    let service = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let folder = Folder::begun();
    folder.root("ours", "/CN=Ours");
    let config = folder.etc("mobileid.toml");
    let url = format!("https://{}", service.local_addr().unwrap());
    let text = fs::read_to_string(&config).unwrap().replace("https://127.0.0.1:1", &url);
    fs::write(config, text).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"]).arg(binary().get_program());
    shell.args(["setup", "--folder", &folder.text("etc"), "--trust", &folder.text("ours.crt")]);
    shell.args(["--trust-sha256", &super::fingerprint(&folder.path("ours.crt"))]);
    shell.current_dir(folder.path("")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = shell.spawn().unwrap();
    // That it only looks whether somebody is there comes first.
    let _looked = service.accept().unwrap();
    let _asked = service.accept().unwrap();
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGQUIT).unwrap();
    let ended = child.wait().unwrap();
    assert!(ended.signal() == Some(Signal::SIGQUIT as i32) && !ended.core_dumped(), "{ended:?}");
}

#[test]
fn of_many_at_once_one_makes_each_file() {
    let folder = Folder::new();
    let all: Vec<_> = (0..4).map(|_| all(&folder).spawn().unwrap()).collect();
    let runs: Vec<Run> = all.into_iter().map(|child| Run::of(child.wait_with_output().unwrap())).collect();
    for file in ORDER {
        let made = format!("made  {}", folder.etc(file).display());
        assert_eq!(runs.iter().filter(|run| run.stderr.contains(&made)).count(), 1, "{file}: {runs:?}");
    }
    for run in &runs {
        assert!(run.code == 1 || run.stderr.contains("has appeared meanwhile, and is kept"), "{run:?}");
    }
    is_whole(&folder);
}

#[test]
fn a_flag_that_says_otherwise_than_what_is_there_is_told_the_place_to_edit() {
    let folder = Folder::begun();
    let before = folder.snapshot();
    folder.root("server", "/CN=Server");
    for (flag, value, says) in [
        (
            "--ap-id",
            "mid://other.example",
            "mobileid.toml:8: service.ap_id: is \"mid://acme.example\", and --ap-id says",
        ),
        (
            "--prefix",
            "ACME:",
            "mobileid.toml:9: service.dtbd_prefix: is \"ACME: \", and --prefix says \"ACME:\"",
        ),
        ("--url", "https://mobileid.swisscom.com", "service.url: is \"https://127.0.0.1:1\", and --url says"),
        ("--server-name", "other.example", "service.server_name: is \"127.0.0.1\""),
        ("--server-trust", &folder.text("server.crt"), "service.server_trust: is \"system\""),
        ("--name", "other.example", "client.crt: has CN="),
        ("--organisation", "Other AG", "client.crt: has O=ACME AG, and --organisation says Other AG; leave"),
        ("--country", "LI", "client.crt: has C=CH"),
        ("--key", "rsa-4096", "client.crt: has another key"),
    ] {
        let run = folder.setup(&[flag, value]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{flag}: {run:?}");
        assert!(run.stderr.contains(says), "{flag}: {run:?}");
        assert_eq!(folder.snapshot(), before, "{flag}");
    }
    // All at once.
    let run = folder.setup(&["--ap-id", "x", "--prefix", "y", "--country", "LI"]);
    assert_eq!(run.stderr.lines().count(), 3, "{run:?}");
    // Blanks around it are of the letter that it was copied from.
    assert_eq!(folder.setup(&["--ap-id", " mid://acme.example "]).code, 1);
}

#[test]
fn what_is_there_and_cannot_be_used_is_named_and_stays() {
    /// Spoils one thing, and says how.
    type Spoil = fn(&Folder);
    let stories: [(&str, Spoil, &str); 14] = [
        ("a certificate alone", |f| fs::remove_file(f.etc("client.key")).unwrap(), "bring the key back"),
        ("another key", |f| other_key(f, "rsa:2048"), "is not the key of"),
        ("no key", |f| fs::write(f.etc("client.key"), "words").unwrap(), "no key that the service takes"),
        ("a key for all to read", |f| mode(f, "client.key", 0o644), "may be read by others: chmod go-rwx it"),
        (
            "a certificate for all to write",
            |f| mode(f, "client.crt", 0o666),
            "may be changed by others: chmod go-w it",
        ),
        ("no certificate", |f| fs::write(f.etc("client.crt"), "words").unwrap(), "no certificate in PEM"),
        (
            "a configuration with a mistake",
            |f| fs::write(f.etc("mobileid.toml"), "[servcie]\n").unwrap(),
            "servcie",
        ),
        ("a configuration that is a folder", |f| folder_at(f, "mobileid.toml"), "is no regular file"),
        ("a folder for all to write", |f| mode(f, "", 0o777), "may be changed by others: chmod go-w it"),
        (
            "a folder for all to write, sticky",
            |f| mode(f, "", 0o1777),
            "may be changed by others: chmod go-w it",
        ),
        ("a key that leads nowhere", |f| link(f, "client.key", "/nowhere"), "/nowhere"),
        (
            "a key of a weak kind",
            |f| {
                other_key(f, "rsa:1024");
                fs::remove_file(f.etc("client.crt")).unwrap();
            },
            "no key that the service takes: RSA of 2048 to 4096 bits",
        ),
        (
            "a key of a curve that TLS does not sign with",
            |f| curve(f, &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
            "EC (P-256, P-384), unencrypted, in PEM: move it away for a new one",
        ),
        (
            "a key of a kind that the service does not know",
            |f| curve(f, &["ED25519"]),
            "move it away for a new one",
        ),
    ];
    for (story, spoil, says) in stories {
        let folder = Folder::begun();
        spoil(&folder);
        let before = folder.there();
        let run = Run::of(all(&folder).output().unwrap());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{story}: {run:?}");
        assert!(run.stderr.contains(says), "{story}: {run:?}");
        assert_eq!(folder.there(), before, "{story}");
    }
}

/// Another key, without a certificate.
fn curve(folder: &Folder, kind: &[&str]) {
    let key = folder.etc("client.key");
    openssl(&[&["genpkey", "-algorithm"], kind, &["-out", key.to_str().unwrap()]].concat());
    fs::remove_file(folder.etc("client.crt")).unwrap();
}

fn other_key(folder: &Folder, kind: &str) {
    folder.key("other", kind);
    fs::rename(folder.path("other.key"), folder.etc("client.key")).unwrap();
}

fn mode(folder: &Folder, name: &str, mode: u32) {
    fs::set_permissions(folder.etc(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn folder_at(folder: &Folder, name: &str) {
    fs::remove_file(folder.etc(name)).unwrap();
    fs::create_dir(folder.etc(name)).unwrap();
}

fn link(folder: &Folder, name: &str, target: &str) {
    fs::remove_file(folder.etc(name)).unwrap();
    symlink(target, folder.etc(name)).unwrap();
}

#[test]
fn a_key_that_was_brought_along_gets_its_certificate() {
    for kind in ["ec", "rsa:3072"] {
        let folder = Folder::new();
        fs::create_dir(folder.path("etc")).unwrap();
        other_key(&folder, kind);
        let before = fs::read(folder.etc("client.key")).unwrap();
        // Said was --key rsa-2048.
        let run = Run::of(all(&folder).output().unwrap());
        assert!(run.code == 2 && run.stderr.ends_with("that --key says; leave --key out\n"), "{run:?}");
        assert_eq!(folder.there(), ["client.key"]);
        let run = folder.setup(&[&CONTRACT[..8], &NOWHERE].concat());
        assert_eq!(run.code, 1, "{run:?}");
        is_whole(&folder);
        assert_eq!(fs::read(folder.etc("client.key")).unwrap(), before);
    }
}

#[test]
fn a_planted_link_is_not_written_through() {
    let folder = Folder::new();
    fs::create_dir(folder.path("etc")).unwrap();
    folder.write("precious", "precious");
    for name in [".setup.new", "users.toml"] {
        symlink(folder.path("precious"), folder.etc(name)).unwrap();
    }
    let run = Run::of(all(&folder).output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(folder.read("precious"), b"precious");
    assert!(fs::symlink_metadata(folder.etc("users.toml")).unwrap().is_symlink());
    // As the lock it is refused.
    fs::remove_file(folder.etc("client.crt")).unwrap();
    symlink(folder.path("precious"), folder.etc(".setup.lock")).unwrap();
    let run = Run::of(all(&folder).output().unwrap());
    assert!(run.code == 2 && run.stderr.contains(".setup.lock cannot be opened"), "{run:?}");
    assert_eq!(folder.read("precious"), b"precious");
}

#[test]
fn a_configuration_of_ones_own_says_where_the_files_are() {
    let folder = Folder::begun();
    let text = fs::read_to_string(folder.etc("mobileid.toml")).unwrap();
    let text = text.replace("\"client.", "\"private/ours.").replace("[\"trust\"]", "[\"private/roots\"]");
    fs::write(folder.etc("mobileid.toml"), text).unwrap();
    fs::create_dir(folder.etc("private")).unwrap();
    folder.root("root", "/CN=Test Root");
    let named = super::fingerprint(&folder.path("root.crt"));
    let run = folder.setup(&[
        "--organisation",
        "X",
        "--country",
        "CH",
        "--key",
        "rsa-2048",
        "--trust",
        &folder.text("root.crt"),
        "--trust-sha256",
        &named,
    ]);
    assert!(run.code == 1 && run.stdout.contains("--- heartbeat ---"), "{run:?}");
    let there = folder.there();
    let private: Vec<_> = there.iter().filter(|name| name.starts_with("private/")).collect();
    assert!(private.len() == 3 && private[2].starts_with("private/roots/root-"), "{private:?}");
}

#[test]
fn the_usual_folder_is_roots_alone() {
    let run = if nix::unistd::geteuid().is_root() {
        // Where everybody may run it: the build's folder may be root's alone.
        let copy = std::env::temp_dir().join(format!("mobileidctl-{}", std::process::id()));
        fs::copy(binary().get_program(), &copy).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--clear-groups"]).arg(&copy).arg("setup").args(CONTRACT);
        let output = command.stdin(Stdio::null()).output();
        fs::remove_file(copy).unwrap();
        Run::of(output.unwrap())
    } else {
        ctl(&[&["setup"], &CONTRACT[..]].concat())
    };
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert_eq!(run.stderr, "mobileidctl: /etc/mobileid is root's: run this as root\n");
}
