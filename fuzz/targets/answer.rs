//! Any status and any body as the service's answer: `status`, a line break, the body. A signature is taken out only
//! from a 200 that says 500 or 502 in so many words, and it is the one that stands there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::{
    mss::{
        FaultReply, HttpResponse,
        fault::{Fault, Status},
        heartbeat::{self, Health},
        profile::{self, Account, Device, Offer, ProfileReply, State},
        signature::{self, SignatureReply},
        status::{self, StatusReply},
    },
    outcome::Unreadable,
};
use mobileid_fuzz::assert_one_plain_line;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let response = response(bytes);
    let reply = signature::read(&response);
    match &reply {
        Ok(SignatureReply::Signed(signed)) => {
            assert_eq!(response.status, 200);
            let json: Value =
                serde_json::from_slice(&response.body).expect("a signature came out of no JSON");
            let answer = &json["MSS_SignatureResp"];
            // `pointer` would look into an array too, by a number: an object is the only thing to have these names.
            let at = |path: &str| answer.pointer(path).and_then(Value::as_str);
            let code = at("/Status/StatusCode/Value").expect("signed without a status");
            assert!(code.ends_with("500") || code.ends_with("502"), "signed with the status {code}");
            assert_eq!(at("/AP_Info/AP_TransID"), Some(&*signed.ap_trans_id));
            assert_eq!(at("/MobileUser/MSISDN"), Some(&*signed.msisdn));
            assert_eq!(at("/MSS_Signature/Base64Signature"), Some(&*signed.base64));
            assert!(json.get("Fault").is_none_or(Value::is_null), "both a fault and an answer");
            assert_shown(&signed.transaction.mssp_trans_id, &signed.transaction.profile);
        }
        Ok(SignatureReply::Taken(taken)) => {
            assert_eq!(response.status, 200);
            let json: Value = serde_json::from_slice(&response.body).expect("taken on in no JSON");
            let answer = &json["MSS_SignatureResp"];
            let code = answer.pointer("/Status/StatusCode/Value").and_then(Value::as_str).expect("a status");
            assert!(code.ends_with("100"), "taken on with the status {code}");
            assert_eq!(answer["MSSP_TransID"].as_str(), Some(taken.mssp_trans_id.as_str()));
            assert_shown(&taken.transaction.mssp_trans_id, &taken.transaction.profile);
        }
        Ok(SignatureReply::NotSigned(status, transaction)) => {
            assert_eq!(response.status, 200);
            assert!(!matches!(status, Status::Signature | Status::ValidSignature | Status::RequestOk));
            assert_shown(&transaction.mssp_trans_id, &transaction.profile);
        }
        Ok(SignatureReply::Fault(FaultReply { detail, .. })) => {
            assert_one_plain_line(detail);
            // Two texts of 200 characters, each of which may have become an escape of ten.
            assert!(detail.chars().count() < 4100);
        }
        Err(Unreadable::HttpStatus(status)) => assert_eq!(*status, response.status),
        Err(_) => {}
    }
    match (heartbeat::read(&response), reply) {
        (Ok(Health::Healthy), Ok(SignatureReply::Fault(fault))) => assert_eq!(fault.fault, Fault::WrongParam),
        (Ok(Health::Fault(fault)), Ok(SignatureReply::Fault(same))) => assert_eq!(fault, same),
        (
            Ok(Health::Unexpected),
            Ok(SignatureReply::Signed(_) | SignatureReply::Taken(_) | SignatureReply::NotSigned(..)),
        ) => {}
        (Err(why), Err(same)) => assert_eq!(why, same),
        (health, reply) => panic!("{health:?} and {reply:?} of one answer"),
    }
    read_as_status(&response);
    read_as_profile(&response);
});

/// The same bytes as the answer to a status request.
fn read_as_status(response: &HttpResponse) {
    match status::read(response) {
        Ok(StatusReply::Signed(signed)) => {
            assert_eq!(response.status, 200);
            let json: Value =
                serde_json::from_slice(&response.body).expect("a signature came out of no JSON");
            let answer = &json["MSS_StatusResp"];
            let at = |path: &str| answer.pointer(path).and_then(Value::as_str);
            let code = at("/Status/StatusCode/Value").expect("signed without a status");
            assert!(code.ends_with("500") || code.ends_with("502"), "signed with the status {code}");
            assert_eq!(at("/AP_Info/AP_TransID"), Some(&*signed.ap_trans_id));
            assert_eq!(at("/MSS_Signature/Base64Signature"), Some(&*signed.base64));
            let number = match &answer["MobileUser"] {
                Value::Object(user) => user["MSISDN"].as_str().expect("a number").to_owned(),
                Value::String(number) => number.clone(),
                Value::Number(number) => number.to_string(),
                other => panic!("a number out of {other}"),
            };
            assert_eq!(number, signed.msisdn);
            assert!(json.get("Fault").is_none_or(Value::is_null), "both a fault and an answer");
        }
        Ok(StatusReply::Outstanding) => assert_eq!(response.status, 200),
        Ok(StatusReply::NotSigned(status)) => {
            assert_eq!(response.status, 200);
            let goes_on = [Status::RequestOk, Status::OutstandingTransaction];
            assert!(
                !matches!(status, Status::Signature | Status::ValidSignature) && !goes_on.contains(&status)
            );
        }
        Ok(StatusReply::Fault(FaultReply { detail, .. })) => assert_one_plain_line(&detail),
        Err(Unreadable::HttpStatus(status)) => assert_eq!(status, response.status),
        Err(_) => {}
    }
}

/// The same bytes as the answer to a profile query.
fn read_as_profile(response: &HttpResponse) {
    match profile::read(response) {
        Ok(ProfileReply::Account(account)) => {
            assert_eq!(response.status, 200);
            let json: Value = serde_json::from_slice(&response.body).expect("an account out of no JSON");
            let status = &json["MSS_ProfileResp"]["Status"];
            let code = status.pointer("/StatusCode/Value").and_then(Value::as_str).expect("a status");
            assert!(code.ends_with("100"), "an account with the status {code}");
            assert!(json.get("Fault").is_none_or(Value::is_null), "both a fault and an answer");
            assert_account(&account, &json.to_string().to_uppercase());
        }
        Ok(ProfileReply::NotOk(status)) => {
            assert_eq!(response.status, 200);
            assert_ne!(status, Status::RequestOk);
        }
        Ok(ProfileReply::Fault(FaultReply { detail, .. })) => assert_one_plain_line(&detail),
        Err(Unreadable::HttpStatus(status)) => assert_eq!(status, response.status),
        Err(_) => {}
    }
}

/// A handful of each thing, every word of it fit for a log, and no serial number that does not stand in the answer.
fn assert_account(account: &Account, json: &str) {
    assert!(account.devices.len() <= 64 && account.profiles.len() <= 32, "{account:?}");
    for offer in &account.profiles {
        if let Offer::Other(uri) = offer {
            assert_one_plain_line(uri);
        }
    }
    for Device { state, certificates, .. } in &account.devices {
        assert!(certificates.len() <= 32);
        let states = certificates.iter().map(|certificate| &certificate.state).chain([state]);
        for state in states.flatten() {
            if let State::Unknown(word) = state {
                assert_one_plain_line(word);
            }
        }
        for certificate in certificates {
            certificate.algorithm.iter().for_each(|name| assert_one_plain_line(name));
            if let Some(serial) = &certificate.serial {
                assert!(json.contains(&serial.as_str().to_uppercase()), "{serial} out of nowhere");
            }
        }
    }
}

fn response(bytes: &[u8]) -> HttpResponse {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let status =
        end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok()).and_then(|line| line.parse().ok());
    match (status, end) {
        (Some(status), Some(end)) => HttpResponse { status, date: None, body: bytes[end + 1..].to_vec() },
        _ => HttpResponse { status: 200, date: None, body: bytes.to_vec() },
    }
}

/// For the log: plain, and 100 characters long at most before it was escaped.
fn assert_shown(mssp_trans_id: &Option<String>, profile: &Option<String>) {
    for text in [mssp_trans_id, profile].into_iter().flatten() {
        assert_one_plain_line(text);
        assert!(text.chars().count() <= 1003);
    }
}
