//! What a person sees while something takes long, and what a log does not.

use std::{fs, net::TcpListener};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    pty::Watched,
    simulated::world,
    support::{Folder, Run, binary},
};

/// How the line begins and ends that is written over again.
const BEGINS: &str = "\r\u{1b}[K\u{1b}[?7l          waiting for ";
const ENDS: &str = " s at most (Ctrl-C gives up)\u{1b}[?7h";

fn watched(arguments: &[&str], term: &str) -> Run {
    let mut command = binary();
    command.args(arguments);
    Watched::start(command, term).ended()
}

/// What is left on the screen, as far as it matters here: a line that was taken away is not on it.
fn left(screen: &str) -> Vec<&str> {
    screen.split('\n').map(|line| line.rsplit("\u{1b}[K").next().unwrap().trim_end_matches('\r')).collect()
}

/// A server that takes connections, and says nothing.
fn silent() -> (TcpListener, u16) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    (server, port)
}

#[test]
fn a_silent_service_is_waited_for_visibly_and_nothing_of_it_stays() {
    let (_server, port) = silent();
    let folder = Folder::sound();
    folder.edit("https://127.0.0.1:1", &format!("https://127.0.0.1:{port}"));
    folder.edit("connect = 1", "connect = 3");
    let config = folder.text("mobileid.toml");
    let run = watched(&["heartbeat", "--config", &config], "xterm");
    assert_eq!(run.code, 1, "{run:?}");
    for passed in [1, 2] {
        let line = format!("{BEGINS}the answer of 127.0.0.1:{port}: {passed} s of 13{ENDS}");
        assert!(run.stderr.contains(&line), "{line:?} is missing: {run:?}");
    }
    assert!(left(&run.stderr).iter().all(|line| !line.contains("waiting")), "{run:?}");
    // JSON is for programs: not a word, on whatever terminal.
    let run = watched(&["heartbeat", "--json", "--config", &config], "xterm");
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
}

#[test]
fn directories_that_are_away_are_waited_for_by_every_verb_that_asks_them() {
    let (_server, port) = silent();
    let folder = Folder::sound();
    let table = fs::read_to_string(folder.path("mobileid.toml")).unwrap();
    let slow = format!(
        "{table}[[directory]]\ntype = \"ldap\"\nname = \"corp\"\nservers = [\"ldap://127.0.0.1:{port}\"]\n\
         bind = \"anonymous\"\nbase = \"dc=x\"\nfilter = \"(uid={{user}})\"\ntimeout = 2\n"
    );
    folder.write("mobileid.toml", slow);
    let (config, state) = (folder.text("mobileid.toml"), folder.text("state"));
    for verb in [&["whois", "bob"][..], &["login", "bob"], &["enrol", "bob"], &["serial", "show", "bob"]] {
        let rest = ["--config", &config, "--state", &state];
        let run = watched(&[verb, &rest].concat(), "xterm");
        assert_ne!(run.code, 0, "{run:?}");
        let line = format!("{BEGINS}the directories: 1 s of 2{ENDS}");
        assert!(run.stderr.contains(&line), "{verb:?}: {run:?}");
        assert!(left(&run.stderr).iter().all(|line| !line.contains("waiting")), "{verb:?}: {run:?}");
    }
    // A terminal that can take nothing back is told once.
    let run = watched(&["whois", "bob", "--config", &config, "--state", &state], "dumb");
    assert_eq!(run.stderr, "waiting for the directories, 2 s at most\r\n", "{run:?}");
    // And where nobody watches, nothing is.
    let run =
        Run::of(binary().args(["whois", "bob", "--config", &config, "--state", &state]).output().unwrap());
    assert_eq!(run.stderr, "", "{run:?}");
}

#[test]
fn the_phone_is_waited_for_second_by_second() {
    let (config, state) = (world().config(|config| config), world().simulator.state_dir().join("state"));
    let mut command = binary();
    command.args(["login", "grace", "--config", &config, "--state"]).arg(state);
    let mut login = Watched::start(command, "xterm");
    login.wait_for(&format!("{BEGINS}the phone: 2 s of 90{ENDS}"));
    kill(Pid::from_raw(i32::try_from(login.child.id()).unwrap()), Signal::SIGINT).unwrap();
    let run = login.ended();
    assert_eq!(run.code, 1, "{run:?}");
    assert!(left(&run.stderr).iter().all(|line| !line.contains("waiting")), "{run:?}");
}

#[test]
fn who_identifies_people_is_waited_for() {
    let (_server, port) = silent();
    let folder = Folder::sound();
    folder.write("srs-secret", "Swordfish\n");
    let srs = format!(
        "[srs]\nurl = \"https://127.0.0.1:{port}\"\nevidence_url = \"https://127.0.0.1:{port}\"\nclient_id = \"acme\"\n\
         client_secret_file = \"srs-secret\"\nserver_trust = \"root.crt\"\n\n[users]"
    );
    folder.edit("[users]", &srs);
    folder.edit("connect = 1", "connect = 2");
    let config = folder.text("mobileid.toml");
    let name = ["--first-name", "E", "--last-name", "M", "--country", "CH"];
    for (verb, limit) in [
        (&["methods"][..], 80),
        (&["status", "1-2-3"], 80),
        (&[&["verify", "--mobile", "+41791234567"][..], &name].concat(), 20),
    ] {
        let run = watched(&[&["identify"], verb, &["--config", &config]].concat(), "xterm");
        assert_eq!(run.code, 2, "{run:?}");
        let line = format!("{BEGINS}the Smart Registration Service: 1 s of {limit}{ENDS}");
        assert!(run.stderr.contains(&line), "{verb:?}: {run:?}");
    }
    // The wait that is asked for is counted to its own end, through outages.
    let status =
        ["identify", "status", "1-2-3", "--wait", "--for", "3s", "--every", "1s", "--config", &config];
    let run = watched(&status, "xterm");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains(&format!("{BEGINS}the identification: 2 s of 3{ENDS}")), "{run:?}");
    assert!(left(&run.stderr).contains(&"waited long enough"), "{run:?}");
}

#[test]
fn programs_that_take_their_time_are_named() {
    let folder = Folder::sound();
    let slow = |name: &str| {
        folder.write(name, "#!/bin/sh\nsleep 1.5\necho usepam yes\n");
        folder.mode(name, 0o700);
    };
    fs::create_dir_all(folder.path("root/etc/pam.d")).unwrap();
    folder.write("root/etc/pam.d/sshd", "auth required pam_mobileid.so\n");
    slow("sshd");
    let (root, sshd) = (folder.text("root"), folder.text("sshd"));
    let run = watched(&["doctor", "--root", &root, "--sshd", &sshd], "xterm");
    assert!(run.stderr.contains("waiting for sshd -T: 1 s, sshd decides how long"), "{run:?}");
    fs::create_dir(folder.path("bin")).unwrap();
    slow("bin/systemctl");
    let mut reload = binary();
    let path = std::env::join_paths(["bin", "/usr/bin", "/bin"].map(|name| folder.path(name))).unwrap();
    reload.arg("reload").env("PATH", path);
    let run = Watched::start(reload, "xterm").ended();
    let line =
        "waiting for mobileid-radiusd.service to read its configuration: 1 s, its TimeoutStartSec decides";
    assert!(run.code == 0 && run.stderr.contains(line), "{run:?}");
}
