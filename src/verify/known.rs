//! Intermediate certificates that have led to an anchor before. The service's root has an RSA key of 8192 bits, and
//! checking its signature on the one intermediate that all signers share is most of the work of a login.
//!
//! What is remembered is a fact about two certificates: webpki has verified a whole path, signer, this intermediate,
//! this anchor. From then on the intermediate may stand for the anchor, under these conditions, so that nothing is
//! accepted that the whole path would not have been accepted for:
//!
//! - The intermediate is embedded in the message, byte for byte (it is found by its SHA-256), and is the only
//!   certificate there that may have issued the signer's. So webpki would have come to the same path.
//! - Intermediate and anchor are both valid at the time of the login. webpki looks at the validity of what is between
//!   the ends of a path, which the intermediate no longer is, and never at that of an anchor.
//! - webpki is given no other intermediate. So no path is longer than the one that was verified, and no path length
//!   is at issue.
//! - Neither of the two has name constraints, for those are about the names of every signer anew.
//! - All that remains are properties of the intermediate alone, looked at when it was verified and the same for ever:
//!   the anchor's signature on it, CA flag, key usage, extended key usage (the one usage that is asked for never
//!   changes), critical extensions.
//! - The signer's certificate is checked by webpki as ever.
//!
//! Where one of them does not hold, the whole path is looked for, and its refusal is the one that is told. There is
//! nothing to forget: anchors are never taken away from a set, and a changed set starts anew.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{PoisonError, RwLock},
    time::SystemTime,
};

use super::anchors::Anchor;

/// The service has one or two intermediates at a time. More than this many came from nowhere, and are forgotten.
const MOST: usize = 64;

/// Intermediates by their SHA-256, each with the anchor above it.
#[derive(Default)]
pub(super) struct Known(RwLock<BTreeMap<[u8; 32], Link>>);

/// An intermediate, read as an anchor is, and the anchor that it was verified under.
#[derive(Clone)]
struct Link {
    intermediate: Anchor,
    anchor: Anchor,
}

impl Known {
    /// The intermediate of this DER, if it is known and may stand for its anchor now.
    pub(super) fn find(&self, der: &[u8], at: SystemTime) -> Option<Anchor> {
        let links = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let link = links.get(&sha256(der))?;
        let valid = link.intermediate.is_valid_at(at) && link.anchor.is_valid_at(at);
        valid.then(|| link.intermediate.clone())
    }

    /// Remembers that webpki has verified a path through this intermediate to this anchor, and nothing between.
    pub(super) fn remember(&self, der: &[u8], anchor: &Anchor) {
        let Ok(intermediate) = Anchor::read(der.to_vec().into()) else { return };
        if intermediate.constrains_names() || anchor.constrains_names() {
            return;
        }
        let mut links = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= MOST {
            links.clear();
        }
        links.insert(sha256(der), Link { intermediate, anchor: anchor.clone() });
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.read().unwrap().len()
    }
}

/// A copy knows nothing: anchors may be added to it that the original does not trust.
impl Clone for Known {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Known")
    }
}

fn sha256(der: &[u8]) -> [u8; 32] {
    ring::digest::digest(&ring::digest::SHA256, der).as_ref().try_into().unwrap_or_default()
}
