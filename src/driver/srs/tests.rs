//! The desk against the simulator: real sockets, real TLS, every way in which an answer fails to come.

use std::{
    fs,
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mobileid_simulator::{Behaviour, Options, Simulator};

use super::*;
use crate::{
    driver::TickVerdict,
    load,
    srs::{
        BirthDate, Country, Level, PersonName, Unreadable,
        evidence::{Refusal, require},
        identification::State,
    },
    subscriber::Msisdn,
};

/// A simulator of its own for each test: tokens are everybody's.
struct Service {
    simulator: Simulator,
    folder: PathBuf,
}

impl Service {
    fn start() -> Self {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let name = format!("mobileid-desk-{}-{}", std::process::id(), STARTED.fetch_add(1, Ordering::SeqCst));
        let folder = std::env::temp_dir().join(name);
        Self { simulator: Simulator::start(Options::new(&folder)).unwrap(), folder }
    }

    fn registration(&self) -> Registration {
        load::registration(&self.folder.join("mobileid.toml")).unwrap().unwrap()
    }

    fn desk(&self) -> Desk {
        Desk::new(&self.registration()).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn patient() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}

fn person(msisdn: &str) -> Person {
    Person {
        first_name: "Alice".parse::<PersonName>().ok(),
        last_name: "Müster".parse::<PersonName>().ok(),
        born: "1990-12-31".parse::<BirthDate>().ok(),
        country: "CH".parse::<Country>().ok(),
        mobile: msisdn.parse().ok(),
        ..Person::default()
    }
}

fn ordered(desk: &mut Desk, msisdn: &str) -> RefId {
    let (issuer, method) = ("IDENTITY.TM".parse().unwrap(), "VIDEO IDENTITY.TM".parse().unwrap());
    desk.start(&issuer, &method, &person(msisdn), &patient()).unwrap().ref_id
}

#[test]
fn from_the_list_to_the_evidence() {
    let service = Service::start();
    let mut desk = service.desk();
    let needed = service.registration().needed;
    let filter = Filter { level: Some(Level::Four), ..Filter::default() };
    assert_eq!(desk.methods(&filter, &patient()).unwrap().len(), 4);

    let carol = Behaviour::Interactive.msisdn();
    let msisdn: Msisdn = carol.parse().unwrap();
    let ref_id = ordered(&mut desk, carol);
    let name = crate::srs::DistinguishedName::of(
        &"Alice".parse().unwrap(),
        &"Müster".parse().unwrap(),
        &"CH".parse().unwrap(),
    );
    let question = Question { msisdn: msisdn.clone(), name, needed: needed.clone() };
    for state in [State::Initialized, State::IdentificationDone, State::DataReady] {
        let found = desk.status(&ref_id, &patient()).unwrap();
        assert_eq!((found.state, found.mobile.as_ref()), (state, Some(&msisdn)));
        let finding = desk.verify(&question, &patient()).unwrap();
        assert!(matches!(finding, Finding::Without(Refusal::NoEvidence, _)), "{finding:?}");
        assert!(service.simulator.advance_identification(ref_id.as_str()));
    }
    assert_eq!(desk.status(&ref_id, &patient()).unwrap().state, State::Terminated);
    let Finding::Valid(evidence) = desk.verify(&question, &patient()).unwrap() else { panic!("no evidence") };
    assert_eq!(require(Some(&evidence), &msisdn, &needed), Ok(()));
}

#[test]
fn a_token_that_has_grown_old_is_fetched_anew_and_a_wrong_client_is_told() {
    let service = Service::start();
    let mut desk = service.desk();
    let ref_id = ordered(&mut desk, Behaviour::Interactive.msisdn());
    service.simulator.expire_tokens();
    assert_eq!(desk.status(&ref_id, &patient()).unwrap().state, State::Initialized);
    let fetched = desk.token.clone().unwrap();
    desk.status(&ref_id, &patient()).unwrap();
    assert!(format!("{:?}", desk.token).contains("hidden"));
    let bearer = |token: &Token| identification::status(&ref_id, token).authorization.unwrap();
    assert_eq!(
        bearer(desk.token.as_ref().unwrap()).expose(),
        bearer(&fetched).expose(),
        "one that is good is used again"
    );
    service.simulator.expire_tokens();
    ordered(&mut desk, Behaviour::Interactive.msisdn());
    assert_eq!(service.simulator.identifications().len(), 2, "who was not let in has ordered nothing");

    let mut registration = service.registration();
    registration.client.id = "somebody-else".to_owned();
    let refused = Desk::new(&registration).unwrap().status(&ref_id, &patient()).unwrap_err();
    let NoAnswer::Failure(Failure::Refused(refused)) = refused else { panic!("{refused}") };
    assert_eq!((refused.why, refused.status), (Why::Client, 401));
}

#[test]
fn what_comes_spoiled_is_bounded_and_named() {
    let service = Service::start();
    let mut desk = service.desk();
    for (behaviour, unreadable) in [
        (Behaviour::BrokenJson, Unreadable::NotJson),
        (Behaviour::DeepJson, Unreadable::NotJson),
        (Behaviour::HugeBody, Unreadable::TooLarge),
    ] {
        let ref_id = ordered(&mut desk, behaviour.msisdn());
        let answer = desk.status(&ref_id, &patient());
        assert_eq!(answer, Err(NoAnswer::Failure(unreadable.into())), "{behaviour}");
    }
    let ref_id = ordered(&mut desk, Behaviour::TlsReset.msisdn());
    let answer = desk.status(&ref_id, &patient());
    assert!(matches!(answer, Err(NoAnswer::Lost(_))), "{answer:?}");
}

#[test]
fn a_wait_for_an_answer_ends_when_the_host_says_so() {
    let service = Service::start();
    let mut desk = service.desk();
    let ref_id = ordered(&mut desk, Behaviour::HalfBody.msisdn());
    let since = Instant::now();
    let tick: Tick = Arc::new(move || match since.elapsed() > Duration::from_millis(600) {
        true => TickVerdict::Cancel,
        false => TickVerdict::Continue,
    });
    assert_eq!(desk.status(&ref_id, &tick), Err(NoAnswer::Cancelled));
}

#[test]
fn who_is_not_reached_or_not_trusted_is_told_nothing() {
    let service = Service::start();
    let ref_id = "ref-1".parse().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut elsewhere = service.registration();
    elsewhere.registration.endpoint.port = closed;
    let mut untrusted = service.registration();
    let signers = fs::read_to_string(service.folder.join("signer-anchors.pem")).unwrap();
    untrusted.registration.server_roots = vec![
        crate::verify::TrustAnchors::from_pem(&signers)
            .unwrap()
            .iter()
            .map(|anchor| anchor.der().to_vec())
            .next()
            .unwrap(),
    ];
    for (registration, expected) in [(elsewhere, Unreachable::Connect), (untrusted, Unreachable::Tls)] {
        let answer = Desk::new(&registration).unwrap().status(&ref_id, &patient());
        assert!(matches!(answer, Err(NoAnswer::Unreachable(why, _)) if why == expected), "{answer:?}");
    }
    let mut rootless = service.registration();
    rootless.evidence.server_roots.clear();
    let unusable = Desk::new(&rootless).unwrap_err().to_string();
    assert_eq!(unusable, "srs.server_trust: no usable root certificate in it");
}
