//! One-time codes for when the service cannot be reached: asked for then and only then, and good once.

use anyhow::{Context, Result, ensure};
use mobileid_tests::{Ended, Lab, Methods, Prompt, Sshd, Terminal};

use crate::support::{audited, kept_out, let_in, log_in, sudo, verdicts};

const QUESTION: &str = "One-time code, if you have one: ";

/// Makes codes for a user, as the administrator does, and reads them off the paper.
fn codes(lab: &Lab, user: &str, count: usize) -> Result<Vec<String>> {
    let tool = lab.bring(&lab.artefacts().mobileidctl()?)?;
    let printed =
        lab.run(lab.command(&tool).args(["breakglass", "create", user, "--count", &count.to_string()]))?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let text = String::from_utf8(printed.stdout)?;
    let is_code = |word: &&str| {
        let groups: Vec<_> = word.split('-').collect();
        groups.len() == 3 && groups.iter().all(|group| group.len() == 4)
    };
    let codes: Vec<_> = text.split_whitespace().filter(is_code).map(str::to_owned).collect();
    ensure!(codes.len() == count, "not {count} codes:\n{text}");
    Ok(codes)
}

/// Answers the question with a code, each time that it is asked.
fn with_code(mut session: Terminal, code: &str) -> Result<Ended> {
    let answers = [code];
    let mut person = [Prompt::new(QUESTION, &answers), Prompt::new("press Enter", &[""])];
    session.answer(&mut person, || Ok(false))?;
    session.finish()
}

fn ssh_with(sshd: &Sshd<'_>, user: &str, code: &str) -> Result<Ended> {
    with_code(sshd.login(user, Methods::Interactive)?, code)
}

fn sudo_with(lab: &Lab, user: &str, code: &str) -> Result<Ended> {
    let mut command = lab.command_as(user, "sudo")?;
    command.args(["-k", "sh", "-c", "echo granted to $(id -un)"]);
    with_code(lab.terminal(&command)?, code)
}

#[test]
fn a_code_lets_in_once() -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    for service in ["sshd", "sudo"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    let sshd = lab.sshd(&[])?;
    let codes = codes(&lab, "alice", 2)?;
    let [first, second] = codes.as_slice() else { anyhow::bail!("two") };
    mobile_id.stop();

    let ended = ssh_with(&sshd, "alice", first)?;
    let_in(&ended)?;
    ensure!(ended.shown.contains(QUESTION), "{}", ended.shown);
    audited(&lab, "alice", &["exempt break-glass"])?;

    kept_out(&ssh_with(&sshd, "alice", first)?)?;
    ensure!(verdicts(&lab, "alice")?.iter().skip(1).all(|verdict| verdict == "denied break-glass-refused"));

    let_in(&sudo_with(&lab, "alice", &second.to_lowercase())?)?;
    let last = verdicts(&lab, "alice")?;
    ensure!(last.last().is_some_and(|verdict| verdict == "exempt break-glass"), "{last:?}");

    for line in lab.syslog().all() {
        ensure!(!codes.iter().any(|code| line.contains(code.as_str())), "a code was logged: {line}");
    }
    // They are used up: nobody is asked for what cannot be.
    let ended = sudo_with(&lab, "alice", first)?;
    kept_out(&ended)?;
    ensure!(!ended.shown.contains(QUESTION), "{}", ended.shown);
    ensure!(mobile_id.all_pushes() == 0);
    Ok(())
}

#[test]
fn nobody_is_asked_for_one_while_the_service_answers() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    for service in ["sshd", "sudo"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    let sshd = lab.sshd(&[])?;
    for user in ["bob", "bad-signature", "http-503"] {
        codes(&lab, user, 1)?;
        for ended in [log_in(&sshd, user, Methods::Interactive)?, sudo(&lab, user)?] {
            kept_out(&ended)?;
            ensure!(!ended.shown.contains(QUESTION), "{user} was asked:\n{}", ended.shown);
        }
    }
    ensure!(mobile_id.all_pushes() > 0, "the service was to be asked");
    Ok(())
}

/// sshd's method `password` asks for the password and nothing else.
#[test]
fn the_password_method_cannot_ask_for_one() -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    lab.pam_service("sshd", &format!("auth requisite pam_unix.so nodelay\n{}", lab.module("")?))?;
    let sshd = lab.sshd(&["PasswordAuthentication yes", "KbdInteractiveAuthentication no"])?;
    codes(&lab, "alice", 1)?;
    mobile_id.stop();
    let ended = log_in(&sshd, "alice", Methods::Password)?;
    kept_out(&ended)?;
    ensure!(!ended.shown.contains(QUESTION), "{}", ended.shown);
    audited(&lab, "alice", &["denied unreachable-connect"; 3])
}

#[test]
fn wrong_codes_are_limited_across_services() -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    for service in ["sshd", "sudo"] {
        lab.pam_service(service, &lab.module("")?)?;
    }
    let sshd = lab.sshd(&[])?;
    let codes = codes(&lab, "alice", 1)?;
    let right = codes.first().context("one")?;
    mobile_id.stop();
    // Each program asks three times at most.
    kept_out(&ssh_with(&sshd, "alice", "AAAA-BBBB-CCCC")?)?;
    kept_out(&sudo_with(&lab, "alice", "AAAA-BBBB-CCCC")?)?;
    while verdicts(&lab, "alice")?.len() < 5 {
        kept_out(&sudo_with(&lab, "alice", "AAAA-BBBB-CCCC")?)?;
    }
    kept_out(&sudo_with(&lab, "alice", right)?)?;
    kept_out(&ssh_with(&sshd, "alice", right)?)?;
    let said = verdicts(&lab, "alice")?;
    ensure!(said.iter().all(|verdict| verdict == "denied break-glass-refused"), "{said:?}");
    Ok(())
}
