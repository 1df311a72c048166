//! Would a signature request to this number meet somebody who can sign? And if not: what is missing, and who mends it.
//!
//! ```text
//!   Fault 105, 402, 403, 404, 422 ──────────────────────────────────────────────> Not(what it says)
//!   Account ──> a device of the wanted method that is active, PIN not blocked ──> Ready
//!          ├──> a SIM that is not active, and auto-activation ──────────────────> Activates
//!          └──> nothing of it ──────────────────────────────────────────────────> Not(why)
//! ```
//!
//! What the service does not say counts for the person: the signature proves everything in any case, and a phone that is
//! asked in vain is a smaller evil than a person who cannot be enrolled.

use std::fmt;

use mobileid::{
    mss::{
        fault::Fault,
        profile::{Account, Device, Method, Offer, ProfileReply, State},
    },
    subscriber::{Profile, SerialNumber},
};

/// What a signature request would meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Readiness {
    /// Somebody can sign.
    Ready,
    /// The request activates the SIM: the person chooses a PIN while it waits (guide 5).
    Activates,
    /// Nobody can: no phone is asked.
    Not(Obstacle),
}

/// Why nobody can sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// The number has no Mobile ID.
    Unknown,
    /// The PIN was entered wrongly too often.
    PinBlocked,
    /// Swisscom has suspended the account.
    Suspended,
    /// There is one that was never activated, or is not any more.
    NotActive,
    /// There is one, with the other method than the one that is asked for.
    OtherMethod(Method),
    /// The service lists what may be asked for with the number, and this is not among it.
    NotOffered(Profile),
    /// None of the certificates has the serial number that is known of the person.
    OtherSerial(SerialNumber),
}

impl Obstacle {
    /// The name in JSON.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-client",
            Self::PinBlocked => "pin-nr-blocked",
            Self::Suspended => "card-blocked",
            Self::NotActive => "not-active",
            Self::OtherMethod(_) => "other-method",
            Self::NotOffered(_) => "not-offered",
            Self::OtherSerial(_) => "serial-mismatch",
        }
    }

    /// What a fault says of the number; None where it says something of us or of the service.
    fn of(fault: Fault) -> Option<Self> {
        match fault {
            Fault::UnknownClient => Some(Self::Unknown),
            Fault::PinBlocked => Some(Self::PinBlocked),
            Fault::CardBlocked => Some(Self::Suspended),
            Fault::NoKeyFound | Fault::NoCertFound => Some(Self::NotActive),
            _ => None,
        }
    }
}

/// What is missing, and what to do.
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(
                "the number has no Mobile ID: see that it is right, and have the person activate Mobile ID on mobileid.ch; \
                 if she has the App alone, ask Swisscom whether this AP_ID may ask for the App",
            ),
            Self::PinBlocked => f.write_str(
                "the PIN of Mobile ID is blocked: the person activates Mobile ID again on mobileid.ch, and is enrolled then",
            ),
            Self::Suspended => f.write_str("Swisscom has suspended this Mobile ID: the person asks their support"),
            Self::NotActive => f.write_str(
                "Mobile ID is not active: the person activates it on mobileid.ch, and is enrolled then",
            ),
            Self::OtherMethod(has) => write!(
                f,
                "the person has only the {has}, and the other method is asked for: activate that one on mobileid.ch, or \
                 change the profile in the entry or in signature.profile"
            ),
            Self::NotOffered(wanted) => write!(
                f,
                "the service does not offer \"{}\" for this number: change the profile in the entry or in \
                 signature.profile, or ask Swisscom whether this AP_ID may use it",
                wanted.name()
            ),
            Self::OtherSerial(known) => write!(
                f,
                "the Mobile ID of this number is not {known}, which is known of the person: it was activated anew, or the \
                 number has another owner"
            ),
        }
    }
}

/// Judges an answer; None where it says nothing of the number.
pub(super) fn judge(
    reply: &ProfileReply,
    wanted: Profile,
    known: Option<&SerialNumber>,
) -> Option<Readiness> {
    match reply {
        ProfileReply::Account(account) => Some(of_account(account, wanted, known)),
        ProfileReply::Fault(reply) => Obstacle::of(reply.fault).map(Readiness::Not),
        ProfileReply::NotOk(_) => None,
    }
}

fn of_account(account: &Account, wanted: Profile, known: Option<&SerialNumber>) -> Readiness {
    let fitting: Vec<_> = account.devices.iter().filter(|device| fits(device.method, wanted)).collect();
    let can_sign: Vec<_> = fitting.iter().filter(|device| is_active(device) && !is_blocked(device)).collect();
    // Nothing at all was said of devices; then the list of profiles has to do.
    let is_silent = account.devices.is_empty() && is_listed(account, wanted);
    if can_sign.is_empty() && !is_silent {
        let sim = fitting.iter().any(|device| device.method == Method::Sim && !is_blocked(device));
        if sim && account.auto_activation == Some(true) {
            return Readiness::Activates;
        }
        return Readiness::Not(missing(account, &fitting));
    }
    if !account.profiles.is_empty() && !is_listed(account, wanted) {
        return Readiness::Not(Obstacle::NotOffered(wanted));
    }
    match known.filter(|known| can_sign.iter().all(|device| is_another(device, known))) {
        Some(known) if !can_sign.is_empty() => Readiness::Not(Obstacle::OtherSerial(known.clone())),
        _ => Readiness::Ready,
    }
}

fn missing(account: &Account, fitting: &[&Device]) -> Obstacle {
    let of_others = || account.devices.iter().find(|device| is_active(device) && !is_blocked(device));
    match (fitting.iter().any(|device| is_blocked(device)), of_others()) {
        (true, _) => Obstacle::PinBlocked,
        (false, Some(other)) => Obstacle::OtherMethod(other.method),
        (false, None) => Obstacle::NotActive,
    }
}

fn fits(method: Method, wanted: Profile) -> bool {
    match wanted {
        Profile::Sim => method == Method::Sim,
        Profile::App => method == Method::App,
        Profile::Any | Profile::AuthProfile1 => true,
    }
}

fn is_active(device: &Device) -> bool {
    matches!(device.state, Some(State::Active) | None)
}

fn is_blocked(device: &Device) -> bool {
    device.pin_blocked == Some(true)
}

fn is_listed(account: &Account, wanted: Profile) -> bool {
    account.profiles.contains(&Offer::Known(wanted))
}

/// Whether a device surely has another serial number than the known one.
fn is_another(device: &Device, known: &SerialNumber) -> bool {
    let serials = || device.certificates.iter().map(|certificate| certificate.serial.as_ref());
    serials().next().is_some() && serials().all(|serial| serial.is_some_and(|serial| serial != known))
}

#[cfg(test)]
mod tests;
