//! What the service remembers: tokens, identifications in their states, and the evidence that came of them.
//!
//! ```text
//! Created ─> Initialized ─> IdentificationDone ─> DataReady ─> Terminated
//!    └────────────┴──────────────────┴────────────────┴──> NegativelyConducted, Error
//! ```
//!
//! Evidence appears with the state Terminated, and counts once the terms are accepted.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use serde::Serialize;

use super::catalogue::Method;
use crate::lock;

/// A law that a signature counts under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Jurisdiction {
    /// The European Union's.
    Eidas,
    /// Switzerland's.
    Zertes,
}

impl Jurisdiction {
    pub(super) fn wire(self) -> &'static str {
        match self {
            Jurisdiction::Eidas => "EIDAS",
            Jurisdiction::Zertes => "ZERTES",
        }
    }

    pub(super) fn read(text: &str) -> Option<Jurisdiction> {
        match text.to_ascii_uppercase().as_str() {
            "EIDAS" | "EU" => Some(Jurisdiction::Eidas),
            "ZERTES" | "CH" => Some(Jurisdiction::Zertes),
            _ => None,
        }
    }
}

/// The states of guide 4; the one of guide 7.2 for a person who was not identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// The order is not placed with the issuer yet.
    Created,
    /// The person can begin.
    Initialized,
    /// The person is through.
    IdentificationDone,
    /// The issuer has the data ready.
    DataReady,
    /// The evidence is there.
    Terminated,
    /// The person was not identified, or not in time.
    #[serde(rename = "IDENTIFICATION_NEGATIVELY_CONDUCTED")]
    NegativelyConducted,
    /// The data could not be taken over.
    Error,
}

impl State {
    fn next(self) -> Option<State> {
        match self {
            State::Created => Some(State::Initialized),
            State::Initialized => Some(State::IdentificationDone),
            State::IdentificationDone => Some(State::DataReady),
            State::DataReady => Some(State::Terminated),
            State::Terminated | State::NegativelyConducted | State::Error => None,
        }
    }
}

/// An identification.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identification {
    /// Its name.
    pub ref_id: String,
    /// Who carries it out.
    pub issuer: &'static str,
    /// By which method.
    pub method: &'static str,
    /// For which number, without a plus sign; an order need not say.
    pub mobile: Option<String>,
    /// How far it is.
    #[serde(rename = "status")]
    pub state: State,
    /// Why it is an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The External ID of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Whether the person has accepted the terms.
    pub terms_accepted: bool,
    #[serde(skip)]
    name: (String, String),
}

/// What the Registration Authority knows of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Its name.
    pub id: String,
    /// The number, without a plus sign.
    pub msisdn: String,
    /// First names and last name, as in the passport.
    pub name: (String, String),
    /// Under which law it is good.
    pub jurisdiction: Jurisdiction,
    /// Of which level: 3 or 4.
    pub level: u8,
    /// Whether the person has accepted the terms.
    pub terms_accepted: bool,
}

/// Everything that is remembered.
pub(crate) struct Registry(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    tokens: HashSet<String>,
    identifications: HashMap<String, Identification>,
    evidence: Vec<Evidence>,
}

/// What is there from the beginning: number, first name, level, terms accepted.
const BUILT_IN: [(&str, &str, u8, bool); 3] =
    [("41790000001", "Alice", 4, true), ("41790000004", "Dave", 3, true), ("41790000009", "Ivan", 4, false)];

impl Default for Registry {
    fn default() -> Registry {
        let evidence = BUILT_IN.map(|(msisdn, first, level, terms_accepted)| Evidence {
            id: format!("RAS{msisdn}"),
            msisdn: msisdn.to_owned(),
            name: (first.to_owned(), "Muster".to_owned()),
            jurisdiction: Jurisdiction::Zertes,
            level,
            terms_accepted,
        });
        Registry(Mutex::new(Memory { evidence: evidence.into(), ..Memory::default() }))
    }
}

impl Registry {
    pub(super) fn add_token(&self, token: String) {
        lock(&self.0).tokens.insert(token);
    }

    pub(super) fn has_token(&self, token: &str) -> bool {
        lock(&self.0).tokens.contains(token)
    }

    pub(crate) fn expire_tokens(&self) {
        lock(&self.0).tokens.clear();
    }

    pub(super) fn order(
        &self,
        ref_id: String,
        method: &'static Method,
        mobile: Option<String>,
        name: (String, String),
        external_id: Option<String>,
    ) -> Identification {
        let identification = Identification {
            ref_id: ref_id.clone(),
            issuer: method.issuer,
            method: method.name,
            mobile,
            state: if method.prompt { State::Initialized } else { State::Created },
            reason: None,
            external_id,
            terms_accepted: !method.terms,
            name,
        };
        lock(&self.0).identifications.insert(ref_id, identification.clone());
        identification
    }

    pub(crate) fn identifications(&self) -> Vec<Identification> {
        let mut all = lock(&self.0).identifications.values().cloned().collect::<Vec<_>>();
        all.sort_by(|one, other| one.ref_id.cmp(&other.ref_id));
        all
    }

    pub(super) fn identification(&self, ref_id: &str) -> Option<Identification> {
        lock(&self.0).identifications.get(ref_id).cloned()
    }

    /// The next state; after Terminated, the terms are accepted. None if there is no such identification, or nothing
    /// more can become of it.
    pub(crate) fn advance(&self, ref_id: &str) -> Option<Identification> {
        let memory = &mut *lock(&self.0);
        let identification = memory.identifications.get_mut(ref_id)?;
        match identification.state.next() {
            Some(next) => identification.state = next,
            None if identification.state == State::Terminated && !identification.terms_accepted => {
                identification.terms_accepted = true;
            }
            None => return None,
        }
        if identification.state == State::Terminated {
            take_over(&mut memory.evidence, identification);
        }
        Some(identification.clone())
    }

    /// Ends an identification that has not ended yet.
    pub(crate) fn end(&self, ref_id: &str, state: State, reason: Option<String>) -> Option<Identification> {
        let mut memory = lock(&self.0);
        let identification = memory.identifications.get_mut(ref_id)?;
        identification.state.next()?;
        (identification.state, identification.reason) = (state, reason);
        Some(identification.clone())
    }

    pub(crate) fn add_evidence(&self, evidence: Evidence) {
        lock(&self.0).evidence.push(evidence);
    }

    pub(crate) fn remove_evidence(&self, msisdn: &str) {
        lock(&self.0).evidence.retain(|evidence| evidence.msisdn != msisdn);
    }

    pub(super) fn evidence(&self, msisdn: &str) -> Vec<Evidence> {
        lock(&self.0).evidence.iter().filter(|evidence| evidence.msisdn == msisdn).cloned().collect()
    }
}

/// One evidence for each law that the method reaches a level under, in place of what came of it before.
fn take_over(evidence: &mut Vec<Evidence>, identification: &Identification) {
    let method = Method::find(identification.issuer, identification.method);
    let (Some(method), Some(msisdn)) = (method, &identification.mobile) else { return };
    for (jurisdiction, level) in method.reaches {
        let id = format!("RAS{}{}", identification.ref_id, jurisdiction.wire().get(..1).unwrap_or_default());
        evidence.retain(|known| known.id != id);
        evidence.push(Evidence {
            id,
            msisdn: msisdn.clone(),
            name: identification.name.clone(),
            jurisdiction: *jurisdiction,
            level: *level,
            terms_accepted: identification.terms_accepted,
        });
    }
}
