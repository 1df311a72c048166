//! A packet with a State: the answer to a challenge of ours.
//!
//! ```text
//!   opens? ── no: foreign, too old ─────────────────────────────────────> refused
//!     │ a login of this run                │ of another node
//!     ├─ it waits for the phone ─> joined  ├─ with a ticket ─> finished here, once
//!     ├─ it was asked back ─> upstream     └─ without ────────────────────> refused
//!     ├─ it has ended: its verdict, if nobody had it; an accept again, for a moment
//!     └─ it is forgotten ────────────────────────────────────────────────> refused
//! ```
//!
//! The seal proves for whom the State was made, so a packet with it needs no other credential to wait for the phone.
//! That holds for a State that went out with the phone's code. One that went out with a question of the first
//! factor's server proves nothing yet: it leads to that server with what the person has typed, or to the login that
//! the very same answer has brought further.

use std::sync::Arc;

use mobileid::{
    config::MessagingMode,
    login::{Request, Ticket},
    outcome::Reason,
};

use super::{
    LoginId, Server, Turn,
    answer::Waiter,
    login::{Login, Phase},
    question::Question,
};
use crate::{
    config::FirstFactor,
    packet::Packet,
    state::{Stage, Token, Unsealed},
    upstream::{Ask, Continuation},
};

/// What a State leads to.
enum Way {
    /// The login waits for the phone, or for what this same packet has brought.
    Join(LoginId),
    /// The first factor's server has asked back.
    Answer(LoginId, Continuation),
    /// The login has ended.
    Collect(LoginId),
    /// Another node began it.
    Resume(Box<Ticket>),
    /// Nowhere.
    Nowhere(&'static str),
}

impl Server {
    pub(super) fn follow_up(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: Waiter,
        packet: &Packet<'_>,
        question: Question,
        state: &[u8],
    ) {
        let opened = self.keys.state.open(state, question.holder(&waiter.client), turn.now.wall);
        let token =
            match opened {
                Ok(token) => token,
                Err(unsealed) => {
                    return self.invalid(turn, &waiter, question.request, match unsealed {
                    Unsealed::Foreign => {
                        "the State is none of ours, or of another user, client group or calling station"
                    }
                    Unsealed::Expired => "the State is too old",
                });
                }
            };
        match self.way(&token, &question) {
            Way::Join(id) => self.join(turn, id, waiter, token.stage == Stage::Phone),
            Way::Answer(id, continuation) => self.answer(turn, (id, continuation), waiter, packet, question),
            Way::Collect(id) => {
                let ended = self.ended.get_mut(id);
                let verdict = ended.and_then(|ended| match token.stage {
                    Stage::Phone => ended.collect(turn.now.instant),
                    Stage::FirstFactor(_) => ended.repeat(turn.now.instant),
                });
                match verdict {
                    Some(verdict) => self.give_again(turn, &waiter, &verdict),
                    None => self.invalid(turn, &waiter, question.request, "the State was used already"),
                }
            }
            Way::Resume(ticket) => self.resume(turn, waiter, question, &token, *ticket),
            Way::Nowhere(detail) => self.invalid(turn, &waiter, question.request, detail),
        }
    }

    fn way(&mut self, token: &Token, question: &Question) -> Way {
        let origin = (token.node, token.login);
        let id = if token.node == self.keys.node {
            Some(token.login)
        } else {
            self.handed_on.get(&origin).copied().or_else(|| self.ended.handed_on(&origin))
        };
        let Some(id) = id else { return self.elsewhere(token) };
        if let Some(login) = self.logins.get(&id) {
            return of_pending(id, login, token.stage, question);
        }
        match self.ended.get_mut(id) {
            // What answered the question is part of the key.
            Some(ended) if token.stage == Stage::Phone || ended.key == question.key => Way::Collect(id),
            _ => Way::Nowhere("the login of the State has ended"),
        }
    }

    /// A login of another node, or of an earlier run of this one.
    fn elsewhere(&self, token: &Token) -> Way {
        if self.settings.setup.config.mode != MessagingMode::Asynch {
            return Way::Nowhere("the State is of another node or an earlier run");
        }
        match token.ticket.as_deref().map(Ticket::decode) {
            Some(Some(ticket)) if token.stage == Stage::Phone => Way::Resume(Box::new(ticket)),
            _ => Way::Nowhere("the State is of another node or an earlier run, and carries no transaction"),
        }
    }

    /// What the person answers goes to the server that asked.
    fn answer(
        &mut self,
        turn: &mut Turn<'_>,
        to: (LoginId, Continuation),
        waiter: Waiter,
        packet: &Packet<'_>,
        question: Question,
    ) {
        let (id, continuation) = to;
        let Some(login) = self.logins.get_mut(&id) else { return };
        // The one that asked, also after a reload, and whichever of the group's clients brings the answer.
        let FirstFactor::Upstream { upstream, .. } = &login.client.first_factor else { return };
        match Ask::of(packet, &waiter.client.secret, Arc::clone(upstream), Some(continuation)) {
            Ok(ask) => {
                // From here on the packet that began the login is no longer enough to join it.
                self.joining.ended(&login.key, id);
                login.key = question.key;
                // The rules are asked with each packet, and the last one counts.
                (login.then, login.rule) = (question.then, question.rule);
                self.ask_upstream(turn, id, ask);
                self.join(turn, id, waiter, false);
            }
            Err(why) => {
                let detail = why.to_string();
                self.refuse_at_once(turn, &waiter, question.request, Reason::RequestInvalid, &detail);
            }
        }
    }

    fn invalid(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, request: Request, detail: &str) {
        self.refuse_at_once(turn, waiter, request, Reason::StateInvalid, detail);
    }
}

fn of_pending(id: LoginId, login: &Login, stage: Stage, question: &Question) -> Way {
    match (&login.phase, stage) {
        (Phase::Abandoned, _) => Way::Nowhere("the time for the login of the State is over"),
        (Phase::Questioned(asked), Stage::FirstFactor(number)) if number == login.questions => {
            Way::Answer(id, asked.continuation.clone())
        }
        (_, Stage::Phone) => Way::Join(id),
        (_, Stage::FirstFactor(_)) if login.key == question.key => Way::Join(id),
        (_, Stage::FirstFactor(_)) => Way::Nowhere("the question of the State was answered already"),
    }
}
