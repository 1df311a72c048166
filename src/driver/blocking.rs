//! The loop: asks of the machine become calls, results become answers, until the login is done.

use std::{
    thread,
    time::{Instant, SystemTime},
};

use ring::rand::{SecureRandom, SystemRandom};

use super::{
    directories::{self, GivenUp},
    https::Https,
    pins::Pins,
    socket::{TICK, Tick, Verdict as TickVerdict},
    tls::Unusable,
};
use crate::{
    directory::Lookup,
    load::Setup,
    login::{Answer, Ask, Entropy, Login, Now, Request, Step, Withheld},
    memory::pin::By,
    notice::Notice,
    outcome::Outcome,
    subscriber::UserName,
};

/// What the loop needs of the host application.
pub trait World {
    /// What the directories have said of the user already, where somebody has asked them for this login: they are not
    /// asked again.
    fn known(&mut self) -> Option<Lookup> {
        None
    }

    /// Told of a directory that was away and passed over; the line is for the administrator.
    fn passed_over(&mut self, line: &str);

    /// Told what the directories said of the user.
    fn looked_up(&mut self, _found: &Lookup) {}

    /// Shows a notice to the person, as well as this host can. That it could not is no reason to stop.
    ///
    /// # Errors
    /// Why it goes no further all the same: the phone is not asked.
    fn show(&mut self, notice: &Notice) -> Result<(), Withheld>;

    /// Told just before the phone is asked, once, with the identifier of the transaction: what is written down now is
    /// what is left if the process is killed while it waits.
    ///
    /// # Errors
    /// Why the phone must not be asked, for the administrator: it is not, and the login is denied.
    fn sending(&mut self, login: &Login) -> Result<(), Withheld>;

    /// Where the serial numbers of first signatures are kept.
    fn pins(&self) -> Pins;

    /// What is asked every 200 ms while waiting.
    fn tick(&self) -> Tick;
}

/// Both clocks, now.
#[must_use]
pub fn now() -> Now {
    Now { instant: Instant::now(), wall: SystemTime::now() }
}

/// Runs one login to its end. The way to the service is made ready once somebody is to be asked, and before they are
/// told so: who is refused or let in by the look-up alone waits for no keys and roots.
///
/// # Errors
/// [`Unusable`] if the way to the service cannot be made ready, or the system has no randomness: nobody was asked,
/// and nothing was shown.
pub fn run(request: Request, setup: &Setup, world: &mut impl World) -> Result<Outcome, Unusable> {
    let mut way = None;
    let mut step = Login::start(request, &setup.config, now(), &entropy()?);
    loop {
        let (login, ask) = match step {
            Step::Done(outcome) => return Ok(*outcome),
            Step::Ask(login, ask) => (login, ask),
        };
        let answer = match ask {
            Ask::Lookup(user) => match look_up(&user, setup, world, login.deadline()) {
                Ok(found) => {
                    let known = world.pins().complete(found, &setup.directories, setup.config.serial);
                    known
                        .inspect(|found| world.looked_up(found))
                        .map_or_else(Answer::Withheld, Answer::Looked)
                }
                Err(GivenUp) => Answer::Cancelled,
            },
            Ask::Show(notice) => {
                ready(&mut way, setup)?;
                world.show(&notice).map_or_else(Answer::Withheld, |()| Answer::Shown)
            }
            Ask::Send(request) => {
                let https = ready(&mut way, setup)?;
                let told = if request.repeatable { Ok(()) } else { world.sending(&login) };
                match told {
                    Ok(()) => https.exchange(&request, &world.tick()),
                    Err(why) => Answer::Withheld(why),
                }
            }
            Ask::WaitUntil(due) => wait_until(due, &world.tick()),
            Ask::Pin(pin) => {
                let (pins, tick) = (world.pins(), world.tick());
                directories::pin(&setup.directories, &pins, &pin, By::Login, &tick, login.deadline())
                    .map_or(Answer::Cancelled, Answer::Pinned)
            }
        };
        step = login.step(answer, now());
    }
}

fn look_up(
    user: &UserName,
    setup: &Setup,
    world: &mut impl World,
    deadline: Instant,
) -> Result<Lookup, GivenUp> {
    if let Some(known) = world.known() {
        return Ok(known);
    }
    let tick = world.tick();
    directories::lookup_told(&setup.directories, user, &tick, deadline, |directory, answer| {
        let line = directories::passed_over(directory, answer, user);
        line.iter().for_each(|line| world.passed_over(line));
    })
}

/// The way to the service, made at the first call.
fn ready<'a>(way: &'a mut Option<Https>, setup: &Setup) -> Result<&'a Https, Unusable> {
    let https = match way.take() {
        Some(https) => https,
        None => Https::new(&setup.connection)?,
    };
    Ok(way.insert(https))
}

/// Sleeps in slices, and asks the host before each of them.
fn wait_until(due: Instant, tick: &Tick) -> Answer {
    loop {
        if tick() == TickVerdict::Cancel {
            return Answer::Cancelled;
        }
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Answer::Waited;
        }
        thread::sleep(left.min(TICK));
    }
}

/// Fresh randomness for one login.
///
/// # Errors
/// [`Unusable`] if the system has none to give.
pub fn entropy() -> Result<Entropy, Unusable> {
    let mut bytes = Entropy::default();
    SystemRandom::new().fill(&mut bytes).map_err(|_| Unusable::no_randomness())?;
    Ok(bytes)
}
