//! What decides one login, once the configuration is read and the account is known.
//!
//! ```text
//!  whose phone? ─> do the rules want it? ─> was this connection asked already? ─> within grace?
//!                        │ exempt                │ confirmed, denied                  │ let in
//!  ─> is the service known to be down? ─> one question at a time ─> asked in vain too often? ─> ask
//!        │                                     │ late, gone              │ denied               │
//!        └── unreachable? ─> may that let in? ─> a one-time code? <──────────────── unreachable ┘
//! ```
//!
//! Each step may end the login; the next one is taken only if it did not.

#![forbid(unsafe_code)]

use std::net::IpAddr;

use mobileid::{
    config::{OnUnreachable, SuIdentity},
    directory::Lookup,
    driver::{
        Tick,
        breakglass::Refused,
        directories::{self, GivenUp},
    },
    load::Setup,
    login::{self, Request, Withheld},
    memory::{connection::Standing, grace},
    notice,
    outcome::{Exemption, Outcome, Reason, Unreachable, Verdict},
    policy::{self, Applicant, Member},
    prompt::Command,
    subscriber::{Language, Subscriber, UserName},
    text,
};

use crate::{
    facts::Facts,
    host::{Host, Priority},
    person::Person,
    recall::{self, Memory, Records, Turn},
    system::{Account, System},
};

/// One login under way.
pub(crate) struct Attempt<'a, H, S> {
    host: &'a mut H,
    system: &'a S,
    facts: &'a Facts,
    setup: &'a Setup,
    request: Request,
    /// The account that is logged in to.
    account: UserName,
    /// What several runs of the stack have in common that belong to one login.
    place: Option<String>,
    /// Whether the person is still there: one watch from the beginning on, because who has gone before it began was
    /// never seen.
    tick: Tick,
    /// What the directories say of the user, once they were asked: once for each login.
    found: Option<Lookup>,
    language: Language,
}

/// The login has ended; an early end travels as an error does.
type Ended = Box<Outcome>;

/// Why the steps stop before the last one.
#[derive(Debug)]
enum Stop {
    Ended(Ended),
    /// What is remembered or configured cannot be used; the sentence is for the administrator.
    Unusable(String),
}

impl From<Ended> for Stop {
    fn from(outcome: Ended) -> Self {
        Self::Ended(outcome)
    }
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Unusable(why)
    }
}

/// Why there is no phone to be asked.
pub(crate) type NoSubject = (Reason, String);

impl<'a, H: Host, S: System> Attempt<'a, H, S> {
    /// Finds out whose phone is to be asked, and for what.
    pub(crate) fn new(
        host: &'a mut H,
        system: &'a S,
        facts: &'a Facts,
        setup: &'a Setup,
        account: Account,
    ) -> Result<Self, NoSubject> {
        let request = facts.request();
        let target = Some(account.name.to_string());
        let user = account.name.clone();
        let request = if facts.is_sudo() {
            // What is not clear is not on the phone, but it is sudo all the same.
            let sudo = || Command { program: "sudo".to_owned(), line: "sudo".to_owned() };
            let asked = system.sudo(facts.ruser.as_deref());
            let (target, command) = asked.map_or_else(|| (None, sudo()), |a| (Some(a.target), a.command));
            Request { user, target, command: Some(command), ..request }
        } else if facts.is_su() {
            let asks_caller = match setup.pam.su_identity {
                SuIdentity::Caller => true,
                SuIdentity::Auto => account.is_root,
                SuIdentity::Target => false,
            };
            Request { user: if asks_caller { system.caller()? } else { user }, target, ..request }
        } else {
            Request { user, ..request }
        };
        // Nobody is waited for before the rules have said that a phone is wanted.
        let at_hand = setup.directories.at_hand(&request.user);
        let language = at_hand.as_ref().map_or(setup.config.language, |s| policy::language(&setup.config, s));
        let nowhere_else = || setup.directories.all_at_hand().then_some(Lookup::NotEnrolled);
        let found = at_hand.map(Lookup::Found).or_else(nowhere_else);
        let (account, place) = (account.name, facts.connection(system));
        let tick = system.watch(facts.ssh_connection.as_deref());
        Ok(Self { host, system, facts, setup, request, account, place, tick, found, language })
    }

    /// Decides.
    ///
    /// # Errors
    /// What cannot be used, for the administrator.
    pub(crate) fn outcome(mut self) -> Result<Outcome, String> {
        match self.steps() {
            Ok(outcome) => Ok(outcome),
            Err(Stop::Ended(outcome)) => Ok(*outcome),
            Err(Stop::Unusable(why)) => Err(why),
        }
    }

    fn steps(&mut self) -> Result<Outcome, Stop> {
        self.by_the_rules()?;
        let memory = self.system.memory()?;
        let mut records = self.of_this_connection(&memory)?;
        let ended = self.run(&memory, &mut records);
        if self.facts.is_started_by_user() {
            self.noted(records.forget_unless_settled());
        }
        ended
    }

    /// What a connection comes to that nothing has settled yet.
    fn run<'m>(&mut self, memory: &'m Memory, records: &mut Records<'m>) -> Result<Outcome, Stop> {
        self.within_grace(memory)?;
        let outcome = match self.known_outage(memory)? {
            Some(failure) => *self.denied(Reason::Unreachable(failure), "as a few seconds ago"),
            None => self.by_phone(memory, records)?,
        };
        self.noted(records.ended(&outcome));
        let outcome = self.without_the_service(outcome, memory, records);
        // Once the phone was asked, nobody notices the time that it takes.
        if outcome.audit.ap_trans_id.is_some() {
            self.noted(memory.sweep());
        }
        Ok(outcome)
    }

    /// `pam.require` and `pam.exempt`.
    fn by_the_rules(&mut self) -> Result<(), Stop> {
        let Facts { service, address, .. } = self.facts;
        let who = Applicant { user: &self.request.user, service, address: *address };
        let mut lost = Vec::new();
        let exemption = policy::exempt(&self.setup.pam, &who, |group| {
            let member = self.system.member(&self.request.user, group);
            member.unwrap_or_else(|why| {
                lost.push(why);
                Member::Unknown
            })
        });
        for why in lost {
            self.host.syslog(Priority::Error, &text::escaped(&why, 600));
        }
        exemption.map_or(Ok(()), |exemption| Err(self.exempt(exemption, "").into()))
    }

    /// Whether an earlier run on this connection has settled it; else how long this one may last.
    fn of_this_connection<'m>(&mut self, memory: &'m Memory) -> Result<Records<'m>, Stop> {
        let longest = policy::longest(&self.setup.config);
        self.request.limit = Some(longest);
        let Some(place) = &self.place else { return Ok(Records::new(memory, None)) };
        let key = format!("{place}\n{}\n{}", self.account, self.request.user);
        let begun = self.system.now().instant;
        let until = begun.checked_add(longest).unwrap_or(begun);
        let locked = memory.connection(&key, longest, &self.tick, until);
        let (standing, connection) =
            locked.map_err(|why| self.withheld(recall::withheld(why, "another run on this connection")))?;
        match standing {
            Standing::Fresh { left } => {
                self.request.limit = Some(left);
                Ok(Records::new(memory, Some(connection)))
            }
            Standing::Confirmed { ap_trans_id } => {
                let by = if ap_trans_id.is_empty() { "a one-time code" } else { &ap_trans_id };
                Err(self.exempt(Exemption::Connection, &format!("on this connection, by {by}")).into())
            }
            Standing::Denied { reason } => {
                let detail = format!("on this connection, for {reason}");
                Err(self.denied(Reason::AlreadyDenied, &detail).into())
            }
            Standing::Interrupted => {
                let detail = "on this connection, while the phone may have rung: the process was killed";
                Err(self.denied(Reason::AlreadyDenied, detail).into())
            }
            Standing::Late => {
                let detail = "the time for all runs on this connection is over";
                Err(self.denied(Reason::AlreadyDenied, detail).into())
            }
        }
    }

    /// `pam.grace`: the same person, from there, with that key.
    fn within_grace(&mut self, memory: &Memory) -> Result<(), Stop> {
        let Some(grace) = self.setup.pam.grace else { return Ok(()) };
        if self.facts.auth_info.is_some() && self.facts.address.is_some() {
            self.look_up()?;
        }
        let Some((address, key)) = self.place_and_key() else { return Ok(()) };
        if memory.within_grace(self.request.user.as_str(), address, &key, grace)? {
            return Err(self.exempt(Exemption::Grace, "").into());
        }
        Ok(())
    }

    fn by_phone<'m>(&mut self, memory: &'m Memory, records: &mut Records<'m>) -> Result<Outcome, Stop> {
        let user = self.request.user.clone();
        let begun = self.system.now().instant;
        let limit = self.request.limit.unwrap_or_default();
        let until = begun.checked_add(limit).unwrap_or(begun);
        let rules = &self.setup.pam;
        let (limit, window) = (rules.push_limit, rules.push_window);
        let turn = Turn { memory, user: user.clone(), limit, window, until };
        turn.is_over().map_err(|withheld| self.withheld(withheld))?;
        let request = self.request.clone();
        let person = &mut Person {
            host: self.host,
            system: self.system,
            facts: self.facts,
            rules,
            records,
            turn,
            tick: &self.tick,
            pins: memory.pins(),
            found: self.found.clone(),
        };
        let outcome = self.system.run(request, self.setup, person).map_err(Stop::Unusable)?;
        match outcome.verdict {
            Verdict::Accepted(_) if self.setup.pam.grace.is_some() => {
                let place = self.place_and_key();
                self.noted(place.map_or(Ok(()), |(address, key)| memory.grant(user.as_str(), address, key)));
            }
            Verdict::Denied(Reason::Unreachable(failure)) => {
                let known_to = match self.facts.is_started_by_user() {
                    true => self.own_outages().map(str::to_owned),
                    false => Some(self.outages_of_all()),
                };
                self.noted(known_to.map_or(Ok(()), |known_to| memory.fails(failure, &known_to)));
            }
            Verdict::Accepted(_) | Verdict::Exempt(_) | Verdict::Denied(_) => {}
        }
        Ok(outcome)
    }

    /// How the service could not be reached a moment ago: sudo's three tries are one.
    fn known_outage(&mut self, memory: &Memory) -> Result<Option<Unreachable>, Stop> {
        let of_all = self.outages_of_all();
        let known = memory.outage(self.own_outages().into_iter().chain([of_all.as_str()]))?;
        if known.is_some() {
            self.look_up()?;
        }
        // Whoever is not enrolled has no use of the service, and is not let in for its failure.
        Ok(known.filter(|_| self.subscriber().is_some()))
    }

    /// Looks the user up where that was not done yet. The login that follows where nobody is found tells why.
    fn look_up(&mut self) -> Result<(), Stop> {
        if self.found.is_some() {
            return Ok(());
        }
        let begun = self.system.now().instant;
        let until = begun.checked_add(self.request.limit.unwrap_or_default()).unwrap_or(begun);
        let (user, host) = (&self.request.user, &mut *self.host);
        let directories = &self.setup.directories;
        let found = directories::lookup_told(directories, user, &self.tick, until, |directory, answer| {
            let line = directories::passed_over(directory, answer, user);
            line.iter().for_each(|line| host.syslog(Priority::Error, line));
        });
        match found {
            Ok(found) => self.found = Some(found),
            Err(GivenUp) => return Err(self.denied(Reason::Cancelled, "while a directory was asked").into()),
        }
        if let Some(subscriber) = self.subscriber() {
            self.language = policy::language(&self.setup.config, subscriber);
        }
        Ok(())
    }

    /// Who the user is, as far as that is known by now.
    fn subscriber(&self) -> Option<&Subscriber> {
        match &self.found {
            Some(Lookup::Found(subscriber)) => Some(subscriber),
            _ => None,
        }
    }

    /// Where the outages of the service are noted that concern everybody on this host: another configuration may have
    /// another service.
    fn outages_of_all(&self) -> String {
        self.setup.connection.service.to_string()
    }

    /// Where the outages are noted that sudo and its like meet: whoever starts them may have made them, by taking away
    /// descriptors, or time. They are nobody else's, and nobody's where no other run belongs to this one.
    fn own_outages(&self) -> Option<&str> {
        self.place.as_deref().filter(|_| self.facts.is_started_by_user())
    }

    /// Whether this failure is one that `pam.on_unreachable` is about.
    fn may_be_allowed(&self, failure: Unreachable) -> bool {
        match failure {
            Unreachable::Name | Unreachable::Connect | Unreachable::Proxy => self.system.has_room(),
            // A process that is stopped and continued is late as well.
            Unreachable::TooSlow => !self.facts.is_started_by_user(),
            // Certificates that do not fit are a mistake of the configuration, or somebody in between.
            Unreachable::Tls | Unreachable::Local => false,
        }
    }

    /// What there is where the service cannot be reached: what the configuration allows, then a one-time code.
    fn without_the_service(
        &mut self,
        outcome: Outcome,
        memory: &Memory,
        records: &mut Records<'_>,
    ) -> Outcome {
        let Verdict::Denied(reason @ Reason::Unreachable(failure)) = outcome.verdict else { return outcome };
        if self.setup.pam.on_unreachable == OnUnreachable::Allow && self.may_be_allowed(failure) {
            return *self.exempt(Exemption::Unreachable, reason.name());
        }
        let user = self.request.user.clone();
        match memory.has_codes(&user, &self.tick) {
            Ok(true) => {}
            Ok(false) => return outcome,
            Err(refused) => {
                self.noted(Err(refused.to_string()));
                return outcome;
            }
        }
        let typed = self.host.ask(notice::break_glass_question(self.language));
        // Who presses Enter has none at hand: that is no try.
        let Some(typed) = typed.filter(|typed| !typed.expose().trim().is_empty()) else { return outcome };
        match memory.redeem(&user, &typed, &self.tick) {
            Ok(left) => {
                self.noted(records.let_in());
                let detail = format!("{}; {left} codes left", reason.name());
                *self.exempt(Exemption::BreakGlass, &detail)
            }
            Err(Refused::Cancelled) => *self.denied(Reason::Cancelled, &Refused::Cancelled.to_string()),
            Err(why) => *self.denied(Reason::BreakGlass, &format!("{}; {why}", reason.name())),
        }
    }

    /// What grace is bound to: the address of the connection, and the key of the first factor with the phone. Who has
    /// been removed since is not spared for having been confirmed.
    fn place_and_key(&self) -> Option<(IpAddr, grace::Key)> {
        let key = grace::Key::of(self.facts.auth_info.as_deref()?, self.subscriber()?)?;
        Some((self.facts.address?, key))
    }

    fn withheld(&self, why: Withheld) -> Stop {
        match why.reason {
            Reason::Misconfigured => Stop::Unusable(why.detail),
            reason => self.denied(reason, &why.detail).into(),
        }
    }

    /// What could not be written down after the decision is no reason for another one.
    fn noted(&mut self, written: Result<(), String>) {
        if let Err(why) = written {
            self.host.syslog(Priority::Error, &text::escaped(&why, 600));
        }
    }

    fn denied(&self, reason: Reason, detail: &str) -> Ended {
        Box::new(login::refuse(self.request.clone(), reason, detail, self.language, self.system.now()))
    }

    fn exempt(&self, exemption: Exemption, detail: &str) -> Ended {
        Box::new(login::exempt(self.request.clone(), exemption, detail, self.language, self.system.now()))
    }
}
