//! Access-Challenge: what a person is to do, and the State with which the next packet finds the login again.

use mobileid::config::MessagingMode;

use super::{
    Fate, LoginId, Server, Turn,
    answer::Question,
    login::{Login, Phase, Verdict, Waiting},
};
use crate::state::{Holder, NodeId, Stage, Token};

impl Server {
    /// Challenges those of a login's packets whose time has come.
    pub(super) fn challenge(&mut self, turn: &mut Turn<'_>, id: LoginId) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        let now = turn.now.instant;
        let (challenged, rest): (Vec<Waiting>, Vec<Waiting>) = match &login.phase {
            Phase::Questioned(_) => (std::mem::take(&mut login.waiters), Vec::new()),
            Phase::Phone if login.shown.is_some() => {
                let ready = login.ready;
                std::mem::take(&mut login.waiters)
                    .into_iter()
                    .partition(|waiting| waiting.wants_challenge(ready, now))
            }
            _ => return self.set_timer(id),
        };
        login.waiters = rest;
        for Waiting { waiter, .. } in challenged {
            self.challenge_one(turn, id, &waiter);
        }
        self.set_timer(id);
    }

    fn challenge_one(&mut self, turn: &mut Turn<'_>, id: LoginId, waiter: &super::answer::Waiter) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        let holder =
            Holder { group: &login.client.group, user: login.request.user.as_str(), station: &login.station };
        let state = self.keys.state.seal(&token(self.keys.node, id, login), holder, turn.octets());
        let answer = state.and_then(|state| {
            let question = match &login.phase {
                Phase::Questioned(asked) => {
                    Question { text: &asked.text, state: &state, passed_on: &asked.passed_on }
                }
                _ => Question {
                    text: login.shown.as_deref().unwrap_or_default(),
                    state: &state,
                    passed_on: &[],
                },
            };
            waiter.challenge(&question, turn).ok()
        });
        match answer {
            Some(answer) => {
                login.token_out = true;
                self.send(turn, waiter, answer, Fate::Challenged);
            }
            // A client that leaves no room for a State cannot come back with it.
            None => {
                self.too_long(turn, &waiter.client);
                self.give(turn, waiter, &Verdict::Refused(String::new()));
            }
        }
    }
}

/// What the State of a login says now.
fn token(node: NodeId, id: LoginId, login: &Login) -> Token {
    let stage = match login.phase {
        Phase::Questioned(_) => Stage::FirstFactor(login.questions),
        _ => Stage::Phone,
    };
    // What the first factor's server granted has no room in a State, and another node would leave it out: a login
    // with such attributes is finished here.
    let handed_on = login.passed_on.is_empty() && stage == Stage::Phone;
    let (node, login_id) = login.handed_on.unwrap_or((node, id));
    Token {
        stage,
        node,
        login: login_id,
        expires: login.expires,
        ticket: login.ticket.clone().filter(|_| handed_on),
    }
}

/// Whether a State is whole once the notice is known: in the asynchronous mode the ticket comes after it.
pub(super) fn ready_when_shown(login: &Login) -> bool {
    login.settings.setup.config.mode == MessagingMode::Synch
}
