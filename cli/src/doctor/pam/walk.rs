//! Walks through an auth stack on every way that its modules' results may lead, as Linux-PAM's dispatcher does.
//!
//! ```text
//!   pam_unix ── success ──> jump 1 ──────────> pam_permit ──> pam_mobileid ── success ──> in
//!      │                                                          └────────── refused ──> out?
//!      └─────── auth_err ──> pam_deny (requisite) ──> out                     the walk tells
//! ```
//!
//! A way is a [`State`]; there are few, so the walk carries a set of them from step to step and ends. A jump and an
//! end always go forward.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Action, Line, Step};

/// What a module is, as far as a stack depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ours,
    /// Checks a password or a ticket.
    Password,
    /// Another second factor.
    Token,
    Permit,
    Deny,
    /// Checks no person, and may say anything.
    Other,
}

const PASSWORDS: [&str; 14] = [
    "unix",
    "unix2",
    "pwdb",
    "sss",
    "krb5",
    "ldap",
    "ldapd",
    "winbind",
    "kanidm",
    "himmelblau",
    "systemd_home",
    "userdb",
    "tacplus",
    "tcb",
];
const TOKENS: [&str; 12] = [
    "google_authenticator",
    "u2f",
    "oath",
    "yubico",
    "duo",
    "radius_auth",
    "privacyidea",
    "ssh_agent_auth",
    "fprintd",
    "pkcs11",
    "p11",
    "authd",
];

impl Role {
    pub(crate) fn of(line: &Line) -> Self {
        let file = line.module.rsplit('/').next().unwrap_or_default();
        let name = file.strip_suffix(".so").unwrap_or(file);
        let name = name.strip_prefix("lib").unwrap_or(name);
        let name = name.strip_prefix("pam_").unwrap_or(name);
        match name {
            "mobileid" => Self::Ours,
            "permit" => Self::Permit,
            "deny" => Self::Deny,
            name if PASSWORDS.contains(&name) => Self::Password,
            name if TOKENS.contains(&name) => Self::Token,
            _ => Self::Other,
        }
    }

    /// The results that matter. Ours are those of the module's table of codes, and what PAM says where it is missing.
    fn results(self) -> &'static [&'static str] {
        match self {
            Self::Ours => &[
                "success",
                "auth_err",
                "maxtries",
                "abort",
                "user_unknown",
                "authinfo_unavail",
                "service_err",
                "module_unknown",
            ],
            Self::Password | Self::Token => &["success", "auth_err", "user_unknown", "authinfo_unavail"],
            Self::Permit => &["success"],
            Self::Deny => &["auth_err"],
            Self::Other => &["success", "auth_err", "perm_denied", "ignore"],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Impression {
    Undefined,
    /// With whether the result that made it was a success.
    Positive(bool),
    Negative,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Factor {
    NotAsked,
    Passed,
    Failed,
}

/// What a way through the stack has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    impression: Impression,
    /// What the person has shown before our module.
    first: Factor,
    ours: Factor,
    /// Some other module's verdict was given more weight, as an exemption or an alternative is written.
    excused: bool,
}

/// What can happen, with the place of our line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// Our module runs, and nobody has shown anything.
    NoFirstFactor,
    /// Our module runs after the first factor has failed.
    AfterFailure,
    /// Our module runs a second time.
    Twice,
    /// The stack succeeds after our refusal.
    RefusalIgnored,
    /// The stack succeeds after the first factor, without our module.
    Skipped,
}

/// All that can happen in a stack, each with the place of the first line that it happens at.
pub(crate) fn walk(steps: &[Step]) -> BTreeMap<Event, String> {
    let start = State {
        impression: Impression::Undefined,
        first: Factor::NotAsked,
        ours: Factor::NotAsked,
        excused: false,
    };
    let first = ours(steps).first().map(|line| line.place.clone()).unwrap_or_default();
    let mut walk = Walk { events: BTreeMap::new(), last_ours: first };
    let ends = walk.through(steps, BTreeSet::from([start]));
    for end in ends.iter().filter(|end| end.impression == Impression::Positive(true) && !end.excused) {
        match (end.ours, end.first) {
            (Factor::Failed, _) => walk.at_last_ours(Event::RefusalIgnored),
            (Factor::NotAsked, Factor::Passed) => walk.at_last_ours(Event::Skipped),
            _ => {}
        }
    }
    walk.events
}

/// Our lines in a stack, in their order.
pub(crate) fn ours(steps: &[Step]) -> Vec<&Line> {
    let mut found = Vec::new();
    for step in steps {
        match step {
            Step::Module(line) if Role::of(line) == Role::Ours => found.push(line),
            Step::Module(_) => {}
            Step::Substack(inner) => found.extend(ours(inner)),
        }
    }
    found
}

struct Walk {
    events: BTreeMap<Event, String>,
    last_ours: String,
}

impl Walk {
    fn at_last_ours(&mut self, event: Event) {
        self.events.entry(event).or_insert_with(|| self.last_ours.clone());
    }

    /// Where the ways that begin in front of the steps come out behind them, by the end or by a decision.
    fn through(&mut self, steps: &[Step], start: BTreeSet<State>) -> BTreeSet<State> {
        let mut ends = BTreeSet::new();
        let mut waiting: BTreeMap<usize, BTreeSet<State>> = BTreeMap::from([(0, start)]);
        // The least position first: nothing is added behind it any more.
        while let Some((at, states)) = waiting.pop_first() {
            match steps.get(at) {
                None => ends.extend(states),
                Some(Step::Substack(inner)) => {
                    let behind = self.through(inner, states);
                    waiting.entry(at.saturating_add(1)).or_default().extend(behind);
                }
                Some(Step::Module(line)) => {
                    for (next, state) in states.iter().flat_map(|state| self.call(line, *state)) {
                        let target = match next {
                            Next::End => None,
                            Next::After(skipped) => Some(at.saturating_add(1).saturating_add(skipped)),
                        };
                        match target {
                            None => {
                                ends.insert(state);
                            }
                            // Jumping over more than there is: Linux-PAM takes it for a failure.
                            Some(target) if target > steps.len() => {
                                ends.insert(State { impression: Impression::Negative, ..state });
                            }
                            Some(target) => {
                                waiting.entry(target).or_default().insert(state);
                            }
                        }
                    }
                }
            }
        }
        ends
    }

    fn call(&mut self, line: &Line, state: State) -> Vec<(Next, State)> {
        let role = Role::of(line);
        if role == Role::Ours {
            self.meet_ours(line, state);
        }
        role.results()
            .iter()
            .map(|result| {
                let action = line.control.on(result);
                let success = *result == "success";
                apply(action, success, state.learn(role, success, action))
            })
            .collect()
    }

    fn meet_ours(&mut self, line: &Line, state: State) {
        self.last_ours.clone_from(&line.place);
        let event = match state {
            State { ours: Factor::Passed | Factor::Failed, .. } => Some(Event::Twice),
            State { first: Factor::Failed, .. } => Some(Event::AfterFailure),
            // A stack that has failed already asks in vain, but that is not for want of a first factor.
            State { first: Factor::NotAsked, impression, .. } if impression != Impression::Negative => {
                Some(Event::NoFirstFactor)
            }
            _ => None,
        };
        if let Some(event) = event {
            self.events.entry(event).or_insert_with(|| line.place.clone());
        }
    }
}

enum Next {
    After(usize),
    End,
}

impl State {
    fn learn(self, role: Role, success: bool, action: Action) -> Self {
        let shown = if success { Factor::Passed } else { Factor::Failed };
        let decides = matches!(action, Action::Jump(_) | Action::Done);
        match role {
            Role::Ours => Self { ours: shown, ..self },
            Role::Password | Role::Token if self.ours == Factor::NotAsked => {
                // One that passes is enough: the next one may not know the user.
                Self { first: if self.first == Factor::Passed { Factor::Passed } else { shown }, ..self }
            }
            // An alternative to the phone.
            Role::Token => Self { excused: self.excused || success, ..self },
            // An exemption from the phone.
            Role::Other => Self { excused: self.excused || decides, ..self },
            Role::Password | Role::Permit | Role::Deny => self,
        }
    }
}

fn apply(action: Action, success: bool, state: State) -> (Next, State) {
    use Impression::{Negative, Positive, Undefined};
    let with = |impression| State { impression, ..state };
    let taken = match state.impression {
        Undefined | Positive(true) => Positive(success),
        before => before,
    };
    match action {
        Action::Ignore => (Next::After(0), state),
        Action::Ok => (Next::After(0), with(taken)),
        Action::Done if matches!(taken, Positive(_)) => (Next::End, with(taken)),
        Action::Done => (Next::After(0), with(taken)),
        Action::Bad => (Next::After(0), with(Negative)),
        Action::Die => (Next::End, with(Negative)),
        // In a substack it goes back to how the substack began; nobody writes that.
        Action::Reset => (Next::After(0), with(Undefined)),
        Action::Jump(count) => (Next::After(count), state),
    }
}
