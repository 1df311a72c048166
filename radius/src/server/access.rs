//! An Access-Request that was let in: a duplicate, one more packet of a login, refused as it stands, or a new login.

use std::sync::Arc;

use mobileid::{
    login::{self, Request},
    outcome::Reason,
};

use super::{
    Action, Fate, Level, Peer, Server, Turn,
    answer::Waiter,
    login::Verdict,
    question::{Question, Unserved},
};
use crate::{
    config::Client,
    duplicates::{Crowded, Fingerprint, Origin, Seen},
    joining::Joined,
    packet::{Packet, attribute},
    rules::Then,
};

impl Server {
    pub(super) fn access(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        packet: &Packet<'_>,
        client: &Arc<Client>,
    ) {
        if let Some(waiter) = self.unless_duplicate(turn, peer, packet, client) {
            match Question::read(packet, client, &self.settings, &self.keys) {
                Ok(question) => self.serve(turn, waiter, packet, question),
                Err(unserved) => {
                    let Unserved { request, reason, detail } = *unserved;
                    self.refuse_at_once(turn, &waiter, request, reason, &detail);
                }
            }
        }
    }

    /// The packet as one that waits for an answer; none where it did so before.
    pub(super) fn unless_duplicate(
        &mut self,
        turn: &mut Turn<'_>,
        peer: Peer,
        packet: &Packet<'_>,
        client: &Arc<Client>,
    ) -> Option<Waiter> {
        let now = turn.now.instant;
        let origin = Origin { peer, identifier: packet.identifier() };
        let fingerprint = Fingerprint::of(packet);
        let table = &mut self.desk(&client.name).duplicates;
        match table.look(&origin, &fingerprint, now) {
            Seen::New => {}
            Seen::Pending => {
                self.count(&client.name, Fate::Duplicate);
                return None;
            }
            Seen::Answered(packet) => {
                self.count(&client.name, Fate::Repeated);
                turn.out.push(Action::Send { to: peer, packet });
                return None;
            }
            Seen::Altered => {
                self.drop(turn, client, peer, Fate::Altered);
                return None;
            }
        }
        match table.begin(origin, fingerprint, now) {
            Ok(superseded) => {
                if superseded {
                    self.count(&client.name, Fate::Superseded);
                }
                Some(Waiter::of(packet, origin, Arc::clone(client)))
            }
            Err(Crowded) => {
                self.drop(turn, client, peer, Fate::Crowded);
                None
            }
        }
    }

    fn serve(&mut self, turn: &mut Turn<'_>, waiter: Waiter, packet: &Packet<'_>, question: Question) {
        // Before anything else: a monitor's probe costs nobody anything.
        if question.then == Then::Reject {
            return self.refuse_at_once(turn, &waiter, question.request, Reason::Rule, &question.rule);
        }
        if let Some(state) = packet.first(attribute::STATE) {
            return self.follow_up(turn, waiter, packet, question, state);
        }
        match self.joining.find(&question.key, turn.now.instant) {
            Some(Joined::Pending(id)) => self.join(turn, id, waiter, false),
            Some(Joined::Accepted(id)) => {
                let verdict = self.ended.get_mut(id).and_then(|ended| ended.repeat(turn.now.instant));
                match verdict {
                    Some(verdict) => self.give_again(turn, &waiter, &verdict),
                    None => self.begin(turn, waiter, packet, question),
                }
            }
            None => self.begin(turn, waiter, packet, question),
        }
    }

    /// The verdict of a login that has ended, for one more packet of it.
    pub(super) fn give_again(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, verdict: &Verdict) {
        self.count(&waiter.client.name, Fate::Joined);
        self.give(turn, waiter, verdict);
    }

    /// A denial that needs no login, with its own line in the audit.
    pub(super) fn refuse_at_once(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: &Waiter,
        request: Request,
        reason: Reason,
        detail: &str,
    ) {
        let language = self.settings.setup.config.language;
        let outcome = login::refuse(request, reason, detail, language, turn.now);
        if reason != Reason::Rule {
            let client = &waiter.client.name;
            self.say(turn, client, reason.name(), Level::Warning, || {
                format!("an Access-Request was refused: {reason}: {}", mobileid::text::escaped(detail, 300))
            });
        }
        turn.out.push(Action::Audit(Box::new(outcome.audit)));
        self.give(turn, waiter, &Verdict::Refused(outcome.notice.to_string()));
    }

    /// What becomes of a packet that cannot be served now: a refusal, or silence so that the client tries elsewhere,
    /// as the configuration says. Silence is forgotten at once: the same packet may come again and be served.
    pub(super) fn turn_away(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: &Waiter,
        request: Request,
        away: (Reason, Fate),
        detail: &str,
    ) {
        let (reason, fate) = away;
        match self.limits().overload {
            crate::config::Overload::Reject => self.refuse_at_once(turn, waiter, request, reason, detail),
            crate::config::Overload::Silence => self.leave(turn, waiter, fate),
        }
    }

    /// Silence for a packet that waited.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, fate: Fate) {
        let table = &mut self.desk(&waiter.client.name).duplicates;
        table.forget(&waiter.origin, &waiter.authenticator);
        let client = Arc::clone(&waiter.client);
        self.drop(turn, &client, waiter.origin.peer, fate);
    }
}
