//! People whom a program knows: it runs inside sshd, sudo and su, and none of them notices.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mobileid_tests::radius::{SECRET, Verdict};
use mobileid_tests::{Conversation, Lab, Methods, PASSWORD, Simulator, nothing_left};

use crate::support::{SOON, kept_out, let_in, no_push, one_push, pam, to_the_end};

/// Knows judy and has alice's number for her. It notes whom it is asked for, as whom it runs, and where.
const PROGRAM: &str = r#"#!/bin/sh
echo "$1: $(id -ru) $(id -u) $(id -rg) $(id -g) $(id -G) $(pwd) $(readlink /proc/$$/fd/0)" >> /run/lab/asked
[ "$1" = judy ] || exit 1
echo '{"msisdn": "+NUMBER", "language": "en", "id": "4711"}'
"#;

/// What it notes wherever it runs: root and nothing else, in the folder `/`, at no terminal.
const AS_ROOT: &str = "judy: 0 0 0 0 0 / /dev/null";

/// Knows nobody.
const NOBODY: &str = "#!/bin/sh\nexit 1\n";

/// Is in trouble, as an interpreter is with a script that has a mistake.
const IN_TROUBLE: &str = "#!/bin/sh\necho the database is away >&2\nexit 1\n";

/// Never ends.
const HANGS: &str = "#!/bin/sh\ntrap '' TERM\necho $$ > /run/lab/hanging\nsleep 1000 & wait\n";

fn world<'lab>(lab: &'lab Lab, program: &str) -> Result<Simulator<'lab>> {
    let mobile_id = lab.simulator()?;
    let number = mobile_id.number("alice")?;
    becomes(lab, &program.replace("NUMBER", &number))?;
    let directory = "[[directory]]\ntype = \"command\"\nname = \"hr\"\ncommand = [\"/run/lab/phone-of\"]\n";
    mobile_id.configure(directory)?;
    for service in ["sshd", "sudo", "su"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    Ok(mobile_id)
}

/// What the program is from now on.
fn becomes(lab: &Lab, program: &str) -> Result<()> {
    lab.write("/run/lab/phone-of", 0o755, program)
}

fn asked(lab: &Lab) -> Result<Vec<String>> {
    let noted = fs::read_to_string(lab.path("/run/lab/asked"))?;
    Ok(noted.lines().map(str::to_owned).collect())
}

#[test]
fn it_runs_as_root_alone_in_sshd_in_sudo_and_in_su() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, PROGRAM)?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("judy", Methods::Interactive)?;
    session.press_enter_at_code()?;
    session.expect("granted to judy")?;
    let_in(&session.finish()?)?;

    // From a folder of their own: programs may take their parts from where they begin.
    for (user, command, granted) in [
        // The real user is the one who calls, and a shell would go back to that one.
        ("judy", "sudo -k sh -c 'echo granted to $(id -un)'", "granted to root"),
        ("bob", "su judy -c 'echo granted to $(id -un)'", "granted to judy"),
    ] {
        let mut shell = lab.command_as(user, "sh")?;
        shell.args(["-c", &format!("cd && exec {command}")]);
        let ended = to_the_end(lab.terminal(&shell)?)?;
        let_in(&ended)?;
        ensure!(ended.shown.contains(granted), "{}", ended.shown);
    }
    ensure!(mobile_id.pushes("alice")?.len() == 3, "{:#?}", mobile_id.journal()?);
    let asked = asked(&lab)?;
    ensure!(asked.len() >= 3 && asked.iter().all(|line| line == AS_ROOT), "{asked:#?}");
    Ok(())
}

#[test]
fn the_password_method_of_sshd_lets_in_as_well() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, PROGRAM)?;
    lab.pam_service("sshd", &format!("auth requisite pam_unix.so nodelay\n{}", lab.module("")?))?;
    // Here PAM runs in the process that the whole connection goes on in.
    let sshd = lab.sshd(&["PasswordAuthentication yes", "KbdInteractiveAuthentication no"])?;
    let mut session = sshd.login("judy", Methods::Password)?;
    session.expect("password:")?;
    session.send_line(PASSWORD)?;
    session.expect("granted to judy")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    ensure!(asked(&lab)?.iter().all(|line| line == AS_ROOT), "{:#?}", asked(&lab)?);
    Ok(())
}

#[test]
fn whom_it_does_not_know_is_kept_out_and_so_is_everybody_when_it_is_in_trouble() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, PROGRAM)?;
    let sshd = lab.sshd(&[])?;
    becomes(&lab, NOBODY)?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.syslog().wait_for("not-enrolled")?;
    becomes(&lab, IN_TROUBLE)?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.syslog().wait_for("hr: the program ends with 1 and complains: the database is away")?;
    // Nobody is let in by a program that others may change.
    lab.write("/run/lab/phone-of", 0o777, PROGRAM)?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.syslog().wait_for("/run/lab/phone-of may be changed by others: chmod go-w it")?;
    no_push(&mobile_id)
}

#[test]
fn it_leaves_nothing_in_the_host() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = world(&lab, PROGRAM)?;
    lab.pam_service("door", &lab.module("")?)?;
    let program = fs::read_to_string(lab.path("/run/lab/phone-of"))?;
    for (program, result) in
        [(program.as_str(), pam::SUCCESS), (NOBODY, pam::USER_UNKNOWN), (IN_TROUBLE, pam::AUTHINFO_UNAVAIL)]
    {
        becomes(&lab, program)?;
        let rounds = lab.ask("door", "judy", 25, Conversation::Talk)?;
        ensure!(rounds.iter().all(|round| round.result == result), "{program}: {rounds:?}");
        nothing_left(&rounds)?;
    }
    Ok(())
}

#[test]
fn a_host_that_keeps_no_children_lets_nobody_in() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, PROGRAM)?;
    // Whoever calls su decides whether it hears of its children.
    let mut shell = lab.command_as("bob", "bash")?;
    shell.args(["--norc", "-c", "trap '' CHLD; exec su judy -c 'echo granted to $(id -un)'"]);
    kept_out(&to_the_end(lab.terminal(&shell)?)?)?;
    lab.syslog().wait_for("which does not keep its children")?;
    no_push(&mobile_id)
}

/// Whether the program, or what it has started, is still there.
fn hangs(lab: &Lab) -> Result<bool> {
    let mut found = false;
    for process in lab.processes()? {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        found |= line.contains("phone-of") || line.contains("sleep 1000");
    }
    Ok(found)
}

fn wait_until_gone(lab: &Lab) -> Result<()> {
    let by = Instant::now() + SOON;
    while hangs(lab)? {
        ensure!(Instant::now() < by, "the program is still there");
        // A process of others tells nobody that it has ended.
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

#[test]
fn the_program_of_the_guide_knows_who_stands_in_its_file() -> Result<()> {
    let lab = Lab::new()?;
    let guide = include_str!("../../../docs/directories.md");
    let sample = guide.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    let mobile_id = world(&lab, sample.context("the guide has a program")?)?;
    let number = mobile_id.number("alice")?;
    lab.write("/etc/phones", 0o600, &format!("bob +41790000000\n7 +41790000001\njudy +{number}\n"))?;
    let sshd = lab.sshd(&[])?;
    let mut session = sshd.login("judy", Methods::Interactive)?;
    session.press_enter_at_code()?;
    session.expect("granted to judy")?;
    let_in(&session.finish()?)?;
    one_push(&mobile_id, "alice")?;
    let ends = |name: &str| -> Result<Option<i32>> {
        Ok(lab.run(lab.command("/run/lab/phone-of").arg(name))?.status.code())
    };
    for (name, code) in
        [("bob", 0), ("7", 0), ("7.0", 1), ("ju.*", 1), ("judy\\n", 1), ("$1", 1), ("\" || 1 || \"", 1)]
    {
        ensure!(ends(name)? == Some(code), "{name}: {:?}", ends(name)?);
    }
    fs::remove_file(lab.path("/etc/phones"))?;
    ensure!(ends("bob")? == Some(2), "{:?}", ends("bob")?);
    Ok(())
}

#[test]
fn a_program_that_hangs_is_ended_with_all_it_has_started() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, HANGS)?;
    mobile_id.configure("timeout = 1")?;
    let sshd = lab.sshd(&[])?;
    kept_out(&sshd.login("judy", Methods::Interactive)?.finish()?)?;
    lab.syslog().wait_for("hr: the program does not end within 1 s")?;
    wait_until_gone(&lab)?;
    no_push(&mobile_id)
}

#[test]
fn whoever_gives_up_takes_the_program_along() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, HANGS)?;
    mobile_id.configure("timeout = 30")?;
    let sshd = lab.sshd(&[])?;
    let session = sshd.login("judy", Methods::Interactive)?;
    let by = Instant::now() + SOON;
    while !lab.path("/run/lab/hanging").exists() {
        ensure!(Instant::now() < by, "the program was never asked");
        std::thread::sleep(Duration::from_millis(20));
    }
    // sshd ends the process that PAM runs in with a signal that leaves the module no time.
    drop(session);
    let main = fs::read_to_string(lab.path("/run/lab/hanging"))?;
    let main = main.trim();
    let by = Instant::now() + SOON;
    let runs = || -> Result<bool> {
        let mut ps = lab.command("ps");
        let said = lab.run(ps.args(["-o", "pid=", "-p", main]))?;
        Ok(!said.stdout.is_empty())
    };
    while runs()? {
        ensure!(Instant::now() < by, "the program outlives its login");
        std::thread::sleep(Duration::from_millis(50));
    }
    no_push(&mobile_id)
}

#[test]
fn over_radius_it_is_asked_as_well() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = world(&lab, PROGRAM)?;
    let client = format!(
        "[[client]]\nname = \"vpn\"\naddress = [\"127.0.0.1\"]\nsecret = \"{SECRET}\"\nfirst_factor = \"none\"\n\
         password = \"ignored\"\n"
    );
    let radiusd = lab.responder(&client)?;
    let ask = |user: &str| {
        let asked = format!("User-Name={user},User-Password=\"x\",Message-Authenticator=0x00");
        lab.radclient(radiusd.port(), &asked, &[])?.finish()
    };
    let answer = ask("judy")?;
    ensure!(answer.verdict == Verdict::Accept, "{answer:#?}\n{:#?}", radiusd.log().all());
    one_push(&mobile_id, "alice")?;
    let answer = ask("oscar")?;
    ensure!(answer.verdict == Verdict::Reject, "{answer:#?}");
    radiusd.audit_log().wait_for("\"reason\":\"not-enrolled\"")?;
    asked(&lab)?.first().context("it was asked").map(drop)
}
