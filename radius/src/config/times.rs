//! How long a client waits, and how long a login at it may take: what is written, what stands for what is not, and
//! whether a person can make it.

use mobileid::{
    config::{Located, Timeouts},
    load::Setup,
    policy,
};

use super::{Mode, client::ClientDraft, loader::Loader};

impl Loader<'_> {
    /// `nas_timeout` and `deadline`, in seconds.
    pub(super) fn times(&mut self, draft: &ClientDraft, setup: &Setup) -> Option<(u64, u64)> {
        let longest = policy::longest(&setup.config).as_secs();
        let shortest = shortest(&setup.config.timeouts);
        let (nas_timeout, deadline) = draft.times(longest);
        let (key, given, what) = if deadline > longest {
            let what = format!("must be {longest} at most: longer than that the core waits for no phone");
            ("deadline", &draft.deadline, what)
        } else if deadline < shortest && draft.deadline.is_none() {
            let what = format!(
                "leaves a person no time to confirm: with mode = \"wait\" it takes {shortest} at least, better 60 and \
                 more; raise the timeout of the NAS, or choose mode = \"wait-then-challenge\""
            );
            ("nas_timeout", &draft.nas_timeout, what)
        } else if deadline < shortest {
            let what = format!("must be {shortest} at least, or a person has no time to confirm");
            ("deadline", &draft.deadline, what)
        } else if draft.reject_delay >= nas_timeout {
            ("reject_delay", &None, format!("must be shorter than nas_timeout, {nas_timeout}"))
        } else {
            return Some((nas_timeout, deadline));
        };
        let line = given.as_ref().map_or(draft.line, |given| given.line);
        self.mistake(&Located { value: (), line, key: format!("client.{key}") }, what);
        None
    }
}

/// The shortest deadline that leaves a person five seconds: the core gives up so much later than the service.
pub(super) fn shortest(timeouts: &Timeouts) -> u64 {
    let sim = timeouts.sim_connection.saturating_sub(timeouts.sim);
    let app = timeouts.app_connection.saturating_sub(timeouts.app);
    sim.max(app).as_secs().saturating_add(5)
}

impl ClientDraft {
    /// `nas_timeout` and `deadline` in seconds, with what stands for the one that is absent: a client that only waits
    /// is believed to wait as long as a login may take, and to be answered in time; one that can be challenged is
    /// believed to give up early.
    pub(super) fn times(&self, longest: u64) -> (u64, u64) {
        let deadline = self.deadline.as_ref().map(|l| l.value);
        let nas_timeout = self.nas_timeout.as_ref().map(|l| l.value);
        match self.mode {
            Mode::Wait => {
                let deadline = deadline.unwrap_or_else(|| nas_timeout.unwrap_or(longest).min(longest));
                (nas_timeout.unwrap_or(deadline), deadline)
            }
            Mode::Challenge | Mode::WaitThenChallenge => {
                (nas_timeout.unwrap_or(NAS_TIMEOUT), deadline.unwrap_or(longest))
            }
        }
    }
}

/// What most products are set to; the shorter ones send the request again.
const NAS_TIMEOUT: u64 = 5;
