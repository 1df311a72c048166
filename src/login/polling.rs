//! The asynchronous half of the machine: from the answer that the request was taken to the signature.
//!
//! The signature request is behind us and there is no way back to it. What is repeated is only the question what
//! became of it, so a poll that came to nothing on the way is no end: the next one asks again, until the deadline.
//! An answer of the service that is not "outstanding" is the end, whatever it says.

use std::time::Instant;

use super::{Answer, Ask, Asked, Context, Found, Login, Now, State, Step, ticket::Ticket};
use crate::{
    config::MessagingMode,
    mss::{
        ApTransId, HttpResponse, MsspTransId,
        fault::Status,
        signature::{Taken, Transaction},
        status::{self, StatusReply, StatusRequest},
    },
    outcome::{Reason, Unreadable},
    verify,
};

/// A transaction that the service has taken on.
#[derive(Debug)]
pub(super) struct Outstanding {
    pub(super) asked: Asked,
    /// What it is asked about by.
    mssp_trans_id: MsspTransId,
    /// What the record says of it.
    transaction: Transaction,
    /// How often it was asked about.
    polls: u32,
    /// What the last poll came to, where that was nothing.
    trouble: Option<String>,
}

impl Outstanding {
    fn of(asked: Asked, taken: Taken) -> Self {
        let Taken { transaction, mssp_trans_id, .. } = taken;
        Self { asked, mssp_trans_id, transaction, polls: 0, trouble: None }
    }

    /// Found again on another node. What the service said of the profile did not travel.
    pub(super) fn resumed(asked: Asked, ticket: &Ticket) -> Self {
        let mssp_trans_id = ticket.mssp_trans_id.clone();
        let transaction = ticket.transaction();
        Self { asked, mssp_trans_id, transaction, polls: 0, trouble: None }
    }

    /// The identifier of the last poll.
    fn poll_id(&self, context: &Context) -> ApTransId {
        context.poll_id.numbered(self.polls)
    }

    pub(super) fn found(&self, context: &Context) -> Found {
        let found = self.asked.found(context).with(&self.transaction);
        match &self.trouble {
            Some(trouble) => found.because(&format!("the last status request: {trouble}")),
            None => found,
        }
    }

    pub(super) fn ticket(&self, context: &Context) -> Option<Ticket> {
        let lasts = context.deadline.saturating_duration_since(context.started);
        Ticket::new(context.entropy, &self.mssp_trans_id, &self.asked.text, context.began, lasts)
    }
}

impl Context {
    /// The service has taken the request on.
    pub(super) fn taken(self, asked: Asked, taken: Taken, now: Now) -> Step {
        if self.config.mode == MessagingMode::Synch {
            // Not what was asked for: the person may have been asked, and nobody is going to tell us.
            let found = asked.found(&self).with(&taken.transaction);
            return self.deny(Reason::Status(Status::RequestOk), found, now);
        }
        let ours = verify::same_exchange(
            (&taken.ap_trans_id, self.ap_trans_id.as_str()),
            (&taken.msisdn, &asked.subscriber.msisdn),
        );
        let outstanding = Outstanding::of(asked, taken);
        match ours {
            Ok(()) => self.pause(outstanding, now),
            Err(refused) => {
                let found = outstanding.found(&self).detail(refused.detail);
                self.deny(Reason::Refused(refused.refusal), found, now)
            }
        }
    }

    /// Waits for the next poll; where the deadline comes first, nothing more can come of this login.
    fn pause(self, outstanding: Outstanding, now: Now) -> Step {
        let due = now.instant.checked_add(self.config.timeouts.poll);
        match due.filter(|due| *due < self.deadline) {
            Some(due) => self.wait(outstanding, due),
            None => {
                let found = outstanding.found(&self);
                self.deny(Reason::TimedOut, found, now)
            }
        }
    }

    fn wait(self, outstanding: Outstanding, due: Instant) -> Step {
        let login = Login { context: self, state: State::Waiting(outstanding, due) };
        Step::Ask(Box::new(login), Ask::WaitUntil(due))
    }

    /// The wait is over; a driver that wakes early is sent back to sleep.
    pub(super) fn waited(self, outstanding: Outstanding, due: Instant, now: Now) -> Step {
        if now.instant < due { self.wait(outstanding, due) } else { self.poll(outstanding, now) }
    }

    /// Asks what became of the request.
    pub(super) fn poll(self, outstanding: Outstanding, now: Now) -> Step {
        let outstanding = Outstanding { polls: outstanding.polls.saturating_add(1), ..outstanding };
        let http = status::request(&StatusRequest {
            ap: &self.config.ap,
            ap_trans_id: &outstanding.poll_id(&self),
            at: now.wall,
            mssp_trans_id: &outstanding.mssp_trans_id,
            limit: status::LIMIT.min(self.deadline.saturating_duration_since(now.instant)),
        });
        let login = Login { context: self, state: State::Polling(outstanding) };
        Step::Ask(Box::new(login), Ask::Send(http))
    }

    /// What came of a poll.
    pub(super) fn polled(self, outstanding: Outstanding, answer: Answer, now: Now) -> Step {
        match answer {
            Answer::Reply(response) => self.told(outstanding, &response, now),
            Answer::Unreachable(_, detail) | Answer::Lost(detail) => self.again(outstanding, detail, now),
            Answer::TimedOut => self.again(outstanding, "no answer in time".into(), now),
            _ => {
                let found = outstanding.found(&self);
                self.misfit(found, now)
            }
        }
    }

    fn told(self, outstanding: Outstanding, response: &HttpResponse, now: Now) -> Step {
        let outstanding = Outstanding { trouble: None, ..outstanding };
        match status::read(response) {
            Ok(StatusReply::Outstanding) => self.pause(outstanding, now),
            Ok(StatusReply::Signed(signed)) => {
                let (id, found) = (outstanding.poll_id(&self), outstanding.found(&self));
                self.signed(&outstanding.asked, &id, signed, found, now)
            }
            Ok(StatusReply::NotSigned(status)) => {
                let found = outstanding.found(&self);
                self.deny(Reason::Status(status), found, now)
            }
            Ok(StatusReply::Fault(reply)) => {
                let found = outstanding.found(&self).detail(reply.detail);
                self.deny(Reason::Fault(reply.fault), found, now)
            }
            // A gateway's word, not the service's.
            Err(Unreadable::HttpStatus(status)) => {
                self.again(outstanding, format!("HTTP status {status}"), now)
            }
            Err(unreadable) => {
                let found = outstanding.found(&self);
                self.deny(Reason::Unreadable(unreadable), found, now)
            }
        }
    }

    fn again(self, outstanding: Outstanding, trouble: String, now: Now) -> Step {
        self.pause(Outstanding { trouble: Some(trouble), ..outstanding }, now)
    }
}
