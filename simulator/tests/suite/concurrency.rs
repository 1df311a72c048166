//! Two requests for one phone (the guide's section 4.1.3), time running out, and clients that hang up.

use std::time::Duration;

use mobileid_simulator::{Behaviour, Event, Methods};
use serde_json::json;

use crate::client::{receive, send};
use crate::support::{PATIENCE, Running, changed, sign_request};

#[test]
fn a_busy_sim_refuses_the_second_request() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let mut first = simulator.client().connect();
    send(&mut first, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let pending = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    assert_eq!(simulator.sign(&sign_request(&msisdn)).code(), "_406");
    assert!(simulator.approve(&pending.id));
    assert_eq!(receive(&mut first).status, 200);
    assert_eq!(simulator.pushes(&msisdn), 1);
}

#[test]
fn the_app_drops_the_first_request_for_the_second() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|subscriber| {
        subscriber.behaviour = Behaviour::Interactive;
        subscriber.methods = Methods::App;
    });
    let (mut first, mut second) = (simulator.client().connect(), simulator.client().connect());
    send(&mut first, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let shown = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    let text = "SIM: the second";
    let request = changed(sign_request(&msisdn), "/DataToBeSigned/Data", json!(text));
    send(&mut second, "/rest/service/sign", &request.to_string());
    let fault = receive(&mut first).fault();
    assert_eq!((fault.0.as_str(), fault.1.as_str()), ("_401", "USER_CANCEL"));
    let pending = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    assert_eq!(pending.text, text);
    assert!(!simulator.approve(&shown.id), "what was dropped cannot be confirmed");
    assert!(simulator.approve(&pending.id));
    assert_eq!(receive(&mut second).status, 200);
    assert_eq!(simulator.pushes(&msisdn), 2);
}

#[test]
fn the_methods_of_one_subscriber_are_two_phones() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|subscriber| {
        subscriber.behaviour = Behaviour::Interactive;
        subscriber.methods = Methods::Both;
    });
    let (mut sim, mut app) = (simulator.client().connect(), simulator.client().connect());
    send(&mut sim, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let on_sim = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    let device =
        changed(sign_request(&msisdn), "/SignatureProfile", json!("http://mid.swisscom.ch/Device-LoA4"));
    send(&mut app, "/rest/service/sign", &device.to_string());
    let is_second = |entry: &mobileid_simulator::Entry| {
        entry.event == Event::PushStarted
            && entry.msisdn.as_ref() == Some(&msisdn)
            && entry.mssp_trans_id.as_ref() != Some(&on_sim.id)
    };
    let on_app = simulator.wait_for_entry(is_second, PATIENCE).unwrap();
    assert!(simulator.approve(&on_sim.id) && simulator.cancel(&on_app.mssp_trans_id.unwrap()));
    assert_eq!(receive(&mut sim).status, 200);
    assert_eq!(receive(&mut app).code(), "_401");
}

#[test]
fn time_runs_out_with_the_requests_timeout() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|subscriber| subscriber.behaviour = Behaviour::Timeout);
    let fault = simulator.sign(&changed(sign_request(&msisdn), "/TimeOut", json!("1"))).fault();
    let recorded = ("_208", "EXPIRED_TRANSACTION", "Timed out waiting for an answer from user.");
    assert_eq!((fault.0.as_str(), fault.1.as_str(), fault.2.as_str()), recorded);
}

#[test]
fn who_never_answers_leaves_the_connection_open() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|subscriber| subscriber.behaviour = Behaviour::Never);
    let mut connection = simulator.client().connect();
    send(
        &mut connection,
        "/rest/service/sign",
        &changed(sign_request(&msisdn), "/TimeOut", json!("1")).to_string(),
    );
    let ended = |entry: &mobileid_simulator::Entry| {
        entry.event == Event::PushEnded && entry.msisdn.as_ref() == Some(&msisdn)
    };
    let entry = simulator.wait_for_entry(ended, PATIENCE).unwrap();
    assert_eq!(entry.outcome.as_deref(), Some("unanswered"));
    let stream = connection.get_mut();
    stream.sock.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = std::io::Read::read(stream, &mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn hanging_up_leaves_the_question_on_the_phone() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let pending = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    drop(connection);
    assert_eq!(simulator.sign(&sign_request(&msisdn)).code(), "_406");
    assert!(simulator.cancel(&pending.id));
}

#[test]
fn behaviours_change_while_it_runs() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|_| {});
    assert_eq!(simulator.sign(&sign_request(&msisdn)).status, 200);
    simulator.set_behaviour(&msisdn, Behaviour::Cancel).unwrap();
    let fault = simulator.sign(&sign_request(&msisdn)).fault();
    assert_eq!((fault.0.as_str(), fault.2.as_str()), ("_401", "User cancelled the request"));
    assert!(simulator.set_behaviour("+41799999999", Behaviour::Cancel).is_err());
}
