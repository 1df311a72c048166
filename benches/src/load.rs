//! The load generator: a NAS with as many source ports as it takes, that checks every answer it gets.
//!
//! ```text
//!  free slots ──start──> waiting ──answer──> tally, slot is free again (oldest first)
//!  (port, id)              │  ^
//!                          │  └── same packet again, while the plan has retries left
//!                          ├── plan.rejoin later: a twin, the same login under another identifier
//!                          └── Access-Challenge: plan.confirm later the follow-up with its State
//! ```
//!
//! One thread, one `epoll`. Each source port carries at most 256 requests at a time, which is what an
//! identifier of one octet allows. Targets other than loopback are refused.

mod plan;
mod slots;
mod tally;
mod wire;

use std::collections::VecDeque;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{setsockopt, sockopt};

use crate::clock;
pub use plan::{Pace, Plan};
use slots::{Role, Slot, Slots, Waiting};
pub use tally::Report;
use tally::Tally;
use wire::{Key, Mark, Request, Verdict};

/// Room for the answers to some 7,600 requests: the kernel counts twice what it is told.
const BUFFER: usize = 4 << 20;
/// Answers taken from one port before the others have their turn.
const TURN: usize = 64;
/// Logins begun before answers have their turn.
const BEGIN: usize = 64;

/// Carries out a plan, to its end.
///
/// # Errors
/// The target is not on loopback, the plan does not fit, or a socket cannot be had.
pub fn run(plan: &Plan) -> Result<Report> {
    ensure!(plan.target.ip().is_loopback(), "{} is not loopback: this loads nobody else", plan.target);
    ensure!(plan.password.len() <= 16, "a password of at most 16 octets, which is one block");
    let mut run = Run::new(plan)?;
    let cpu = clock::thread_cpu();
    while !run.finished() {
        run.begin()?;
        run.take_answers()?;
        run.do_what_is_due()?;
    }
    Ok(run.tally.report(run.epoch, clock::thread_cpu().saturating_sub(cpu)))
}

struct Run<'p> {
    plan: &'p Plan,
    /// What requests are signed with, and what answers have to be signed with.
    signing: Key,
    key: Key,
    ports: Vec<UdpSocket>,
    epoll: Epoll,
    slots: Slots,
    /// Each in order of time, because each kind of delay is the same for all.
    timeouts: VecDeque<Due>,
    rejoins: VecDeque<Due>,
    confirmations: VecDeque<(Due, Vec<u8>)>,
    tally: Tally,
    random: Random,
    user: Vec<u8>,
    buffer: Vec<u8>,
    epoch: Instant,
    begun: u32,
    /// First requests whose end is not known, and everything that waits for an answer.
    open: usize,
    waiting: usize,
    quiet_since: Option<Instant>,
}

/// Something is to be done about a slot, unless it has been used for something else since.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    slot: usize,
    use_of: u32,
}

impl<'p> Run<'p> {
    fn new(plan: &'p Plan) -> Result<Run<'p>> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let count = plan.ports();
        let mut ports = Vec::with_capacity(count);
        for number in 0..count {
            let port = UdpSocket::bind((plan.target.ip(), 0)).context("no more source ports")?;
            port.connect(plan.target)?;
            port.set_nonblocking(true)?;
            setsockopt(&port, sockopt::RcvBuf, &BUFFER)?;
            setsockopt(&port, sockopt::SndBuf, &BUFFER)?;
            epoll.add(&port, EpollEvent::new(EpollFlags::EPOLLIN, u64::try_from(number)?))?;
            ports.push(port);
        }
        let key = Key::new(&plan.secret)?;
        let signing = if plan.wrong_secret { Key::new(b"not this one")? } else { key.clone() };
        Ok(Run {
            plan,
            signing,
            key,
            ports,
            epoll,
            slots: Slots::new(count),
            timeouts: VecDeque::new(),
            rejoins: VecDeque::new(),
            confirmations: VecDeque::new(),
            tally: Tally::new(plan.count),
            random: Random::new(),
            user: Vec::new(),
            buffer: vec![0; 4096],
            epoch: Instant::now(),
            begun: 0,
            open: 0,
            waiting: 0,
            quiet_since: None,
        })
    }

    /// Everybody has been answered or given up, and stray answers have had their time.
    fn finished(&mut self) -> bool {
        if self.begun < self.plan.count || self.open > 0 || self.waiting > 0 {
            return false;
        }
        self.quiet_since.get_or_insert_with(Instant::now).elapsed() >= self.plan.linger
    }

    /// Begins the logins that the pace allows now.
    fn begin(&mut self) -> Result<()> {
        for _ in 0..BEGIN {
            if !self.may_begin() {
                break;
            }
            let login = self.begun;
            let first = Waiting { login, role: Role::First, since: Instant::now(), ..Waiting::default() };
            if !self.send_new(first, None)? {
                break;
            }
            self.begun += 1;
            self.open += 1;
        }
        Ok(())
    }

    fn may_begin(&self) -> bool {
        self.begun < self.plan.count
            && match self.plan.pace {
                Pace::Burst => true,
                Pace::Closed(limit) => self.open < limit,
                Pace::Rate(per_second) => {
                    f64::from(self.begun) <= self.epoch.elapsed().as_secs_f64() * per_second
                }
            }
    }

    /// Sends a request from a free slot. False if there is none.
    fn send_new(&mut self, mut waiting: Waiting, state: Option<&[u8]>) -> Result<bool> {
        let Some(index) = self.slots.take() else { return Ok(false) };
        waiting.authenticator = self.random.octets();
        self.plan.write_user(waiting.login, &mut self.user);
        let (port, identifier) = Slots::address(index);
        let slot = self.slots.at(index)?;
        let request = Request {
            identifier,
            authenticator: &waiting.authenticator,
            user: &self.user,
            password: &self.plan.password,
            login: waiting.login,
            state,
            proxied: self.plan.proxied,
        };
        request.write(&self.signing, &mut slot.packet);
        slot.waiting = Some(waiting);
        let now = Instant::now();
        let due = |delay: Duration| Due { at: now + delay, slot: index, use_of: slot.use_of };
        self.timeouts.push_back(due(self.plan.timeout));
        if let (Some(delay), Role::First, None) = (self.plan.rejoin, waiting.role, state) {
            self.rejoins.push_back(due(delay));
        }
        send(self.ports.get(port).context("a port for each slot")?, &slot.packet, &mut self.tally);
        self.waiting += 1;
        Ok(true)
    }

    /// Takes what has come, and waits a moment if there is nothing else to do.
    fn take_answers(&mut self) -> Result<()> {
        let patience = if self.may_begin() && self.slots.any_free() { 0_u8 } else { 2 };
        let mut events = [EpollEvent::empty(); 64];
        let ready = self.epoll.wait(&mut events, EpollTimeout::from(patience)).or_else(interrupted)?;
        for event in events.iter().take(ready) {
            let port = usize::try_from(event.data())?;
            for _ in 0..TURN {
                let mut buffer = std::mem::take(&mut self.buffer);
                let came = self.ports.get(port).context("a port for each event")?.recv(&mut buffer);
                let handled = match came {
                    Ok(length) => self.answer(port, buffer.get(..length).unwrap_or_default()).map(|()| true),
                    Err(error) => {
                        self.tally.refused_by_host +=
                            u64::from(error.kind() == std::io::ErrorKind::ConnectionRefused);
                        Ok(false)
                    }
                };
                self.buffer = buffer;
                if !handled? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self, port: usize, datagram: &[u8]) -> Result<()> {
        let Some(&identifier) = datagram.get(1) else {
            self.tally.bad += 1;
            return Ok(());
        };
        let index = Slots::index(port, identifier);
        let slot = self.slots.at(index)?;
        let Some(waiting) = slot.waiting else {
            self.tally.stray += 1;
            return Ok(());
        };
        let Ok(answer) = wire::read(datagram, &waiting.authenticator, waiting.login, &self.key) else {
            self.tally.bad += 1;
            return Ok(());
        };
        self.tally.unmarked += u64::from(answer.mark == Mark::Absent);
        self.tally.marked_late += u64::from(answer.mark == Mark::Later);
        self.tally.proxy_lost += u64::from(self.plan.proxied && !answer.proxied);
        self.slots.free(index)?;
        self.waiting -= 1;
        if waiting.role == Role::Twin {
            self.tally.twins_answered += 1;
            return Ok(());
        }
        match (answer.verdict, answer.state) {
            (Verdict::Accept, _) => self.tally.accepted += 1,
            (Verdict::Reject, _) => self.tally.rejected += 1,
            (Verdict::Challenge, Some(state)) if self.plan.confirm.is_some() => {
                self.tally.challenged += 1;
                self.confirm_later(waiting, state);
                return Ok(());
            }
            (Verdict::Challenge, _) => self.tally.challenged += 1,
        }
        self.open -= 1;
        self.tally.took(waiting.since);
        Ok(())
    }

    /// The person reads the text, confirms on the phone and presses OK.
    fn confirm_later(&mut self, waiting: Waiting, state: &[u8]) {
        let delay = self.plan.confirm.unwrap_or_default();
        let slot = self.slots.park(waiting);
        self.confirmations.push_back((Due { at: Instant::now() + delay, slot, use_of: 0 }, state.to_vec()));
    }

    fn do_what_is_due(&mut self) -> Result<()> {
        let now = Instant::now();
        while let Some(due) = next(&mut self.rejoins, now) {
            if let Some(waiting) = self.slots.still(due.slot, due.use_of)?.and_then(|slot| slot.waiting) {
                self.tally.twins += u64::from(self.send_new(Waiting { role: Role::Twin, ..waiting }, None)?);
            }
        }
        while self.confirmations.front().is_some_and(|(due, _)| due.at <= now) {
            let Some((due, state)) = self.confirmations.pop_front() else { break };
            if let Some(waiting) = self.slots.unpark(due.slot) {
                self.send_new(Waiting { tries: 0, ..waiting }, Some(&state))?;
            }
        }
        while let Some(due) = next(&mut self.timeouts, now) {
            self.timed_out(due, now)?;
        }
        Ok(())
    }

    /// Sends the same packet again, or gives up.
    fn timed_out(&mut self, due: Due, now: Instant) -> Result<()> {
        let Some(slot) = self.slots.still(due.slot, due.use_of)? else { return Ok(()) };
        let Slot { waiting: Some(waiting), packet, .. } = slot else { return Ok(()) };
        if waiting.tries < self.plan.retries {
            waiting.tries += 1;
            self.tally.repeated += 1;
            let (port, _) = Slots::address(due.slot);
            send(self.ports.get(port).context("a port for each slot")?, packet, &mut self.tally);
            self.timeouts.push_back(Due { at: now + self.plan.timeout, ..due });
            return Ok(());
        }
        if waiting.role == Role::First {
            self.tally.lost += 1;
            self.open -= 1;
        }
        self.waiting -= 1;
        self.slots.free(due.slot)
    }
}

/// The first of a queue, if its time has come.
fn next(queue: &mut VecDeque<Due>, now: Instant) -> Option<Due> {
    if queue.front()?.at <= now { queue.pop_front() } else { None }
}

/// A datagram that the kernel does not take is one that got lost.
fn send(port: &UdpSocket, packet: &[u8], tally: &mut Tally) {
    if let Err(error) = port.send(packet) {
        tally.refused_by_host += u64::from(error.kind() == std::io::ErrorKind::ConnectionRefused);
        tally.not_sent += u64::from(error.kind() == std::io::ErrorKind::WouldBlock);
    }
}

fn interrupted(error: nix::errno::Errno) -> Result<usize, nix::errno::Errno> {
    if error == nix::errno::Errno::EINTR { Ok(0) } else { Err(error) }
}

/// Request Authenticators: unlike one another is what matters here.
struct Random(u64);

impl Random {
    fn new() -> Random {
        Random(u64::from(std::process::id()) << 32 | u64::from(clock::wall().subsec_nanos()))
    }

    /// Splitmix64, twice.
    fn octets(&mut self) -> [u8; 16] {
        let mut octets = [0; 16];
        for half in octets.chunks_exact_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            half.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
        }
        octets
    }
}
