//! A number that is activated anew: another key, another certificate, another serial number (guide 4.2).

use mobileid_simulator::{Event, Methods};
use serde_json::{Value, json};

use crate::client::{receive, send};
use crate::phone::{host, post, request};
use crate::queries::profile_request;
use crate::signatures::{cms, verify};
use crate::support::{PATIENCE, Running, sign_request};

/// The signer's certificate, as OpenSSL prints it.
fn signer(simulator: &Running, answer: &Value) -> String {
    let verdict = verify(&cms(answer), simulator.state_dir());
    assert!(verdict.accepted, "{}", verdict.complaint);
    verdict.signer
}

fn sign(simulator: &Running, msisdn: &str) -> String {
    signer(simulator, &simulator.sign(&sign_request(msisdn)).json())
}

fn key(certificate: &str) -> &str {
    certificate.split_once("Public Key Algorithm").unwrap().1.split_once("X509v3 extensions").unwrap().0
}

#[test]
fn the_next_signature_is_by_another_key_under_another_serial_number() {
    let simulator = Running::shared();
    let mut before = String::new();
    let msisdn = simulator.somebody(|subscriber| before.clone_from(&subscriber.serial));
    let old = sign(&simulator, &msisdn);
    assert!(old.contains(&format!("serialNumber={before}")), "{old}");

    let after = simulator.reactivate(&format!("+{msisdn}")).unwrap();
    assert!(after.starts_with("MIDCHE") && after.len() == before.len(), "{after}");
    let new = sign(&simulator, &msisdn);
    assert!(new.contains(&format!("serialNumber={after}")) && !new.contains(&before), "{new}");
    assert_ne!(key(&old), key(&new));
    assert_eq!(sign(&simulator, &msisdn), new, "and so is the one after it");

    let third = simulator.reactivate(&msisdn).unwrap();
    assert!(![before, after].contains(&third), "no activation gives an old serial number back");
}

#[test]
fn a_profile_tells_the_new_serial_number() {
    let simulator = Running::shared();
    for methods in [Methods::Sim, Methods::App] {
        let msisdn = simulator.somebody(|subscriber| subscriber.methods = methods);
        let names = || {
            let request = profile_request(&msisdn, "sscds certs");
            simulator.client().post("/rest/service/profile", &request).json().to_string()
        };
        let before = names();
        let serial = simulator.reactivate(&msisdn).unwrap().to_lowercase();
        assert!(!before.contains(&serial));
        assert!(names().contains(&format!("serialnumber={serial}")), "{}", names());
    }
}

#[test]
fn what_is_on_the_old_phone_is_signed_there() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;
    let serial = simulator.reactivate(&msisdn).unwrap();
    assert!(simulator.approve(&id));
    assert!(!signer(&simulator, &receive(&mut connection).json()).contains(&serial));
}

#[test]
fn nobody_else_is_touched_and_the_journal_tells() {
    let simulator = Running::shared();
    let (one, other) = (simulator.somebody(|_| {}), simulator.somebody(|_| {}));
    let before = sign(&simulator, &other);
    let serial = simulator.reactivate(&one).unwrap();
    assert_eq!(sign(&simulator, &other), before);
    assert!(simulator.reactivate("+41799999999").is_err(), "nobody has it");
    let told = simulator.journal().into_iter().filter(|entry| entry.event == Event::Reactivated);
    let told = told.filter(|entry| entry.msisdn.as_ref() == Some(&one)).collect::<Vec<_>>();
    assert_eq!(told.iter().map(|entry| entry.outcome.clone()).collect::<Vec<_>>(), [Some(serial)]);
}

#[test]
fn the_phone_page_does_it_for_its_own_callers() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|_| {});
    let foreign = request(&simulator, &format!("POST /api/reactivate/{msisdn}"), &host(&simulator), "");
    assert_eq!(foreign.status, 403);
    let done = post(&simulator, &format!("/api/reactivate/+{msisdn}"), "");
    assert_eq!(done.status, 200);
    let serial = done.json()["serial"].as_str().unwrap().to_owned();
    assert!(sign(&simulator, &msisdn).contains(&serial));
    let nobody = post(&simulator, "/api/reactivate/+41799999999", "");
    assert_eq!((nobody.status, nobody.json()), (404, json!({ "error": "nobody has this number" })));
}
