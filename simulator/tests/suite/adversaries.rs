//! Each adversary is wrong in its own way and in no other.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use mobileid_simulator::{Behaviour, built_in};
use serde_json::Value;

use crate::client::{Connection, Response, line, receive, receive_head, send};
use crate::signatures::{Verdict, cms, verify};
use crate::support::{Running, sign_request};

/// The answer to a request of the built-in subscriber with this behaviour. Each is used by one test.
fn answer(simulator: &Running, behaviour: Behaviour) -> Response {
    receive(&mut asked(simulator, behaviour))
}

fn asked(simulator: &Running, behaviour: Behaviour) -> Connection {
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(behaviour.msisdn()).to_string());
    connection
}

fn signed(behaviour: Behaviour) -> (Arc<Running>, Value, Verdict) {
    let simulator = Running::shared();
    let answer = answer(&simulator, behaviour).json();
    let verdict = verify(&cms(&answer), simulator.state_dir());
    (simulator, answer, verdict)
}

fn serial(behaviour: Behaviour) -> String {
    let number = behaviour.msisdn().trim_start_matches('+');
    built_in().into_iter().find(|subscriber| subscriber.msisdn == number).unwrap().serial
}

#[test]
fn the_plain_case_is_right_in_everything() {
    let (_simulator, answer, verdict) = signed(Behaviour::Approve);
    let response = &answer["MSS_SignatureResp"];
    assert!(verdict.accepted && verdict.signer.contains(&serial(Behaviour::Approve)));
    assert_eq!(response["MobileUser"]["MSISDN"], Behaviour::Approve.msisdn().trim_start_matches('+'));
}

#[test]
fn wrong_text() {
    let (_simulator, _, verdict) = signed(Behaviour::WrongText);
    assert!(verdict.accepted);
    assert_eq!(verdict.text, "SIM: Transfer CHF 9000.00 to Mallory?");
}

#[test]
fn wrong_msisdn() {
    let (_simulator, answer, verdict) = signed(Behaviour::WrongMsisdn);
    assert!(verdict.accepted);
    assert_eq!(answer["MSS_SignatureResp"]["MobileUser"]["MSISDN"], "41790009999");
}

#[test]
fn wrong_trans_id() {
    let (_simulator, answer, verdict) = signed(Behaviour::WrongTransId);
    assert!(verdict.accepted);
    assert_eq!(answer["MSS_SignatureResp"]["AP_Info"]["AP_TransID"], "SomebodyElses");
}

#[test]
fn other_serial() {
    let (simulator, _, verdict) = signed(Behaviour::OtherSerial);
    let right = serial(Behaviour::OtherSerial);
    assert!(verdict.accepted && verdict.signer.contains("CN=MIDCHE") && !verdict.signer.contains(&right));
    let users = std::fs::read_to_string(simulator.state_dir().join("users.toml")).unwrap();
    assert!(users.contains(&format!("serial = \"{right}\"")));
}

#[test]
fn untrusted_chain() {
    let (_simulator, _, verdict) = signed(Behaviour::UntrustedChain);
    assert!(!verdict.accepted && verdict.complaint.contains("certificate"), "{}", verdict.complaint);
}

#[test]
fn expired_signer() {
    let (_simulator, _, verdict) = signed(Behaviour::ExpiredSigner);
    assert!(
        !verdict.accepted && verdict.complaint.contains("certificate has expired"),
        "{}",
        verdict.complaint
    );
}

#[test]
fn bad_signature() {
    let (_simulator, _, verdict) = signed(Behaviour::BadSignature);
    assert!(!verdict.accepted && verdict.complaint.contains("erification failure"), "{}", verdict.complaint);
}

#[test]
fn two_signers() {
    let (_simulator, answer, verdict) = signed(Behaviour::TwoSigners);
    assert!(verdict.accepted, "{}", verdict.complaint);
    let nonces = cms(&answer)
        .windows(13)
        .filter(|window| window.starts_with(b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x19\x03"))
        .count();
    assert_eq!(nonces, 2);
}

#[test]
fn trailing_garbage() {
    let (_simulator, answer, _) = signed(Behaviour::TrailingGarbage);
    assert!(cms(&answer).ends_with(b"\0\0\0\0\0\0garbage"));
}

#[test]
fn no_signature() {
    let answer = answer(&Running::shared(), Behaviour::NoSignature).json();
    assert_eq!(answer["MSS_SignatureResp"]["Status"]["StatusCode"]["Value"], "500");
    assert_eq!(answer["MSS_SignatureResp"].get("MSS_Signature"), None);
}

#[test]
fn statuses_beside_a_valid_signature() {
    for (behaviour, status, message) in [
        (Behaviour::Status501, "501", "REVOKED_CERTIFICATE"),
        (Behaviour::Status502, "502", "VALID_SIGNATURE"),
        (Behaviour::Status503, "503", "INVALID_SIGNATURE"),
        (Behaviour::Status504, "504", "OUTSTANDING_TRANSACTION"),
    ] {
        let (_simulator, answer, verdict) = signed(behaviour);
        assert!(verdict.accepted);
        assert_eq!(answer["MSS_SignatureResp"]["Status"]["StatusCode"]["Value"], status);
        assert_eq!(answer["MSS_SignatureResp"]["Status"]["StatusMessage"], message);
    }
}

#[test]
fn broken_json() {
    let response = answer(&Running::shared(), Behaviour::BrokenJson);
    assert_eq!(response.status, 200);
    assert!(serde_json::from_slice::<Value>(&response.body).unwrap_err().is_eof());
}

#[test]
fn deep_json() {
    let response = answer(&Running::shared(), Behaviour::DeepJson);
    assert!(response.body.starts_with(b"{\"Nested\":[[[["));
    assert!(serde_json::from_slice::<Value>(&response.body).unwrap_err().to_string().contains("recursion"));
}

#[test]
fn huge_body() {
    let response = answer(&Running::shared(), Behaviour::HugeBody);
    assert!(response.body.len() > 10 * 1024 * 1024);
    let mut answer = response.json();
    answer.as_object_mut().unwrap().remove("Padding");
    assert!(!cms(&answer).is_empty(), "but for its size it is a right answer");
}

#[test]
fn half_body() {
    let simulator = Running::shared();
    let mut connection = asked(&simulator, Behaviour::HalfBody);
    assert_eq!(receive_head(&mut connection).0, 200);
    let announced = usize::from_str_radix(&line(&mut connection), 16).unwrap();
    let mut half = vec![0; announced / 2];
    connection.read_exact(&mut half).unwrap();
    connection.get_mut().sock.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = connection.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "nothing more, and no end");
}

#[test]
fn slow_drip() {
    let simulator = Running::shared();
    let mut connection = asked(&simulator, Behaviour::SlowDrip);
    assert_eq!(receive_head(&mut connection).0, 200);
    for expected in ["{", "\"", "M"] {
        assert_eq!(line(&mut connection), "1");
        assert_eq!(line(&mut connection), expected);
    }
}

#[test]
fn tls_reset() {
    let simulator = Running::shared();
    let mut connection = asked(&simulator, Behaviour::TlsReset);
    assert_eq!(receive_head(&mut connection).0, 200);
    let error = connection.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn http_503() {
    let response = answer(&Running::shared(), Behaviour::Http503);
    assert_eq!((response.status, response.header("Content-Type")), (503, Some("text/html")));
}
