//! sudo: whoever runs it is asked on their own phone, whoever they become.

use anyhow::Result;
use mobileid_tests::{Lab, PASSWORD, Prompt};

use super::{Expected, HOSTILE, rows};
use crate::support::SHORT;

rows! { sudo {
    approve:             In,   1, "accepted verified",              ["password for alice:", "code ", "granted to root"];
    refuse:              Out,  1, "denied user-cancel",             ["code ", "declined on the phone"];
    time_out:            Out,  1, "denied expired-transaction",     ["code ", "no answer from your phone"];
    service_down:        Out,  0, "3x denied unreachable-connect",  ["cannot be reached"];
    wrong_first_factor:  Out,  0, "",                               ["password for alice:", "3 incorrect password attempts"];
    unenrolled:          Out,  0, "denied not-enrolled",            ["password for judy:", "no phone"];
    ctrl_c:              Out,  1, "denied cancelled",               ["code "];
    no_tty:              In,   1, "accepted verified",              ["code ", "granted to root"];
    n:                   Out,  0, "",                               ["a password is required"];
    n_where_allowed:     In,   1, "accepted verified",              ["granted to root"];
    other:               In,   1, "accepted verified",              ["password for alice:", "code ", "granted to dave"];
    hostile_environment: In,   1, "accepted verified",              ["code ", "granted to root"];
} }

/// There is one way to run it.
fn sudo() {}

/// How it goes.
struct Story {
    user: &'static str,
    options: &'static [&'static str],
    becomes: &'static str,
    password: &'static str,
    /// The service's first lines.
    first: &'static str,
    sudoers: &'static str,
    environment: &'static [(&'static str, &'static str)],
    terminal: bool,
    /// Whether the Mobile ID service is up.
    service: bool,
    interrupts: bool,
}

const APPROVE: Story = Story {
    user: "alice",
    options: &[],
    becomes: "root",
    password: PASSWORD,
    first: "auth requisite pam_unix.so nodelay\n",
    sudoers: "",
    environment: &[],
    terminal: true,
    service: true,
    interrupts: false,
};

fn approve() -> Story {
    APPROVE
}

fn refuse() -> Story {
    Story { user: "bob", ..APPROVE }
}

fn time_out() -> Story {
    Story { user: "frank", ..APPROVE }
}

fn service_down() -> Story {
    Story { service: false, ..APPROVE }
}

fn wrong_first_factor() -> Story {
    Story { password: "wrong", ..APPROVE }
}

fn unenrolled() -> Story {
    Story { user: "judy", ..APPROVE }
}

/// Grace's phone rings and rings.
fn ctrl_c() -> Story {
    Story { user: "grace", interrupts: true, ..APPROVE }
}

/// A password needs a terminal; the phone does not.
fn no_tty() -> Story {
    Story { terminal: false, first: "", ..APPROVE }
}

fn n() -> Story {
    Story { options: &["-n"], first: "", ..APPROVE }
}

fn n_where_allowed() -> Story {
    Story { sudoers: "Defaults noninteractive_auth", ..n() }
}

fn other() -> Story {
    Story { options: &["-u", "dave"], becomes: "dave", ..APPROVE }
}

fn hostile_environment() -> Story {
    Story { environment: HOSTILE, ..APPROVE }
}

fn play((): (), story: Story, expected: &Expected) -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    mobile_id.configure(if story.user == "frank" { SHORT } else { "" })?;
    if !story.service {
        mobile_id.stop();
    }
    lab.pam_service("sudo", &format!("{}{}", story.first, lab.module("")?))?;
    let sudoers = std::fs::read_to_string(lab.path("/etc/sudoers"))?;
    lab.write("/etc/sudoers", 0o440, &format!("{sudoers}{}\n", story.sudoers))?;

    let outer = if story.terminal { "sudo" } else { "setsid" };
    let mut command = lab.command_as(story.user, outer)?;
    if !story.terminal {
        command.args(["--wait", "sudo"]);
    }
    command.args(story.options).args(["sh", "-c", "echo granted to $(id -un)"]);
    command.envs(story.environment.iter().copied());
    let mut session = lab.terminal(&command)?;
    let passwords = [story.password];
    let mut person = [Prompt::new("password for", &passwords)];
    session.answer(&mut person, || Ok(story.interrupts && mobile_id.all_pushes() > 0))?;
    if story.interrupts {
        session.send(b"\x03")?;
    }
    let granted = format!("granted to {}", story.becomes);
    expected.check(&lab, &mobile_id, story.user, session, &granted)
}
