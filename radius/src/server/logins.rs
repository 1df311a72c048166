//! Logins begin here, are joined, and ring a phone: the one place with [`Action::Start`].

use std::{sync::Arc, time::Duration};

use mobileid::{
    login::{self, Request},
    notice::Notice,
    outcome::{Exemption, Outcome, Reason},
    secret::Secret,
};

use super::{
    Action, Fate, LoginId, Password, Server, Turn,
    answer::{Grant, Waiter},
    ending::TOO_LONG,
    login::{Login, Patience, Phase, WAITERS_MAX, Waiting, later},
    pushes::{Allowed, NoPush},
    question::Question,
};
use crate::{
    authenticator::SharedSecret,
    config::{FirstFactor, Mode, Settings},
    packet::Packet,
    rules::Then,
    state::{NodeId, Token},
    upstream::{Ask, Credential},
};

/// Who is asked about the first factor.
enum First {
    Upstream(Ask),
    Directory(Password),
}

/// The password of a request, for a directory: whoever answers a challenge without saying the password (CHAP, MS-CHAP)
/// can be judged only by who has it in the clear.
fn password(packet: &Packet<'_>, secret: &SharedSecret) -> Result<Secret, String> {
    match Credential::of(packet, secret).map_err(|why| why.to_string())? {
        Credential::Pap(octets) => match std::str::from_utf8(&octets) {
            Ok(password) => Ok(Secret::new(password.to_owned())),
            Err(_) => Err("the password is no UTF-8 text".to_owned()),
        },
        Credential::Chap { .. } | Credential::MsChap => {
            Err("the client uses CHAP or MS-CHAP, which no directory can judge: let it send PAP".to_owned())
        }
    }
}

impl Server {
    /// A login begins with this packet.
    pub(super) fn begin(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: Waiter,
        packet: &Packet<'_>,
        question: Question,
    ) {
        let Some((waiter, question)) = self.unless_full(turn, waiter, question) else { return };
        let client = Arc::clone(&waiter.client);
        let ask = match &client.first_factor {
            FirstFactor::Ignored if question.then == Then::Accept => {
                return self.spare_phone_at_once(turn, &waiter, question);
            }
            FirstFactor::Ignored => None,
            FirstFactor::Ldap { directory } => match password(packet, &client.secret) {
                Ok(password) => Some(First::Directory(Password {
                    directory: directory.clone(),
                    user: question.request.user.clone(),
                    password,
                    within: client.deadline,
                })),
                Err(why) => {
                    let request = question.request;
                    return self.refuse_at_once(turn, &waiter, request, Reason::RequestInvalid, &why);
                }
            },
            FirstFactor::Upstream { upstream, .. } => {
                match Ask::of(packet, &client.secret, Arc::clone(upstream), None) {
                    Ok(ask) => Some(First::Upstream(ask)),
                    Err(why) => {
                        let detail = why.to_string();
                        let request = question.request;
                        return self.refuse_at_once(turn, &waiter, request, Reason::RequestInvalid, &detail);
                    }
                }
            }
        };
        let id = self.enter(turn, question, &waiter, client.deadline);
        self.wait(turn, id, waiter, false);
        match ask {
            None => self.ring(turn, id),
            Some(First::Upstream(ask)) => self.ask_upstream(turn, id, ask),
            Some(First::Directory(password)) => self.ask_directory(turn, id, password),
        }
    }

    /// A login that another node began goes on here.
    pub(super) fn resume(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: Waiter,
        question: Question,
        token: &Token,
        ticket: login::Ticket,
    ) {
        let Some((waiter, question)) = self.unless_full(turn, waiter, question) else { return };
        let left = token.expires.duration_since(turn.now.wall).unwrap_or_default();
        let id = self.enter(turn, question, &waiter, left.min(waiter.client.deadline));
        let origin: (NodeId, LoginId) = (token.node, token.login);
        self.handed_on.insert(origin, id);
        self.counters.resumed = self.counters.resumed.wrapping_add(1);
        let Some(login) = self.logins.get_mut(&id) else { return };
        login.handed_on = Some(origin);
        login.shown = Some(ticket.text().to_owned());
        login.ticket = token.ticket.clone();
        login.ready = true;
        login.phase = Phase::Phone;
        login.ringing = true;
        self.pushes.resume(login.user);
        let (settings, request) = (Arc::clone(&login.settings), login.request.clone());
        turn.out.push(Action::Resume { id, settings, request, ticket });
        self.wait(turn, id, waiter, true);
    }

    /// One more packet of a login. `knows` says that it brought the State of a challenge, so that its person has seen
    /// what to do.
    pub(super) fn join(&mut self, turn: &mut Turn<'_>, id: LoginId, waiter: Waiter, knows: bool) {
        self.count(&waiter.client.name, Fate::Joined);
        self.wait(turn, id, waiter, knows);
    }

    /// The packet waits for the login's end, or is challenged.
    pub(super) fn wait(&mut self, turn: &mut Turn<'_>, id: LoginId, waiter: Waiter, knows: bool) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        // A second before its client gives up: the answer needs time too.
        let margin = waiter.client.nas_timeout.saturating_sub(Duration::from_secs(1));
        let until = later(turn.now.instant, margin);
        let patience = match waiter.client.mode {
            Mode::Wait => Patience::Endless,
            Mode::Challenge if !knows => Patience::None { latest: until },
            Mode::Challenge | Mode::WaitThenChallenge => Patience::Until(until),
        };
        login.waiters.push(Waiting { waiter, patience });
        let given_up = (login.waiters.len() > WAITERS_MAX).then(|| login.waiters.remove(0));
        if let Some(Waiting { waiter, .. }) = given_up {
            self.leave(turn, &waiter, Fate::Crowded);
        }
        self.challenge(turn, id);
    }

    /// The first factor is right, or is not ours to ask: the phone rings, unless a rule spares it.
    pub(super) fn ring(&mut self, turn: &mut Turn<'_>, id: LoginId) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        if login.then == Then::Accept {
            let outcome = spared(&login.settings, login.request.clone(), &login.rule, turn);
            return self.ended_with(turn, id, outcome);
        }
        let limits = self.settings.limits;
        let allowed = Allowed {
            at_once: limits.pending_per_user,
            in_vain: usize::try_from(limits.pushes_per_user).unwrap_or(usize::MAX),
            window: limits.push_window,
        };
        match self.pushes.begin(login.user, allowed, turn.now.instant) {
            Ok(()) => {
                login.phase = Phase::Phone;
                login.ringing = true;
                let took = turn.now.instant.saturating_duration_since(login.began);
                let left = login.client.deadline.saturating_sub(took);
                let request = Request { limit: Some(left), ..login.request.clone() };
                self.counters.logins = self.counters.logins.wrapping_add(1);
                turn.out.push(Action::Start { id, settings: Arc::clone(&login.settings), request });
            }
            Err(NoPush::TooMany) => {
                self.deny(turn, id, Reason::PushLimit, "the phone was asked in vain too often");
            }
            Err(NoPush::Busy) => {
                let detail = "another login of this user waits for the phone, and this one is not the same";
                self.cannot_serve(turn, id, (Reason::Overloaded, Fate::Overload), detail);
            }
        }
    }

    pub(super) fn ask_upstream(&mut self, turn: &mut Turn<'_>, id: LoginId, ask: Ask) {
        if let Some(login) = self.logins.get_mut(&id) {
            login.phase = Phase::FirstFactor;
            turn.out.push(Action::Upstream { id, settings: Arc::clone(&login.settings), ask });
            self.set_timer(id);
        }
    }

    fn ask_directory(&mut self, turn: &mut Turn<'_>, id: LoginId, password: Password) {
        if let Some(login) = self.logins.get_mut(&id) {
            login.phase = Phase::FirstFactor;
            turn.out.push(Action::Judge { id, settings: Arc::clone(&login.settings), password });
            self.set_timer(id);
        }
    }

    /// Looks at a login when it wants to be.
    pub(super) fn set_timer(&mut self, id: LoginId) {
        if let Some(login) = self.logins.get_mut(&id) {
            let due = login.next_due();
            self.timers.remove(&(login.due, id));
            self.timers.insert((due, id));
            login.due = due;
        }
    }

    /// Gives the packet back where there is room for one more login.
    fn unless_full(
        &mut self,
        turn: &mut Turn<'_>,
        waiter: Waiter,
        question: Question,
    ) -> Option<(Waiter, Question)> {
        if self.draining {
            self.leave(turn, &waiter, Fate::Draining);
            return None;
        }
        let limits = *self.limits();
        let detail = if self.logins.len() >= limits.pending {
            "too many logins wait in all (limits.pending)"
        } else if self.desk(&waiter.client.name).pending >= limits.pending_per_client {
            "too many logins of this client wait (limits.pending_per_client)"
        } else {
            return Some((waiter, question));
        };
        self.turn_away(turn, &waiter, question.request, (Reason::Overloaded, Fate::Overload), detail);
        None
    }

    /// Enters a login, without any packet yet.
    fn enter(&mut self, turn: &Turn<'_>, question: Question, waiter: &Waiter, lasts: Duration) -> LoginId {
        self.last = self.last.wrapping_add(1);
        let id = LoginId(self.last);
        let Question { request, station, key, then, rule } = question;
        let client = Arc::clone(&waiter.client);
        let user = self.keys.joining.of(&[client.group.as_bytes(), request.user.as_str().as_bytes()]);
        let now = turn.now;
        // Who has confirmed at the last moment must still get to press the key.
        let shelf_life = lasts.saturating_add(self.limits().accept_kept);
        let deadline = later(now.instant, lasts);
        self.joining.begin(key, id);
        let desk = self.desk(&client.name);
        desk.pending = desk.pending.saturating_add(1);
        let login = Login {
            settings: Arc::clone(&self.settings),
            client,
            request: Request { limit: Some(lasts), ..request },
            station,
            key,
            user,
            then,
            rule,
            began: now.instant,
            deadline,
            expires: now.wall.checked_add(shelf_life).unwrap_or(now.wall),
            phase: Phase::FirstFactor,
            // Nearly always there is one, and a vector that grows by itself begins with room for four.
            waiters: Vec::with_capacity(1),
            shown: None,
            ready: false,
            ticket: None,
            token_out: false,
            questions: 0,
            passed_on: Vec::new(),
            ringing: false,
            handed_on: None,
            due: deadline,
        };
        self.logins.insert(id, Box::new(login));
        self.set_timer(id);
        id
    }

    fn spare_phone_at_once(&mut self, turn: &mut Turn<'_>, waiter: &Waiter, question: Question) {
        let text = Notice::exempt(Exemption::Rule, self.settings.setup.config.language).to_string();
        let Ok(answer) = waiter.accept(&Grant { text, ..Grant::default() }, turn) else {
            self.too_long(turn, &waiter.client);
            return self.refuse_at_once(turn, waiter, question.request, Reason::Internal, TOO_LONG);
        };
        let outcome = spared(&self.settings, question.request, &question.rule, turn);
        turn.out.push(Action::Audit(Box::new(outcome.audit)));
        self.send(turn, waiter, answer, Fate::Accepted);
    }
}

/// A login that a rule lets in without a phone; the record names the rule.
fn spared(settings: &Settings, request: Request, rule: &str, turn: &Turn<'_>) -> Outcome {
    let language = settings.setup.config.language;
    login::exempt(request, Exemption::Rule, rule, language, turn.now)
}
