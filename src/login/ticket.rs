//! What it takes to finish an outstanding login on another node.
//!
//! A ticket goes to another node by way of a client that is not to be believed, so it travels sealed; the seal,
//! and that it belongs to this user, are the host's work. It is small because a RADIUS State has 253 octets in
//! all, and it grants nothing: [`Login::resume`](super::Login::resume) looks the user up again and asks the
//! service for the signature, which is verified as ever.
//!
//! ```text
//!   octets   1        16           4         2       1      n            the rest
//!          version  AP_TransID  start, s   lasts, s   n   MSSP_TransID   text, UTF-8
//! ```

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{
    mss::{ApTransId, MsspTransId, signature::Transaction},
    prompt,
    text::{self, is_unprintable},
};

/// An outstanding login, without who it is: see the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    pub(super) entropy: [u8; 16],
    pub(super) mssp_trans_id: MsspTransId,
    pub(super) text: String,
    pub(super) started: u32,
    pub(super) lasts: u16,
}

/// The one way to write a ticket.
const VERSION: u8 = 1;

/// Longest text in octets: each of [`prompt::GSM_MAX`] characters has two at most, each of
/// [`prompt::UCS2_MAX`] units three at most, which is less.
const TEXT_MAX: usize = 2 * prompt::GSM_MAX;

impl Ticket {
    /// What is known while the login is outstanding. None where the clock is not within what 32 bits can say.
    pub(super) fn new(
        entropy: [u8; 16],
        mssp_trans_id: &MsspTransId,
        text: &str,
        started: SystemTime,
        lasts: Duration,
    ) -> Option<Self> {
        Some(Self {
            entropy,
            mssp_trans_id: mssp_trans_id.clone(),
            text: text.to_owned(),
            started: u32::try_from(started.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?,
            lasts: u16::try_from(lasts.as_secs()).ok()?,
        })
    }

    /// The identifier of the signature request.
    #[must_use]
    pub fn ap_trans_id(&self) -> ApTransId {
        ApTransId::from_entropy(&self.entropy)
    }

    /// The transaction for the record.
    pub(super) fn transaction(&self) -> Transaction {
        let shown = text::identifier(self.mssp_trans_id.as_str(), 100);
        Transaction { mssp_trans_id: Some(shown), profile: None }
    }

    /// The text on the phone.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// When the login began, in whole seconds.
    #[must_use]
    pub fn started(&self) -> SystemTime {
        // 136 years after 1970 at most: no clock type that runs this program ends before.
        UNIX_EPOCH.checked_add(Duration::from_secs(self.started.into())).unwrap_or(UNIX_EPOCH)
    }

    /// When the login ends: from then on the ticket is worth nothing.
    #[must_use]
    pub fn ends(&self) -> SystemTime {
        let started = self.started();
        started.checked_add(Duration::from_secs(self.lasts.into())).unwrap_or(started)
    }

    /// As octets, to be sealed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let id = self.mssp_trans_id.as_str();
        let mut octets = vec![VERSION];
        octets.extend_from_slice(&self.entropy);
        octets.extend_from_slice(&self.started.to_be_bytes());
        octets.extend_from_slice(&self.lasts.to_be_bytes());
        // An MSSP_TransID has 64 octets at most.
        octets.push(u8::try_from(id.len()).unwrap_or_default());
        octets.extend_from_slice(id.as_bytes());
        octets.extend_from_slice(self.text.as_bytes());
        octets
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let (&[VERSION], rest) = octets.split_first_chunk()? else { return None };
        let (entropy, rest) = rest.split_first_chunk::<16>()?;
        let (started, rest) = rest.split_first_chunk::<4>()?;
        let (lasts, rest) = rest.split_first_chunk::<2>()?;
        let (&id, rest) = rest.split_first()?;
        let (id, text) = rest.split_at_checked(id.into())?;
        let text = std::str::from_utf8(text).ok()?;
        let fits = (1..=TEXT_MAX).contains(&text.len()) && !text.chars().any(is_unprintable);
        Some(Self {
            entropy: *entropy,
            mssp_trans_id: std::str::from_utf8(id).ok()?.parse().ok()?,
            text: fits.then(|| text.to_owned())?,
            started: u32::from_be_bytes(*started),
            lasts: u16::from_be_bytes(*lasts),
        })
    }
}
