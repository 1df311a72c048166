//! OpenSSH: four ways to ask for two factors, and eleven ways that it goes. Then the newer OpenSSH, which shows
//! the code at once.

use anyhow::Result;
use mobileid_tests::{Lab, Methods, OpenSsh, PASSWORD, Prompt, Simulator, TALKATIVE};

use super::{End, Expected, rows};
use crate::support::SHORT;

rows! { keyboard_interactive {
    approve:            In,   1, "accepted verified",             ["Password:", "press Enter", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["press Enter", "declined on the phone"];
    time_out:           Out,  1, "denied expired-transaction",    ["press Enter", "no answer from your phone"];
    service_down:       Out,  0, "3x denied unreachable-connect", ["cannot be reached"];
    wrong_first_factor: Out,  0, "",                              ["Password:", "Password:", "Password:", "denied"];
    unknown_user:       Out,  0, "",                              ["Password:", "denied"];
    unenrolled:         Out,  0, "3x denied not-enrolled",        ["Password:", "no phone is entered for you"];
    root:               In,   1, "accepted verified",             ["press Enter", "granted"];
    client_killed:      Away, 1, "denied cancelled",              ["press Enter"];
    grace_time:         Out,  1, "",                              ["press Enter", "Connection closed"];
    three_tries:        In,   1, "accepted verified",             ["Password:", "Password:", "Password:", "granted"];
} }

rows! { key_then_keyboard_interactive {
    approve:            In,   1, "accepted verified",             ["press Enter", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["press Enter", "declined on the phone"];
    time_out:           Out,  1, "denied expired-transaction",    ["press Enter", "no answer from your phone"];
    service_down:       Out,  0, "3x denied unreachable-connect", ["cannot be reached"];
    wrong_first_factor: Out,  0, "",                              ["Permission denied (publickey)"];
    unknown_user:       Out,  0, "",                              ["Permission denied (publickey)"];
    unenrolled:         Out,  0, "3x denied not-enrolled",        ["no phone is entered for you"];
    root:               In,   1, "accepted verified",             ["press Enter", "granted"];
    client_killed:      Away, 1, "denied cancelled",              ["press Enter"];
    grace_time:         Out,  1, "",                              ["press Enter", "Connection closed"];
    three_tries:        In,   1, "accepted verified",             ["press Enter", "granted"];
} }

rows! { password {
    approve:            In,   1, "accepted verified",             ["password:", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["password:", "denied"];
    time_out:           Out,  1, "denied expired-transaction",    ["password:", "denied"];
    service_down:       Out,  0, "3x denied unreachable-connect", ["password:", "denied"];
    wrong_first_factor: Out,  0, "",                              ["password:", "password:", "password:", "denied"];
    unknown_user:       Out,  0, "",                              ["password:", "denied"];
    unenrolled:         Out,  0, "3x denied not-enrolled",        ["password:", "denied"];
    root:               In,   1, "accepted verified",             ["password:", "granted"];
    client_killed:      Away, 1, "denied cancelled",              ["password:"];
    grace_time:         Out,  1, "",                              ["password:", "Connection closed"];
    three_tries:        In,   1, "accepted verified",             ["password:", "password:", "password:", "granted"];
} }

rows! { password_then_keyboard_interactive {
    approve:            In,   1, "accepted verified, exempt already-confirmed",
                                                                 ["password:", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["password:", "denied"];
    time_out:           Out,  1, "denied expired-transaction",    ["password:", "denied"];
    service_down:       Out,  0, "3x denied unreachable-connect", ["password:", "denied"];
    wrong_first_factor: Out,  0, "",                              ["password:", "password:", "password:", "denied"];
    unknown_user:       Out,  0, "",                              ["password:", "denied"];
    unenrolled:         Out,  0, "3x denied not-enrolled",        ["password:", "denied"];
    root:               In,   1, "accepted verified, exempt already-confirmed",
                                                                 ["password:", "granted"];
    client_killed:      Away, 1, "denied cancelled",              ["password:"];
    grace_time:         Out,  1, "",                              ["password:", "Connection closed"];
    three_tries:        In,   1, "accepted verified, exempt already-confirmed",
                                                                 ["password:", "password:", "password:", "granted"];
} }

rows! { [cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
newer_keyboard_interactive {
    approve:            In,   1, "accepted verified",             ["Password:", "confirm on your phone", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["confirm on your phone", "declined on the phone"];
    time_out:           Out,  1, "denied expired-transaction",    ["confirm on your phone", "no answer from your phone"];
    service_down:       Out,  0, "3x denied unreachable-connect", ["cannot be reached"];
    wrong_first_factor: Out,  0, "",                              ["Password:", "Password:", "Password:", "denied"];
    unknown_user:       Out,  0, "",                              ["Password:", "denied"];
    unenrolled:         Out,  0, "3x denied not-enrolled",        ["Password:", "no phone is entered for you"];
    root:               In,   1, "accepted verified",             ["confirm on your phone", "granted"];
    client_killed:      Away, 1, "denied cancelled",              ["confirm on your phone"];
    grace_time:         Out,  1, "",                              ["confirm on your phone", "Connection closed"];
    three_tries:        In,   1, "accepted verified",             ["Password:", "Password:", "Password:", "granted"];
} }

rows! { [cfg_attr(not(openssh), ignore = "make deps could not build the newer OpenSSH")]
newer_password_then_keyboard_interactive {
    approve:            In,   1, "accepted verified, exempt already-confirmed",
                                                                 ["password:", "granted"];
    refuse:             Out,  1, "denied user-cancel",            ["password:", "denied"];
    client_killed:      Away, 1, "denied cancelled",              ["password:"];
    grace_time:         Out,  1, "",                              ["password:", "Connection closed"];
} }

/// What the server asks for, and so what the client offers.
struct Way {
    openssh: OpenSsh,
    methods: Methods,
    server: &'static [&'static str],
}

const KEYBOARD_INTERACTIVE: Way =
    Way { openssh: OpenSsh::Machine, methods: Methods::Interactive, server: &[] };

fn keyboard_interactive() -> Way {
    KEYBOARD_INTERACTIVE
}

fn key_then_keyboard_interactive() -> Way {
    Way {
        methods: Methods::KeyThenInteractive,
        server: &["AuthenticationMethods publickey,keyboard-interactive:pam"],
        ..KEYBOARD_INTERACTIVE
    }
}

fn password() -> Way {
    Way {
        methods: Methods::Password,
        server: &["PasswordAuthentication yes", "KbdInteractiveAuthentication no"],
        ..KEYBOARD_INTERACTIVE
    }
}

fn password_then_keyboard_interactive() -> Way {
    Way {
        methods: Methods::PasswordThenInteractive,
        server: &["PasswordAuthentication yes", "AuthenticationMethods password,keyboard-interactive:pam"],
        ..KEYBOARD_INTERACTIVE
    }
}

fn newer_keyboard_interactive() -> Way {
    Way { openssh: OpenSsh::Newer, ..keyboard_interactive() }
}

fn newer_password_then_keyboard_interactive() -> Way {
    Way { openssh: OpenSsh::Newer, ..password_then_keyboard_interactive() }
}

/// How it goes.
struct Story {
    user: &'static str,
    passwords: &'static [&'static str],
    /// Whether the client offers the key that lets everybody in.
    key: bool,
    /// Whether the Mobile ID service is up.
    service: bool,
    leaves: bool,
    server: &'static [&'static str],
}

const APPROVE: Story =
    Story { user: "alice", passwords: &[PASSWORD], key: true, service: true, leaves: false, server: &[] };

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
    Story { passwords: &["wrong"], key: false, ..APPROVE }
}

/// Enrolled, but without an account: see [`enrol`].
fn unknown_user() -> Story {
    Story { user: "ghost", ..APPROVE }
}

fn unenrolled() -> Story {
    Story { user: "judy", ..APPROVE }
}

fn root() -> Story {
    Story { user: "root", server: &["PermitRootLogin yes"], ..APPROVE }
}

/// Grace's phone rings and rings.
fn client_killed() -> Story {
    Story { user: "grace", leaves: true, server: &[TALKATIVE], ..APPROVE }
}

fn grace_time() -> Story {
    Story { user: "grace", server: &["LoginGraceTime 4"], ..APPROVE }
}

/// After a key there is no password to mistake.
fn three_tries() -> Story {
    Story { passwords: &["wrong", "wrong", PASSWORD], ..APPROVE }
}

fn play(way: Way, story: Story, expected: &Expected) -> Result<()> {
    let lab = Lab::new()?;
    let mut mobile_id = lab.simulator()?;
    enrol(&mobile_id)?;
    let timeouts = if story.user == "frank" { SHORT } else { "" };
    mobile_id.configure(timeouts)?;
    if !story.service {
        mobile_id.stop();
    }
    let with_key = way.methods == Methods::KeyThenInteractive;
    let first = if with_key { "" } else { "auth requisite pam_unix.so nodelay\n" };
    lab.pam_service("sshd", &format!("{first}{}", lab.module("")?))?;
    // The story's own lines first: sshd takes the first value it reads for a keyword.
    let sshd = lab.sshd_of(way.openssh, &[story.server, way.server].concat())?;
    // Both methods show a field for a password, one with a capital.
    let mut person = [Prompt::new("assword:", story.passwords), Prompt::new("press Enter", &[""])];
    let methods = if with_key && !story.key { Methods::Interactive } else { way.methods };
    let mut session = sshd.login(story.user, methods)?;
    session.answer(&mut person, || Ok(story.leaves && mobile_id.all_pushes() > 0))?;
    if expected.end == End::Away {
        // In the method `password` PAM runs in sshd itself.
        if matches!(way.methods, Methods::Interactive | Methods::KeyThenInteractive) {
            sshd.wait_until_pam_waits()?;
        }
        session.kill();
    }
    let granted = format!("granted to {}", story.user);
    expected.check(&lab, &mobile_id, story.user, session, &granted)
}

/// root, and somebody who has a Mobile ID but no account.
fn enrol(mobile_id: &Simulator<'_>) -> Result<()> {
    let number = mobile_id.number("alice")?;
    mobile_id.enrol("root", &number)?;
    mobile_id.enrol("ghost", &number)
}
