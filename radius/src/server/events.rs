//! What has become of a login, and what its time has come for.

use mobileid::{
    login::{self, Ticket},
    notice::Notice,
    outcome::{Outcome, Reason},
    text,
};

use super::{
    Action, Event, Fate, Level, LoginId, Server, Turn,
    answer::shown,
    challenges::ready_when_shown,
    login::{Asked, Phase, later},
};
use crate::{
    config::FirstFactor,
    state::{self, QUESTIONS_MAX},
    upstream::{Answer, Continuation, PassedOn},
};

/// What an Access-Challenge of an upstream may say to the client beside its text: Session-Timeout and Idle-Timeout,
/// which limit how long the person may take (RFC 2865, section 5.44), and Prompt.
const OF_A_CHALLENGE: [u8; 3] = [27, 28, 76];

impl Server {
    pub(super) fn happened(&mut self, turn: &mut Turn<'_>, event: Event) {
        match event {
            Event::Shown { id, notice } => self.shown(turn, id, &notice),
            Event::Outstanding { id, ticket } => self.outstanding(turn, id, &ticket),
            Event::Ended { id, outcome } => self.ended(turn, id, *outcome),
            Event::Broken { id, detail } => self.broken(turn, id, &detail),
            Event::Upstream { id, answer } => self.judged(turn, id, answer),
        }
    }

    fn shown(&mut self, turn: &mut Turn<'_>, id: LoginId, notice: &Notice) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        // A login that another node began shows what it showed there.
        if matches!(login.phase, Phase::Phone) && login.handed_on.is_none() {
            login.shown = Some(notice.as_question());
            login.ready = login.ready || ready_when_shown(login);
            self.challenge(turn, id);
        }
    }

    fn outstanding(&mut self, turn: &mut Turn<'_>, id: LoginId, ticket: &Ticket) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        let encoded = ticket.encode();
        let fits = state::fits(&encoded);
        let client = std::sync::Arc::clone(&login.client);
        login.ticket = Some(encoded).filter(|_| fits);
        login.ready = true;
        if !fits {
            self.say(turn, &client.name, "ticket-too-long", Level::Warning, || {
                "the text on the phone is too long for a State: only this node can finish such a login".into()
            });
        }
        self.challenge(turn, id);
    }

    fn ended(&mut self, turn: &mut Turn<'_>, id: LoginId, outcome: Outcome) {
        match self.logins.get(&id).map(|login| &login.phase) {
            Some(Phase::Phone) => self.ended_with(turn, id, outcome),
            Some(Phase::Abandoned) => self.ended_late(turn, id, outcome),
            // Reported twice, or of nothing that was begun: the first word holds.
            _ => {}
        }
    }

    fn broken(&mut self, turn: &mut Turn<'_>, id: LoginId, detail: &str) {
        let line = format!("{id} broke: {}", text::escaped(detail, 300));
        turn.out.push(Action::Log(Level::Error, line));
        match self.logins.get(&id).map(|login| &login.phase) {
            Some(Phase::Phone | Phase::FirstFactor) => self.deny(turn, id, Reason::Internal, detail),
            Some(Phase::Abandoned) => {
                if let Some(outcome) = self.refusal(turn, id, Reason::Internal, detail) {
                    self.ended_late(turn, id, outcome);
                }
            }
            _ => {}
        }
    }

    fn judged(&mut self, turn: &mut Turn<'_>, id: LoginId, answer: Answer) {
        match self.logins.get(&id).map(|login| &login.phase) {
            Some(Phase::FirstFactor) => {}
            Some(Phase::Abandoned) => {
                let detail = "the first factor's server took longer than the login may";
                if let Some(outcome) = self.refusal(turn, id, Reason::TimedOut, detail) {
                    self.ended_late(turn, id, outcome);
                }
                return;
            }
            _ => return,
        }
        match answer {
            Answer::Accept { attributes } => {
                let Some(login) = self.logins.get_mut(&id) else { return };
                if let FirstFactor::Upstream { pass, .. } = &login.client.first_factor {
                    login.passed_on = attributes.into_iter().filter(|a| pass.admits(a)).collect();
                }
                self.ring(turn, id);
            }
            Answer::Reject { reply_message } => {
                let Some(mut outcome) = self.refusal(turn, id, Reason::FirstFactorFailed, "") else { return };
                let said = reply_message.as_deref().map(shown).filter(|said| !said.is_empty());
                let said = said.unwrap_or_else(|| outcome.notice.to_string());
                outcome.audit.detail = reply_message.map(|said| text::foreign(&said, 300));
                self.refused_with(turn, id, outcome, said);
            }
            Answer::Challenge { state, server, reply_message, attributes } => {
                let Some(login) = self.logins.get_mut(&id) else { return };
                let passed_on = attributes.into_iter().filter(goes_with_a_challenge).collect();
                let text = reply_message.as_deref().map(shown).unwrap_or_default();
                let continuation = Continuation { state, server };
                login.questions = login.questions.saturating_add(1).min(QUESTIONS_MAX);
                login.phase = Phase::Questioned(Box::new(Asked { text, continuation, passed_on }));
                self.challenge(turn, id);
            }
            Answer::Silent(detail) => {
                self.cannot_serve(turn, id, (Reason::FirstFactorUnavailable, Fate::Unjudged), &detail);
            }
        }
    }

    /// The time has come for something.
    pub(super) fn login_due(&mut self, turn: &mut Turn<'_>, id: LoginId) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        let now = turn.now.instant;
        let over = login.end_due() <= now;
        match &mut login.phase {
            Phase::Held { until, text } if *until <= now => {
                let text = std::mem::take(text);
                self.close(turn, id, super::login::Verdict::Refused(text));
            }
            Phase::Abandoned if over => {
                turn.out.push(Action::Log(Level::Error, format!("{id} was abandoned and never ended")));
                self.deny(turn, id, Reason::Internal, "its end was never reported");
            }
            Phase::Questioned(_) if over => {
                let detail = "nobody answered the question of the first factor's server";
                self.deny(turn, id, Reason::TimedOut, detail);
            }
            Phase::FirstFactor | Phase::Phone if over => self.abandon(turn, id),
            _ => self.challenge(turn, id),
        }
    }

    /// Nobody has come for the end in time. Who still waits is refused; what still runs is told to stop, and its end
    /// is what the auditor reads.
    fn abandon(&mut self, turn: &mut Turn<'_>, id: LoginId) {
        let Some(outcome) = self.refusal(turn, id, Reason::TimedOut, "") else { return };
        let Some(login) = self.logins.get_mut(&id) else { return };
        if matches!(login.phase, Phase::Phone) {
            turn.out.push(Action::Abandon { id });
        }
        login.phase = Phase::Abandoned;
        self.joining.ended(&login.key, id);
        let waiters = std::mem::take(&mut login.waiters);
        let verdict = super::login::Verdict::Refused(outcome.notice.to_string());
        for waiting in waiters {
            self.give(turn, &waiting.waiter, &verdict);
        }
        self.set_timer(id);
    }

    /// Whoever has not come to the phone yet does not get there any more.
    pub(super) fn give_up_first_factors(&mut self, turn: &mut Turn<'_>) {
        let at_first_factor = |login: &super::login::Login| match login.phase {
            Phase::FirstFactor | Phase::Questioned(_) => true,
            // Its phone rings, if it was this that took too long.
            Phase::Abandoned => !login.ringing,
            Phase::Phone | Phase::Held { .. } => false,
        };
        let given_up: Vec<_> =
            self.logins.iter().filter(|(_, login)| at_first_factor(login)).map(|(id, _)| *id).collect();
        for id in given_up {
            let detail = "the responder has ended before the first factor was judged";
            let Some(outcome) = self.refusal(turn, id, Reason::Cancelled, detail) else { continue };
            // Not held back, as a wrong password is: there is no time, and nothing was judged.
            let verdict = super::login::Verdict::Refused(outcome.notice.to_string());
            turn.out.push(Action::Audit(Box::new(outcome.audit)));
            self.close(turn, id, verdict);
        }
    }

    /// A denial of ours, as an outcome.
    pub(super) fn refusal(
        &self,
        turn: &Turn<'_>,
        id: LoginId,
        reason: Reason,
        detail: &str,
    ) -> Option<Outcome> {
        let login = self.logins.get(&id)?;
        let language = login.settings.setup.config.language;
        let mut outcome = login::refuse(login.request.clone(), reason, detail, language, turn.now);
        let took = turn.now.instant.saturating_duration_since(login.began);
        outcome.audit.ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Some(outcome)
    }

    /// A denial that is told a little later: see [`Self::finish`].
    pub(super) fn hold(&mut self, turn: &mut Turn<'_>, id: LoginId, text: String) {
        let share: [u8; 2] = turn.octets();
        let Some(login) = self.logins.get_mut(&id) else { return };
        let delay = login.client.reject_delay;
        // Up to a quarter more, so that the delay is not a mark of its own.
        let more = delay.div_f64(4.0).mul_f64(f64::from(u16::from_be_bytes(share)) / 65_536.0);
        login.phase = Phase::Held { until: later(turn.now.instant, delay.saturating_add(more)), text };
        self.set_timer(id);
    }
}

fn goes_with_a_challenge(passed: &PassedOn) -> bool {
    passed.vendor().is_none() && OF_A_CHALLENGE.contains(&passed.kind())
}
