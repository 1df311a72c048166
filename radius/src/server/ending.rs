//! The end of a login: its line in the audit, an answer for everybody who waits, and what is kept for who comes later.

use std::sync::Arc;

use mobileid::{
    outcome::{Outcome, Reason, Verdict as Decision},
    text,
};

use super::{
    Action, Fate, Level, LoginId, Server, Turn,
    answer::{Grant, Waiter},
    login::{Ended, Login, Verdict, later},
};
use crate::config::{Client, FirstFactor, Overload};

/// For the record of a login that was to be let in.
pub(super) const TOO_LONG: &str =
    "an Access-Accept with all that is granted would be longer than a packet may be";

impl Server {
    /// The core has decided, or a rule in its place.
    pub(super) fn ended_with(&mut self, turn: &mut Turn<'_>, id: LoginId, outcome: Outcome) {
        let text = outcome.notice.to_string();
        match outcome.verdict {
            Decision::Accepted(_) | Decision::Exempt(_) => self.granted_with(turn, id, outcome, text),
            Decision::Denied(_) => self.refused_with(turn, id, outcome, text),
        }
    }

    fn granted_with(&mut self, turn: &mut Turn<'_>, id: LoginId, outcome: Outcome, text: String) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        let Outcome { audit, evidence, groups, .. } = outcome;
        let grant = Grant { text, groups, passed_on: std::mem::take(&mut login.passed_on) };
        // Asked before it is written down that somebody was let in.
        let waiters = &login.waiters;
        if !waiters.is_empty() && !waiters.iter().any(|waiting| waiting.waiter.has_room_for(&grant, turn)) {
            return self.granted_too_much(turn, id, audit.ap_trans_id);
        }
        turn.out.push(Action::Audit(Box::new(audit)));
        if let Some(proof) = evidence {
            turn.out.push(Action::Keep(Box::new(proof), Arc::clone(&login.settings)));
        }
        self.close(turn, id, Verdict::Granted(grant));
    }

    /// Somebody was to be let in, and no answer that says so would be a packet.
    fn granted_too_much(&mut self, turn: &mut Turn<'_>, id: LoginId, asked: Option<String>) {
        let Some(client) = self.logins.get(&id).map(|login| Arc::clone(&login.client)) else { return };
        self.too_long(turn, &client);
        if let Some(mut outcome) = self.refusal(turn, id, Reason::Internal, TOO_LONG) {
            outcome.audit.ap_trans_id = asked;
            let text = outcome.notice.to_string();
            self.refused_with(turn, id, outcome, text);
        }
    }

    /// A denial with this text for the person.
    ///
    /// Where a password was judged and no phone was asked, it is held back for the client's `reject_delay`, whatever
    /// it is about: a wrong password takes as long as a right one of somebody who may not come in.
    pub(super) fn refused_with(&mut self, turn: &mut Turn<'_>, id: LoginId, outcome: Outcome, text: String) {
        let asked = outcome.audit.ap_trans_id.is_some();
        turn.out.push(Action::Audit(Box::new(outcome.audit)));
        let Some(login) = self.logins.get(&id) else { return };
        let judged = !matches!(login.client.first_factor, FirstFactor::Ignored);
        let delayed = judged && !asked && !login.client.reject_delay.is_zero();
        let in_vain = asked && is_in_vain(&outcome.verdict);
        self.stop_ringing(turn, id, in_vain);
        if delayed {
            self.hold(turn, id, text);
        } else {
            self.close(turn, id, Verdict::Refused(text));
        }
    }

    /// A denial of ours.
    pub(super) fn deny(&mut self, turn: &mut Turn<'_>, id: LoginId, reason: Reason, detail: &str) {
        if let Some(outcome) = self.refusal(turn, id, reason, detail) {
            let text = outcome.notice.to_string();
            self.refused_with(turn, id, outcome, text);
        }
    }

    /// A login that cannot be served now: refused, or met with silence, as `limits.overload` says.
    pub(super) fn cannot_serve(
        &mut self,
        turn: &mut Turn<'_>,
        id: LoginId,
        away: (Reason, Fate),
        detail: &str,
    ) {
        let (reason, fate) = away;
        if let Some(login) = self.logins.get(&id) {
            let client = Arc::clone(&login.client);
            self.say(turn, &client.name, reason.name(), Level::Warning, || {
                format!("a login cannot be served: {reason}: {}", text::escaped(detail, 300))
            });
        }
        match self.limits().overload {
            Overload::Reject => self.deny(turn, id, reason, detail),
            Overload::Silence => {
                let Some(outcome) = self.refusal(turn, id, reason, detail) else { return };
                turn.out.push(Action::Audit(Box::new(outcome.audit)));
                let Some(login) = self.remove(id) else { return };
                self.joining.ended(&login.key, id);
                for waiting in &login.waiters {
                    self.leave(turn, &waiting.waiter, fate);
                }
            }
        }
    }

    /// A login whose time was over has ended. Whatever it says, nobody is let in by it any more.
    pub(super) fn ended_late(&mut self, turn: &mut Turn<'_>, id: LoginId, outcome: Outcome) {
        let outcome = match outcome.verdict {
            Decision::Denied(_) => outcome,
            Decision::Accepted(_) | Decision::Exempt(_) => {
                let refusal = self.refusal(turn, id, Reason::TimedOut, "confirmed after the deadline");
                let Some(mut late) = refusal else { return };
                late.audit.ap_trans_id = outcome.audit.ap_trans_id;
                late.audit.mssp_trans_id = outcome.audit.mssp_trans_id;
                late.audit.msisdn = outcome.audit.msisdn;
                // What was kept stays kept.
                late.audit.serial = outcome.audit.serial;
                late.audit.first_use = outcome.audit.first_use;
                late
            }
        };
        let text = outcome.notice.to_string();
        let in_vain = outcome.audit.ap_trans_id.is_some() && is_in_vain(&outcome.verdict);
        turn.out.push(Action::Audit(Box::new(outcome.audit)));
        self.stop_ringing(turn, id, in_vain);
        self.close(turn, id, Verdict::Refused(text));
    }

    /// Answers everybody who waits, and remembers the verdict for who may still come.
    pub(super) fn close(&mut self, turn: &mut Turn<'_>, id: LoginId, verdict: Verdict) {
        self.stop_ringing(turn, id, false);
        let Some(login) = self.remove(id) else { return };
        let now = turn.now.instant;
        let mut given = None;
        for waiting in &login.waiters {
            if self.give(turn, &waiting.waiter, &verdict) {
                given = Some(now);
            }
        }
        let kept = login.settings.limits.accept_kept;
        let granted = matches!(verdict, Verdict::Granted(_));
        if granted && !kept.is_zero() {
            self.joining.accepted(login.key, id, later(now, kept), now);
        } else {
            self.joining.ended(&login.key, id);
        }
        // What another node began may come here with the same State until that is too old.
        let returning = login.token_out || login.handed_on.is_some();
        if granted || returning {
            let of_token = if returning { later(login.deadline, kept) } else { now };
            let until = later(now, kept).max(of_token);
            let most = self.limits().pending;
            let Login { key, handed_on, .. } = *login;
            self.ended.insert(id, Ended { verdict, key, given, kept, until, handed_on }, most);
        }
    }

    /// Answers one packet with a verdict. False where it does not wait any more.
    pub(super) fn give(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, verdict: &Verdict) -> bool {
        let text = match verdict {
            Verdict::Granted(grant) => match waiter.accept(grant, turn) {
                Ok(answer) => return self.send(turn, waiter, answer, Fate::Accepted),
                Err(crate::packet::Full) => {
                    self.too_long(turn, &waiter.client);
                    ""
                }
            },
            Verdict::Refused(text) => text,
        };
        match waiter.reject(text) {
            Ok(answer) => self.send(turn, waiter, answer, Fate::Rejected),
            Err(crate::packet::Full) => {
                self.leave(turn, waiter, Fate::Crowded);
                false
            }
        }
    }

    /// Sends an answer and keeps it for a retransmission. False where the packet does not wait any more, because its
    /// identifier has been used again.
    pub(super) fn send(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, answer: Vec<u8>, fate: Fate) -> bool {
        let packet = answer.into();
        let until = later(turn.now.instant, self.limits().answer_kept);
        let table = &mut self.desk(&waiter.client.name).duplicates;
        let waits = table.answer(&waiter.origin, &waiter.authenticator, &packet, until);
        if waits {
            self.count(&waiter.client.name, fate);
            turn.out.push(Action::Send { to: waiter.origin.peer, packet });
        }
        waits
    }

    pub(super) fn too_long(&mut self, turn: &mut Turn<'_>, client: &Client) {
        self.say(turn, &client.name, "answer-too-long", Level::Error, || {
            "an answer would be longer than a packet may be, and its login was refused: \
             see [client.accept], [client.accept_group] and pass"
                .into()
        });
    }

    /// Takes a login out of everything that lists the pending ones, but for its key.
    fn remove(&mut self, id: LoginId) -> Option<Box<Login>> {
        let login = self.logins.remove(&id)?;
        self.timers.remove(&(login.due, id));
        if let Some(origin) = login.handed_on {
            self.handed_on.remove(&origin);
        }
        let desk = self.desk(&login.client.name);
        desk.pending = desk.pending.saturating_sub(1);
        Some(login)
    }

    /// The phone rings no more.
    fn stop_ringing(&mut self, turn: &Turn<'_>, id: LoginId, in_vain: bool) {
        let window = self.limits().push_window;
        if let Some(login) = self.logins.get_mut(&id).filter(|login| login.ringing) {
            login.ringing = false;
            self.pushes.ended(login.user, in_vain, window, turn.now.instant);
        }
    }
}

fn is_in_vain(verdict: &Decision) -> bool {
    matches!(verdict, Decision::Denied(reason) if reason.is_in_vain())
}
