//! Swisscom Mobile ID on this machine: the service that a login asks, and the phones on which people answer.
//!
//! A login with Mobile ID takes a contract, a client certificate that Swisscom knows, and a person with a
//! phone. This crate stands in for all three. It is a second reading of the same specification as the client
//! it serves, and shares no code with it: where the two disagree, one of them has misread.
//!
//! ```text
//!  client ──TLS, client certificate──> server ──> service ──> a subscriber's phone
//!                                        │           │          acts by its behaviour, or waits for
//!                                        │           │          the phone page, or for a test
//!                                        │           └─> journal: what was asked, how it ended
//!                                        └─ spoils answers on the wire, where the behaviour says so
//! ```
//!
//! It refuses what the live service refuses, with the same faults; signs as the live service signs, in BER
//! with its illegal corners; and answers with the headers that were recorded. The [`Behaviour`] of a
//! subscriber decides what comes back: a confirmation, a refusal, or one of the ways in which an answer can
//! be wrong. Each behaviour has a built-in subscriber:
//!
//! ```text
//! +41790000001  alice            sim   ec   approve
//! +41790000002  bob              sim   ec   cancel
//! +41790000003  carol            sim   ec   interactive
//! +41790000004  dave             sim   rsa  approve
//! +41790000005  erin             app   ec   approve
//! +41790000006  frank            sim   ec   timeout
//! +41790000007  grace            sim   ec   never
//! +41790000008  heidi            app   ec   interactive
//! +41790000009  ivan             both  ec   approve
//! +41790000101  wrong-text       sim   ec   wrong-text
//! +41790000102  wrong-msisdn     sim   ec   wrong-msisdn
//! +41790000103  wrong-trans-id   sim   ec   wrong-trans-id
//! +41790000104  other-serial     sim   ec   other-serial
//! +41790000105  untrusted-chain  sim   ec   untrusted-chain
//! +41790000106  expired-signer   sim   ec   expired-signer
//! +41790000107  bad-signature    sim   ec   bad-signature
//! +41790000108  no-signature     sim   ec   no-signature
//! +41790000109  two-signers      sim   ec   two-signers
//! +41790000110  trailing-garbage sim   ec   trailing-garbage
//! +41790000201  broken-json      sim   ec   broken-json
//! +41790000202  deep-json        sim   ec   deep-json
//! +41790000203  huge-body        sim   ec   huge-body
//! +41790000204  half-body        sim   ec   half-body
//! +41790000205  slow-drip        sim   ec   slow-drip
//! +41790000206  tls-reset        sim   ec   tls-reset
//! +41790000207  http-503         sim   ec   http-503
//! +41790000501  status-501       sim   ec   status-501
//! +41790000502  status-502       sim   ec   status-502
//! +41790000503  status-503       sim   ec   status-503
//! +41790000504  status-504       sim   ec   status-504
//! ```
//!
//! The live service's test numbers work too: `+41000092<code>` earns that fault, `+41700092501` and
//! `+41700092502` sign with a P-256 and an RSA key. The right serial number of `other-serial`, and of
//! everyone else, is [`Subscriber::serial`]; users.toml has it for him.
//!
//! Who activates Mobile ID anew without a recovery code gets a new serial number (guide 4.2). So does whoever is named
//! to [`Simulator::reactivate`], or from a shell to the phone page:
//!
//! ```text
//! $ curl -X POST -H 'X-Phone: shell' http://127.0.0.1:41233/api/reactivate/+41790000001
//! {"serial":"MIDCHE..."}
//! ```
//!
//! # In a test
//!
//! ```
//! use mobileid_simulator::{Behaviour, Options, Simulator};
//!
//! # let folder = std::env::temp_dir().join(format!("mobileid-simulator-doc-{}", std::process::id()));
//! let simulator = Simulator::start(Options::new(&folder))?;
//! // A client finds a configuration that works in simulator.state_dir().join("mobileid.toml").
//! assert!(simulator.url().starts_with("https://127.0.0.1:"));
//! simulator.set_behaviour(Behaviour::Approve.msisdn(), Behaviour::Cancel)?;
//! assert_eq!(simulator.pushes(Behaviour::Approve.msisdn()), 0);
//! # drop(simulator);
//! # std::fs::remove_dir_all(folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # From a shell
//!
//! ```text
//! $ mobileid-simulator --state DIR
//! ready service=https://127.0.0.1:36017 phone=http://127.0.0.1:41233 srs=https://127.0.0.1:40111
//! ```
//!
//! The state folder is private and used by one simulator at a time. A client and a test find in it:
//!
//! ```text
//! mobileid.toml          a configuration that works, replaced at each start
//! client.crt client.key  a certificate that the service has registered
//! server-root.pem        whom to trust for TLS
//! signer-anchors.pem     whom to trust for signatures
//! srs-client-secret      what the Smart Registration Service knows the client by
//! users.toml             users and their numbers; written once, so added users stay
//! journal.jsonl          what was asked and how it ended, one JSON object a line
//! pki/                   the authorities' and subscribers' keys
//! ```
//!
//! For a load test, `--population N` adds N generated subscribers who all take `--population-delay` milliseconds
//! ([`Population`]), and the program takes as many file descriptors as the system lets it have.
//!
//! # Registration
//!
//! `srs=` is the Smart Registration Service, with the verify call of the Registration Authority: four methods of four
//! issuers, and identifications that go through the states of its guide. People who confirm by themselves are identified
//! by themselves; for the others [`Simulator::advance_identification`] and its siblings stand in, or the phone page's
//! `/api/identifications`. From the beginning there is evidence for three people called Muster, under Swiss law: alice
//! of level 4, dave of level 3, and ivan, who has not accepted the terms.
//!
//! # What it is not for
//!
//! It listens on loopback only, and web pages of other origins cannot press its buttons; but every user of the
//! machine can. A host whose logins matter asks the real service.
//!
//! # What it leaves out
//!
//! SOAP, transaction approval, App2App, locations (a request for geofencing is told that the Application
//! Provider has not subscribed to it), revocation addresses in certificates, and SHA-1.

mod answers;
mod behaviour;
mod certificates;
mod client_files;
mod cms;
mod der;
mod faults;
mod folder;
mod http;
mod http2;
mod journal;
mod keys;
mod options;
mod phone;
mod pki;
mod population;
mod profiles;
mod requests;
mod server;
mod service;
mod signing;
mod simulator;
mod srs;
mod subscribers;
mod subscribers_file;
mod text;
mod transactions;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use behaviour::{Behaviour, UnknownBehaviour};
pub use journal::{Entry, Event};
pub use keys::KeyKind;
pub use options::{Command, Options};
pub use phone::Pending;
pub use population::Population;
pub use profiles::Profile;
pub use simulator::Simulator;
pub use srs::{Evidence, Identification, Jurisdiction, State as IdentificationState};
pub use subscribers::{Method, Methods, Subscriber, built_in, list_built_in};
pub use subscribers_file::read_file;

/// Locks a mutex. A task that panicked while it held one has left a consistent value: each is changed in a
/// single step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
