//! What the number can do, and the one signature that proves who has the phone.

use std::{sync::Arc, time::SystemTime};

use anyhow::{Context as _, anyhow};
use mobileid::{
    config::{Config, SerialPolicy, Unenrolled},
    directory::{Directories, Directory, Kind, WhenUnavailable, file::UserTable},
    driver::{
        Tick,
        blocking::{self, World},
        evidence,
        https::Https,
        pins::Pins,
    },
    login::{Answer, Login, Request, Withheld},
    mss::{
        ApTransId, HttpResponse,
        profile::{self, Account, ProfileReply, ProfileRequest},
    },
    notice::Notice,
    outcome::{Outcome, Reason, Verdict},
    policy,
    subscriber::{Msisdn, SerialNumber, Subscriber},
    text,
};

use super::{
    Enrolment, Stop,
    readiness::{Readiness, judge},
    refusal::Refusal,
    report::account_in_words,
};
use crate::{
    advice::Us,
    out,
    progress::Bound,
    terminal::{Terminal, host_name},
};

impl Enrolment<'_> {
    /// Asks the service what the number can do, and tells it.
    pub(super) fn ask_profile(&mut self, subscriber: &Subscriber) -> Result<(), Stop> {
        let reply = profile::read(&self.exchange(&subscriber.msisdn)?);
        let reply =
            reply.map_err(|why| anyhow!("the service gave no profile: {}", Reason::Unreadable(why)))?;
        if let ProfileReply::Account(account) = &reply {
            account_in_words(account).iter().for_each(|line| self.terminal.step(line));
            self.facts.account = Some(account.clone());
        }
        let config = &self.setup.config;
        let known = subscriber.serial.as_ref().filter(|_| config.serial != SerialPolicy::Ignore);
        match (judge(&reply, policy::profile(config, subscriber), known), reply) {
            (Some(Readiness::Ready), _) => Ok(()),
            (Some(Readiness::Activates), _) => {
                self.terminal
                    .step("the SIM is not active: it is activated by the request, with a PIN of her choice");
                Ok(())
            }
            (Some(Readiness::Not(obstacle)), _) => {
                Err(Refusal::Unready(obstacle, self.arguments.user.clone()).into())
            }
            (None, ProfileReply::Fault(fault)) => {
                let (name, code) = (fault.fault.name(), fault.fault.code());
                let detail = &fault.detail;
                let mut why = format!("the service refused the profile query: {name} ({code}): {detail}");
                Us::of(&self.setup)
                    .after(fault.fault)
                    .iter()
                    .for_each(|it| why.push_str(&format!("\n  - {it}")));
                Err(anyhow!(why).into())
            }
            (None, ProfileReply::NotOk(status)) => {
                Err(anyhow!("the service gave no profile: {} ({})", status.name(), status.code()).into())
            }
            (None, ProfileReply::Account(_)) => Err(anyhow!("the service gave no profile").into()),
        }
    }

    fn exchange(&mut self, msisdn: &Msisdn) -> Result<HttpResponse, Stop> {
        let shown = || self.arguments.common.config.display().to_string();
        let https = Https::new(&self.setup.connection).with_context(shown)?;
        let entropy = blocking::entropy().with_context(shown)?;
        let id = entropy.first_chunk().map(ApTransId::from_entropy).context("too little randomness")?;
        let limit = self.setup.connection.timeouts.connect.saturating_add(profile::LIMIT);
        let (ap, at) = (&self.setup.config.ap, SystemTime::now());
        let request = profile::request(&ProfileRequest { ap, ap_trans_id: &id, at, msisdn, limit });
        self.terminal.wait("what the service says of the number", Bound::AtMost(request.limit));
        let answer = https.exchange(&request, &self.terminal.tick());
        self.terminal.waited();
        match answer {
            Answer::Reply(response) => Ok(response),
            Answer::Unreachable(_, why) | Answer::Lost(why) => {
                Err(anyhow!("the profile was not asked: {}", text::foreign(&why, 300)).into())
            }
            Answer::TimedOut => {
                Err(anyhow!("the service gave no answer to the profile query in time").into())
            }
            _ => Err(Refusal::GivenUp.into()),
        }
    }

    /// Has the phone sign, by the machine of every login; gives the serial number of the signature.
    pub(super) fn sign(&mut self, subscriber: &Subscriber) -> Result<SerialNumber, Stop> {
        let outcome = self.ask_phone(subscriber)?;
        self.facts.signed(&outcome);
        self.terminal.step(&format!("{}: {}", outcome.audit.verdict, outcome.audit.reason));
        if let (Some(folder), Some(proof)) = (&self.setup.evidence, &outcome.evidence)
            && let Err(error) = evidence::keep(folder, proof)
        {
            out::say(&format!("warning: evidence not kept in {}: {error}", folder.display()));
        }
        match outcome.verdict {
            Verdict::Accepted(signer) => {
                let serial = signer.signer().serial.clone();
                self.facts.serial = Some(serial.clone());
                if self.facts.account.as_ref().is_some_and(|account| is_unlisted(&serial, account)) {
                    self.terminal.step(&format!(
                        "warning: the serial number {serial} is none that the service has listed for this number"
                    ));
                }
                Ok(serial)
            }
            Verdict::Denied(reason) => {
                let detail = outcome.audit.detail.unwrap_or_default();
                self.facts.advice = Us::of(&self.setup).after_login(&outcome.verdict);
                Err(Refusal::Denied { reason, detail, user: self.arguments.user.clone() }.into())
            }
            // No rule was asked that could let anybody in.
            Verdict::Exempt(exemption) => Err(anyhow!("nothing was signed: {}", exemption.name()).into()),
        }
    }

    fn ask_phone(&mut self, subscriber: &Subscriber) -> Result<Outcome, Stop> {
        let request = Request {
            user: self.arguments.user.clone(),
            service: "enrol".to_owned(),
            host: host_name(),
            rhost: None,
            client: None,
            target: None,
            command: None,
            limit: None,
        };
        let (config, directories) = (self.config(subscriber), self.directory_of(subscriber));
        // For this one run: who it is has been looked up, and the number that was asked about is the one that signs.
        let ours = (
            std::mem::replace(&mut self.setup.config, Arc::new(config)),
            std::mem::replace(&mut self.setup.directories, Arc::new(directories)),
        );
        let outcome = blocking::run(request, &self.setup, &mut Enrolling(&mut self.terminal));
        self.terminal.waited();
        (self.setup.config, self.setup.directories) = ours;
        Ok(outcome.with_context(|| self.arguments.common.config.display().to_string())?)
    }

    /// That of a login, but with the text of an enrolment. What is kept is kept afterwards, and not by the machine.
    fn config(&self, subscriber: &Subscriber) -> Config {
        let config = Config::clone(&self.setup.config);
        let serial = match (config.serial, &subscriber.serial) {
            (SerialPolicy::Ignore, _) | (_, None) => SerialPolicy::Ignore,
            (_, Some(_)) => SerialPolicy::IfKnown,
        };
        Config { templates: self.written.file.enrol.clone(), unenrolled: Unenrolled::Deny, serial, ..config }
    }

    fn directory_of(&self, subscriber: &Subscriber) -> Directories {
        let table = UserTable::of_one(self.arguments.user.clone(), subscriber.clone());
        Directories::new(vec![Directory {
            name: subscriber.entry.directory.clone(),
            unavailable: WhenUnavailable::Deny,
            kind: Kind::File(table),
        }])
    }
}

/// Whether the service lists serial numbers, and not this one. The signature counts; but where the two differ, Mobile ID was
/// activated anew in this very minute, and somebody may want to know by whom.
fn is_unlisted(serial: &SerialNumber, account: &Account) -> bool {
    let certificates = account.devices.iter().flat_map(|device| &device.certificates);
    let mut listed = certificates.filter_map(|certificate| certificate.serial.as_ref()).peekable();
    listed.peek().is_some() && listed.all(|other| other != serial)
}

/// The terminal, as the host of the one signature: who it is was told before.
struct Enrolling<'a>(&'a mut Terminal);

impl World for Enrolling<'_> {
    fn passed_over(&mut self, line: &str) {
        self.0.passed_over(line);
    }

    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        self.0.step(&format!("tell the person: {notice}"));
        Ok(())
    }

    fn sending(&mut self, login: &Login) -> Result<(), Withheld> {
        self.0.sending(login)
    }

    fn pins(&self) -> Pins {
        self.0.pins()
    }

    fn tick(&self) -> Tick {
        self.0.tick()
    }
}
