//! Which keys sign a confirmed text, and what a behaviour makes of the signature.

use anyhow::Result;

use crate::behaviour::Behaviour;
use crate::cms;
use crate::pki::{Identity, Origin, Pki};
use crate::subscribers::Subscriber;
use crate::transactions::Transaction;

/// The CMS for a confirmed transaction, if the behaviour lets one through.
pub(crate) fn signature(pki: &Pki, transaction: &Transaction) -> Result<Option<Vec<u8>>> {
    let subscriber = &transaction.subscriber;
    let behaviour = subscriber.behaviour;
    let own = match behaviour {
        Behaviour::UntrustedChain => identity(subscriber, Origin::Rogue),
        Behaviour::ExpiredSigner => identity(subscriber, Origin::Expired),
        _ => identity(subscriber, Origin::Genuine),
    };
    let other = Identity { serial: subscriber.other_serial(), ..own.clone() };
    let identities = match behaviour {
        Behaviour::NoSignature => return Ok(None),
        Behaviour::OtherSerial => vec![other],
        Behaviour::TwoSigners => vec![own, other],
        _ => vec![own],
    };
    let signers = identities.iter().map(|identity| pki.signer(identity)).collect::<Result<Vec<_>>>()?;
    let text = match behaviour {
        Behaviour::WrongText => "SIM: Transfer CHF 9000.00 to Mallory?",
        _ => &transaction.request.text,
    };
    let mut cms = cms::sign(text.as_bytes(), &signers)?;
    match behaviour {
        Behaviour::BadSignature => cms = cms::flip_signature_bit(cms),
        Behaviour::TrailingGarbage => cms.extend_from_slice(b"garbage"),
        _ => {}
    }
    Ok(Some(cms))
}

pub(crate) fn identity(subscriber: &Subscriber, origin: Origin) -> Identity {
    Identity { serial: subscriber.serial.clone(), kind: subscriber.key, origin }
}
