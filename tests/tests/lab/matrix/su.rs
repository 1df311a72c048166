//! su: who becomes root is asked on their own phone, who becomes somebody else on that one's.

use anyhow::Result;
use mobileid_tests::{Lab, PASSWORD, Prompt};

use super::{Expected, HOSTILE, rows};

rows! { su {
    approve:             In,   1, "accepted verified",              ["Password:", "code ", "granted to dave"];
    refuse:              Out,  1, "denied user-cancel",             ["Password:", "code ", "declined on the phone"];
    service_down:        Out,  0, "denied unreachable-connect",     ["cannot be reached"];
    wrong_first_factor:  Out,  0, "",                               ["Password:", "Authentication failure"];
    unenrolled:          Out,  0, "denied not-enrolled",            ["Password:", "no phone"];
    ctrl_c:              Out,  1, "",                               ["code "];
    no_tty:              In,   1, "accepted verified",              ["code ", "granted to dave"];
    a_login_shell:       In,   1, "accepted verified",              ["Password:", "code ", "granted to dave"];
    root:                In,   1, "accepted verified",              ["Password:", "code ", "granted to root"];
    root_refused:        Out,  1, "denied user-cancel",             ["Password:", "code ", "declined on the phone"];
    hostile_environment: In,   1, "accepted verified",              ["code ", "granted to dave"];
} }

/// There is one way to run it.
fn su() {}

/// How it goes.
struct Story {
    caller: &'static str,
    becomes: &'static str,
    /// Whose phone is asked.
    phone: &'static str,
    options: &'static [&'static str],
    password: &'static str,
    /// The service's first lines.
    first: &'static str,
    environment: &'static [(&'static str, &'static str)],
    terminal: bool,
    /// Whether the Mobile ID service is up.
    service: bool,
    interrupts: bool,
}

const APPROVE: Story = Story {
    caller: "judy",
    becomes: "dave",
    phone: "dave",
    options: &[],
    password: PASSWORD,
    first: "auth requisite pam_unix.so nodelay\n",
    environment: &[],
    terminal: true,
    service: true,
    interrupts: false,
};

fn approve() -> Story {
    APPROVE
}

fn refuse() -> Story {
    Story { becomes: "bob", phone: "bob", ..APPROVE }
}

fn service_down() -> Story {
    Story { service: false, ..APPROVE }
}

fn wrong_first_factor() -> Story {
    Story { password: "wrong", ..APPROVE }
}

fn unenrolled() -> Story {
    Story { caller: "alice", becomes: "judy", phone: "judy", ..APPROVE }
}

/// Grace's phone rings and rings. Ctrl-C ends su itself, and the module with it: what is left is its line before the
/// wait.
fn ctrl_c() -> Story {
    Story { becomes: "grace", phone: "grace", interrupts: true, ..APPROVE }
}

/// A password needs a terminal; the phone does not.
fn no_tty() -> Story {
    Story { terminal: false, first: "", ..APPROVE }
}

fn a_login_shell() -> Story {
    Story { options: &["-"], ..APPROVE }
}

fn root() -> Story {
    Story { caller: "alice", becomes: "root", phone: "alice", ..APPROVE }
}

fn root_refused() -> Story {
    Story { caller: "bob", becomes: "root", phone: "bob", ..APPROVE }
}

fn hostile_environment() -> Story {
    Story { environment: HOSTILE, ..APPROVE }
}

fn play((): (), story: Story, expected: &Expected) -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    if !story.service {
        mobile_id.stop();
    }
    for service in ["su", "su-l"] {
        lab.pam_service(service, &format!("{}{}", story.first, lab.module("")?))?;
    }
    let outer = if story.terminal { "su" } else { "setsid" };
    let mut command = lab.command_as(story.caller, outer)?;
    if !story.terminal {
        command.args(["--wait", "su"]);
    }
    command.args(story.options).args([story.becomes, "-c", "echo granted to $(id -un)"]);
    command.envs(story.environment.iter().copied());
    let mut session = lab.terminal(&command)?;
    let passwords = [story.password];
    let mut person = [Prompt::new("Password:", &passwords)];
    session.answer(&mut person, || Ok(story.interrupts && mobile_id.all_pushes() > 0))?;
    if story.interrupts {
        session.send(b"\x03")?;
    }
    let granted = format!("granted to {}", story.becomes);
    expected.check(&lab, &mobile_id, story.phone, session, &granted)
}
