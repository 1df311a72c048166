//! What earlier logins on this host left behind, and what this one leaves: the module's hand on the store.
//!
//! ```text
//!  lock the connection ─> standing? ─> lock the phone ─> may it ring? ─> ... sending ... ─> ended
//!        │                    │              │                              │                 │
//!    held by whoever      confirmed,     held by another login          both written     both written
//!    runs there now       denied, late   of the same person             before it rings  as it came out
//! ```
//!
//! The phone is locked when nothing is awaited of the person but to look at it: who is asked to press Enter first, and
//! does not, keeps nobody from the same phone. Both locks are held until the login has ended, and the kernel takes them from a process that dies. So whoever
//! gets the lock of a connection and finds a push in its record knows that nobody waits for that push any more.
//!
//! A record that cannot be written before the phone rings keeps it from ringing: the next login would not know. One
//! that cannot be written afterwards is told to the log, and the person is let in: the signature has been verified.

#![forbid(unsafe_code)]

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mobileid::{
    driver::{
        TICK, Tick, TickVerdict,
        breakglass::{self, Refused, Stores},
        moment::moment,
        pins::Pins,
        store::{Locked, NoLock, Store},
    },
    login::Withheld,
    memory::{
        Moment, RUNTIME, STATE,
        connection::{self, Standing},
        grace::{self, Grace},
        outage::{self, Outage},
        pushes::{self, Pushes},
    },
    outcome::{Class, Outcome, Reason, Unreachable, Verdict},
    secret::Secret,
    subscriber::UserName,
};

/// The two folders, and the clock that goes with them.
#[derive(Debug)]
pub(crate) struct Memory {
    /// What is forgotten at boot.
    store: Store,
    /// What is kept: one-time codes and serial numbers. It is opened when one is asked for.
    state: PathBuf,
    clock: fn() -> Result<Moment, String>,
}

/// How long each kind of record is of use to anybody; the last two as long as the configuration may want them.
const USEFUL: [(&str, Duration); 4] = [
    (connection::KIND, connection::CONFIRMED_FOR),
    (outage::KIND, outage::REMEMBERED_FOR),
    (grace::KIND, grace::LONGEST),
    (pushes::KIND, Duration::from_secs(24 * 3600)),
];

impl Memory {
    /// The one of this host.
    pub(crate) fn open() -> Result<Self, String> {
        Self::within(Path::new(RUNTIME), Path::new(STATE), moment)
    }

    pub(crate) fn within(
        runtime: &Path,
        state: &Path,
        clock: fn() -> Result<Moment, String>,
    ) -> Result<Self, String> {
        Ok(Self { store: Store::open_until_boot(runtime)?, state: state.to_owned(), clock })
    }

    /// The serial numbers of first signatures.
    pub(crate) fn pins(&self) -> Pins {
        Pins::at(&self.state)
    }

    pub(crate) fn now(&self) -> Result<Moment, String> {
        (self.clock)()
    }

    /// Locks what is remembered of one connection.
    pub(crate) fn connection(
        &self,
        key: &str,
        longest: Duration,
        tick: &Tick,
        until: Instant,
    ) -> Result<(Standing, Connection<'_>), NoLock> {
        let lock = self.lock(connection::KIND, key, tick, until)?;
        let (found, now) = (lock.read()?, self.now()?);
        let standing = connection::standing(found.as_deref(), &now, longest);
        let earlier = found.and_then(|octets| connection::Record::decode(&octets).ok());
        let first = earlier.map(|record| record.first().clone()).filter(|first| now.since(first).is_some());
        let mut connection = Connection { lock, first: first.unwrap_or(now) };
        if matches!(standing, Standing::Fresh { .. }) {
            connection.begun(false)?;
        }
        Ok((standing, connection))
    }

    /// Locks a person's phone, so that it shows one question at a time.
    pub(crate) fn phone(&self, user: &str, tick: &Tick, until: Instant) -> Result<Phone<'_>, NoLock> {
        Ok(Phone::of(self.lock(pushes::KIND, user, tick, until)?, user)?)
    }

    /// The lock of a person's phone if nobody holds it.
    fn idle_phone(&self, user: &str) -> Result<Option<Phone<'_>>, String> {
        self.store.try_lock(pushes::KIND, user)?.map(|lock| Phone::of(lock, user)).transpose()
    }

    /// Whether the same person was confirmed from there, with that key, a short while ago.
    pub(crate) fn within_grace(
        &self,
        user: &str,
        address: IpAddr,
        key: &grace::Key,
        within: Duration,
    ) -> Result<bool, String> {
        let place = grace::place(user, address, key);
        let Some(lock) = self.store.try_lock(grace::KIND, &place)? else { return Ok(false) };
        let found = looked_up(lock)?.and_then(|octets| Grace::decode(&octets).ok());
        let now = self.now()?;
        Ok(found.is_some_and(|grace| grace.holds(user, address, key, within, &now)))
    }

    /// The person was confirmed from there, with that key, just now.
    pub(crate) fn grant(&self, user: &str, address: IpAddr, key: grace::Key) -> Result<(), String> {
        let place = grace::place(user, address, &key);
        // Whoever holds the lock is another login of hers: it writes the same, or looks. At worst she is asked again.
        let Some(mut lock) = self.store.try_lock(grace::KIND, &place)? else { return Ok(()) };
        let record = Grace { user: user.to_owned(), address, key, confirmed: self.now()? };
        lock.write(&record.encode())
    }

    /// How the service could not be reached a moment ago, as far as anybody knows who is listed.
    pub(crate) fn outage<'k>(
        &self,
        known_to: impl IntoIterator<Item = &'k str>,
    ) -> Result<Option<Unreachable>, String> {
        let now = self.now()?;
        for key in known_to {
            let Some(lock) = self.store.try_lock(outage::KIND, key)? else { continue };
            let found = looked_up(lock)?.and_then(|octets| Outage::decode(&octets).ok());
            if let Some(failure) = found.and_then(|outage| outage.remembered(&now)) {
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    /// The service could not be reached just now.
    pub(crate) fn fails(&self, failure: Unreachable, known_to: &str) -> Result<(), String> {
        let Some(record) = Outage::of(failure, self.now()?) else { return Ok(()) };
        let Some(mut lock) = self.store.try_lock(outage::KIND, known_to)? else { return Ok(()) };
        lock.write(&record.encode())
    }

    /// Whether the user has one-time codes left.
    pub(crate) fn has_codes(&self, user: &UserName, tick: &Tick) -> Result<bool, Refused> {
        breakglass::has_codes(&Store::open(&self.state)?, user, || tick() == TickVerdict::Cancel)
    }

    /// Uses a one-time code up; returns how many are left, or why it does not count.
    pub(crate) fn redeem(&self, user: &UserName, typed: &Secret, tick: &Tick) -> Result<usize, Refused> {
        let state = Store::open(&self.state)?;
        let stores = Stores { state: &state, runtime: &self.store };
        let is_gone = || tick() == TickVerdict::Cancel;
        breakglass::redeem(stores, user, typed, &self.now()?, is_gone).map(|redeemed| redeemed.left)
    }

    /// Removes what is of no use to anybody any more.
    pub(crate) fn sweep(&self) -> Result<(), String> {
        // What is wrong with one folder does not let the others grow.
        let swept = USEFUL.map(|(kind, useful)| self.store.sweep(kind, useful));
        swept.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    fn lock(&self, kind: &'static str, key: &str, tick: &Tick, until: Instant) -> Result<Locked<'_>, NoLock> {
        self.store.wait_for_lock(kind, key, until, TICK, || tick() == TickVerdict::Cancel)
    }
}

/// What a record holds. Where there is none, no lock file stays behind for each process that has looked.
fn looked_up(lock: Locked<'_>) -> Result<Option<Vec<u8>>, String> {
    let found = lock.read()?;
    if found.is_none() {
        lock.remove()?;
    }
    Ok(found)
}

/// The denial that waiting for a lock ends in.
pub(crate) fn withheld(why: NoLock, held_by: &str) -> Withheld {
    match why {
        NoLock::Cancelled => {
            Withheld { reason: Reason::Cancelled, detail: format!("while {held_by} went on") }
        }
        NoLock::Late => {
            Withheld { reason: Reason::PhoneBusy, detail: format!("{held_by} went on all the time") }
        }
        NoLock::Broken(why) => why.into(),
    }
}

/// The record of one connection, locked.
#[derive(Debug)]
pub(crate) struct Connection<'m> {
    lock: Locked<'m>,
    first: Moment,
}

impl Connection<'_> {
    /// What the next run on the connection is to find.
    fn ended(&mut self, outcome: &Outcome, rang: bool, now: Moment) -> Result<(), String> {
        let first = self.first.clone();
        let record = match &outcome.verdict {
            Verdict::Accepted(_) => {
                let ap_trans_id = outcome.audit.ap_trans_id.clone().unwrap_or_default();
                connection::Record::Accepted { first, at: now, ap_trans_id }
            }
            Verdict::Denied(reason) if rang => {
                connection::Record::Denied { first, reason: reason.name().to_owned() }
            }
            // No phone was asked: the next run decides anew.
            Verdict::Denied(_) | Verdict::Exempt(_) => connection::Record::Begun { first, sent: false },
        };
        self.lock.write(&record.encode())
    }

    fn begun(&mut self, sent: bool) -> Result<(), String> {
        self.lock.write(&connection::Record::Begun { first: self.first.clone(), sent }.encode())
    }
}

/// The record of one person's pushes, locked.
#[derive(Debug)]
pub(crate) struct Phone<'m> {
    lock: Locked<'m>,
    pushes: Pushes,
    sent: Option<Moment>,
}

impl<'m> Phone<'m> {
    fn of(lock: Locked<'m>, user: &str) -> Result<Self, String> {
        let pushes = match lock.read()? {
            None => Pushes::none(user),
            Some(octets) => Pushes::decode(&octets)
                .map_err(|e| format!("the pushes of {user}: {e}: mobileidctl pushes clear {user}"))?,
        };
        Ok(Self { lock, pushes, sent: None })
    }

    fn sending(&mut self, now: Moment) -> Result<(), String> {
        self.pushes.sent(&now);
        self.lock.write(&self.pushes.encode())?;
        self.sent = Some(now);
        Ok(())
    }

    /// Takes the push back unless it was in vain.
    fn ended(&mut self, in_vain: bool) -> Result<(), String> {
        match self.sent.take() {
            Some(sent) if !in_vain => {
                self.pushes.confirmed(&sent);
                self.lock.write(&self.pushes.encode())
            }
            _ => Ok(()),
        }
    }
}

/// One question at a time, and not too many: what it takes to be the one who asks.
#[derive(Debug)]
pub(crate) struct Turn<'m> {
    pub(crate) memory: &'m Memory,
    pub(crate) user: UserName,
    /// So many pushes in vain ...
    pub(crate) limit: u32,
    /// ... within so long are the last.
    pub(crate) window: Duration,
    /// How long another login of the same person is waited for.
    pub(crate) until: Instant,
}

impl<'m> Turn<'m> {
    /// Whether it is clear already, without waiting for anybody, that the phone may not ring.
    pub(crate) fn is_over(&self) -> Result<(), Withheld> {
        match self.memory.idle_phone(self.user.as_str())? {
            Some(phone) => self.may_ring(&phone),
            None => Ok(()),
        }
    }

    /// Waits for the phone.
    pub(crate) fn come(&self, tick: &Tick) -> Result<Phone<'m>, Withheld> {
        let phone = self.memory.phone(self.user.as_str(), tick, self.until);
        let phone = phone.map_err(|why| withheld(why, "another login of the same person"))?;
        self.may_ring(&phone)?;
        Ok(phone)
    }

    fn may_ring(&self, phone: &Phone<'_>) -> Result<(), Withheld> {
        let now = self.memory.now()?;
        if phone.pushes.may(self.limit, self.window, &now) {
            return Ok(());
        }
        let count = phone.pushes.within(self.window, &now);
        let detail = format!("{count} pushes in vain within {} s", self.window.as_secs());
        Err(Withheld { reason: Reason::PushLimit, detail })
    }
}

/// What is written down about one login while it runs.
#[derive(Debug)]
pub(crate) struct Records<'m> {
    memory: &'m Memory,
    connection: Option<Connection<'m>>,
    phone: Option<Phone<'m>>,
    /// Whether the next run on the connection learns more than when this one began.
    is_settled: bool,
}

impl<'m> Records<'m> {
    pub(crate) fn new(memory: &'m Memory, connection: Option<Connection<'m>>) -> Self {
        Self { memory, connection, phone: None, is_settled: false }
    }

    /// The phone that is going to be asked.
    pub(crate) fn of_phone(&mut self, phone: Phone<'m>) {
        self.phone = Some(phone);
    }

    /// The phone rings next.
    pub(crate) fn sending(&mut self) -> Result<(), String> {
        let now = self.memory.now()?;
        self.connection.as_mut().map_or(Ok(()), |connection| connection.begun(true))?;
        self.phone.as_mut().map_or(Ok(()), |phone| phone.sending(now))
    }

    /// The login has ended. Gives the phone free.
    pub(crate) fn ended(&mut self, outcome: &Outcome) -> Result<(), String> {
        let in_vain = matches!(&outcome.verdict, Verdict::Denied(reason) if reason.is_in_vain());
        // A defect of ours is no push in vain, but the phone has rung for this connection.
        let refused = matches!(&outcome.verdict, Verdict::Denied(reason) if reason.class() == Class::Refused);
        let phone = self.phone.take();
        let rang = refused && phone.as_ref().is_some_and(|phone| phone.sent.is_some());
        let counted = phone.map_or(Ok(()), |mut phone| phone.ended(in_vain));
        self.is_settled = rang || matches!(outcome.verdict, Verdict::Accepted(_));
        let now = self.memory.now()?;
        let joined = self.connection.as_mut().map_or(Ok(()), |c| c.ended(outcome, rang, now));
        counted.and(joined)
    }

    /// What was let in by a one-time code stays so on this connection: a second run would want a second code.
    pub(crate) fn let_in(&mut self) -> Result<(), String> {
        self.is_settled = true;
        let Some(connection) = &mut self.connection else { return Ok(()) };
        let (first, at) = (connection.first.clone(), self.memory.now()?);
        let record = connection::Record::Accepted { first, at, ap_trans_id: String::new() };
        connection.lock.write(&record.encode())
    }

    /// Leaves nothing of a process in which nothing came to an end: whoever starts sudo can start it without end.
    pub(crate) fn forget_unless_settled(&mut self) -> Result<(), String> {
        if self.is_settled {
            return Ok(());
        }
        self.connection.take().map_or(Ok(()), |connection| connection.lock.remove())
    }
}

#[cfg(test)]
mod tests;
