//! Source ports with 256 identifiers each, and what waits under each of them.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Context, Result};

const IDENTIFIERS: usize = 256;

/// Why a request was sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    /// For the login, which ends with its answer.
    First,
    /// For a login that has been asked for already: its answer is only counted.
    Twin,
}

/// A request that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) login: u32,
    pub(super) role: Role,
    /// When the login began.
    pub(super) since: Instant,
    pub(super) authenticator: [u8; 16],
    /// How often it was sent again.
    pub(super) tries: u32,
}

impl Default for Waiting {
    fn default() -> Waiting {
        Waiting { login: 0, role: Role::First, since: Instant::now(), authenticator: [0; 16], tries: 0 }
    }
}

/// One identifier of one port.
#[derive(Default)]
pub(super) struct Slot {
    pub(super) waiting: Option<Waiting>,
    /// As it was sent, to be sent again.
    pub(super) packet: Vec<u8>,
    /// Counts what it has been used for, so that a timer can tell that it comes too late.
    pub(super) use_of: u32,
}

pub(super) struct Slots {
    slots: Vec<Slot>,
    /// The one that has been free for longest comes first.
    free: VecDeque<usize>,
    /// Logins between a challenge and its follow-up, which take no identifier.
    parked: Vec<Option<Waiting>>,
}

impl Slots {
    pub(super) fn new(ports: usize) -> Slots {
        let count = ports * IDENTIFIERS;
        let mut slots = Vec::with_capacity(count);
        slots.resize_with(count, Slot::default);
        // Ports take turns, so that a burst does not come from one of them.
        let free =
            (0..IDENTIFIERS).flat_map(|id| (0..ports).map(move |port| port * IDENTIFIERS + id)).collect();
        Slots { slots, free, parked: Vec::new() }
    }

    pub(super) fn index(port: usize, identifier: u8) -> usize {
        port * IDENTIFIERS + usize::from(identifier)
    }

    /// Port and identifier.
    pub(super) fn address(index: usize) -> (usize, u8) {
        let identifier = u8::try_from(index % IDENTIFIERS).unwrap_or_default();
        (index / IDENTIFIERS, identifier)
    }

    pub(super) fn any_free(&self) -> bool {
        !self.free.is_empty()
    }

    pub(super) fn take(&mut self) -> Option<usize> {
        self.free.pop_front()
    }

    pub(super) fn at(&mut self, index: usize) -> Result<&mut Slot> {
        self.slots.get_mut(index).context("a slot for each identifier")
    }

    /// The slot, if it is still used for what it was used for then.
    pub(super) fn still(&mut self, index: usize, use_of: u32) -> Result<Option<&mut Slot>> {
        let slot = self.at(index)?;
        Ok((slot.use_of == use_of && slot.waiting.is_some()).then_some(slot))
    }

    pub(super) fn free(&mut self, index: usize) -> Result<()> {
        let slot = self.at(index)?;
        slot.waiting = None;
        slot.use_of = slot.use_of.wrapping_add(1);
        self.free.push_back(index);
        Ok(())
    }

    pub(super) fn park(&mut self, waiting: Waiting) -> usize {
        self.parked.push(Some(waiting));
        self.parked.len() - 1
    }

    pub(super) fn unpark(&mut self, place: usize) -> Option<Waiting> {
        self.parked.get_mut(place)?.take()
    }
}
