//! Asynchronous signatures: accepted at once, asked about until the person has answered.

use mobileid_simulator::{Behaviour, Event};
use serde_json::{Value, json};

use crate::client::exchange;
use crate::signatures::{cms, verify};
use crate::support::{PATIENCE, Running, ap_info, changed, sign_request};

fn asynchronous(msisdn: &str) -> Value {
    changed(sign_request(msisdn), "/MessagingMode", json!("asynch"))
}

fn status_request(id: &Value) -> Value {
    json!({ "MSS_StatusReq": {
        "AP_Info": ap_info(),
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MajorVersion": "1",
        "MinorVersion": "1",
        "MSSP_TransID": id,
    }})
}

#[test]
fn outstanding_until_the_person_confirms() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let ask = |id: &Value| simulator.client().post("/rest/service/status", &status_request(id));
    let accepted = simulator.sign(&asynchronous(&msisdn)).json()["MSS_SignatureResp"].take();
    assert_eq!(
        accepted["Status"],
        json!({ "StatusCode": { "Value": "100" }, "StatusMessage": "REQUEST_OK" })
    );
    assert_eq!(accepted["SignatureProfile"], "http://mid.swisscom.ch/STK-LoA4");
    assert_eq!(accepted["MinorVersion"], "1");
    assert_eq!(accepted.get("MSS_Signature"), None);
    let id = &accepted["MSSP_TransID"];

    let outstanding = ask(id).json()["MSS_StatusResp"].take();
    let status = json!({ "StatusCode": { "Value": "504" }, "StatusMessage": "OUTSTANDING_TRANSACTION" });
    assert_eq!(outstanding["Status"], status);
    assert_eq!(outstanding["MobileUser"]["MSISDN"], msisdn);

    let pending = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap();
    assert!(simulator.approve(&pending.id));
    let ended = |entry: &mobileid_simulator::Entry| {
        entry.mssp_trans_id.as_deref() == id.as_str() && entry.outcome.as_deref() == Some("signed")
    };
    simulator.wait_for_entry(ended, PATIENCE).unwrap();
    let answer = ask(id).json();
    let signed = &answer["MSS_StatusResp"];
    assert_eq!(signed["Status"]["StatusCode"]["Value"], "500");
    assert_eq!((signed.get("MSSP_TransID"), signed.get("SignatureProfile")), (None, None));
    assert!(verify(&cms(&answer), simulator.state_dir()).accepted);
}

#[test]
fn faults_come_with_the_status() {
    let simulator = Running::shared();
    let ask = |id: &Value| simulator.client().post("/rest/service/status", &status_request(id));
    let end = |behaviour: Behaviour| {
        let msisdn = simulator.somebody(|subscriber| subscriber.behaviour = behaviour);
        let request = changed(asynchronous(&msisdn), "/TimeOut", json!("1"));
        let id = simulator.sign(&request).json()["MSS_SignatureResp"]["MSSP_TransID"].take();
        let ended = |entry: &mobileid_simulator::Entry| {
            entry.mssp_trans_id.as_deref() == id.as_str() && entry.outcome.is_some()
        };
        simulator.wait_for_entry(ended, PATIENCE).unwrap();
        id
    };
    assert_eq!(ask(&end(Behaviour::Cancel)).code(), "_401");
    let expired = ask(&end(Behaviour::Timeout)).fault();
    assert_eq!((expired.0.as_str(), expired.2.as_str()), ("_208", "original request timed out."));
    assert_eq!(ask(&json!("Hunknown")).code(), "_101");
    assert_eq!(ask(&Value::Null).code(), "_102");
    let signatures_version = changed(status_request(&json!("x")), "/MinorVersion", json!("2"));
    assert_eq!(simulator.client().post("/rest/service/status", &signatures_version).code(), "_108");
}

#[test]
fn thousands_of_requests_wait_side_by_side() {
    // One of its own: elsewhere the list of pending requests is looked at.
    let simulator = Running::with(|_| {});
    let mut connection = simulator.client().connect();
    let numbers = (0..2000).map(|_| simulator.interactive()).collect::<Vec<_>>();
    for msisdn in &numbers {
        let answer = exchange(&mut connection, "/rest/service/sign", &asynchronous(msisdn));
        assert_eq!(answer.status, 200);
    }
    let pending = simulator.pending();
    assert_eq!(pending.len(), numbers.len());
    assert!(pending.iter().all(|pending| simulator.cancel(&pending.id)));
    let last = &pending[pending.len() - 1];
    let ended = |entry: &mobileid_simulator::Entry| {
        entry.event == Event::PushEnded && entry.mssp_trans_id.as_deref() == Some(&last.id)
    };
    simulator.wait_for_entry(ended, PATIENCE).unwrap();
    assert!(numbers.iter().all(|msisdn| simulator.pushes(msisdn) == 1));
}
