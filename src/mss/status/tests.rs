use std::time::UNIX_EPOCH;

use super::*;
use crate::{mss::fault::Fault, mss::recorded};

#[test]
fn the_request_has_the_guides_fields_and_no_others() {
    let request = request(&StatusRequest {
        ap: &ApCredentials { ap_id: "mid://acme".into(), ap_pwd: Secret::new("pwd".into()) },
        ap_trans_id: &ApTransId::from_entropy(&[0xab; 16]).numbered(7),
        at: UNIX_EPOCH + Duration::from_millis(1_719_909_000_123),
        mssp_trans_id: &"HEhm82c1".parse().unwrap(),
        limit: Duration::from_secs(3),
    });
    assert_eq!((request.path, request.limit), ("/rest/service/status", Duration::from_secs(3)));
    assert!(request.repeatable && !format!("{request:?}").contains("pwd"));
    let sent: serde_json::Value = serde_json::from_str(request.body.expose()).unwrap();
    let expected = serde_json::json!({ "MSS_StatusReq": {
        "AP_Info": {
            "AP_ID": "mid://acme",
            "AP_PWD": "pwd",
            "AP_TransID": format!("mid-{}-7", "ab".repeat(16)),
            "Instant": "2024-07-02T08:30:00.123Z",
        },
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MSSP_TransID": "HEhm82c1",
        "MajorVersion": "1",
        "MinorVersion": "1",
    }});
    assert_eq!(sent, expected);
}

fn reply(status: u16, body: &str) -> Result<StatusReply, Unreadable> {
    read(&HttpResponse { status, date: None, body: body.as_bytes().to_vec() })
}

/// A signed answer with this MobileUser and this code.
fn signed(user: &str, code: &str) -> String {
    format!(
        r#"{{"MSS_StatusResp":{{"AP_Info":{{"AP_TransID":"t"}},"MSS_Signature":{{"Base64Signature":"QUJD"}},
        {user}"Status":{{"StatusCode":{{"Value":"{code}"}}}}}}}}"#
    )
}

const USER: &str = r#""MobileUser":{"MSISDN":"41791234567"},"#;

#[test]
fn statuses_are_told_by_their_number() {
    for (code, expected) in [
        ("504", StatusReply::Outstanding),
        ("_504", StatusReply::Outstanding),
        ("100", StatusReply::Outstanding),
        ("501", StatusReply::NotSigned(Status::RevokedCertificate)),
        ("503", StatusReply::NotSigned(Status::InvalidSignature)),
        ("777", StatusReply::NotSigned(Status::Unknown(777))),
    ] {
        assert_eq!(reply(200, &signed(USER, code)), Ok(expected), "{code}");
    }
    for code in ["500", "502"] {
        assert!(matches!(reply(200, &signed(USER, code)), Ok(StatusReply::Signed(_))), "{code}");
    }
    // What is outstanding needs no more than its status.
    let bare = r#"{"MSS_StatusResp":{"Status":{"StatusCode":{"Value":"504"}}}}"#;
    assert_eq!(reply(200, bare), Ok(StatusReply::Outstanding));
    let fault = r#"{"Fault":{"Code":{"SubCode":{"Value":"_208"}},"Detail":"d","Reason":"r"}}"#;
    let Ok(StatusReply::Fault(fault)) = reply(500, fault) else { panic!() };
    assert_eq!((fault.fault, fault.detail.as_str()), (Fault::ExpiredTransaction, "r: d"));
}

#[test]
fn the_number_is_read_as_recorded_and_as_the_guide_prints_it_and_must_be_there() {
    let missing = Err(Unreadable::MissingField("MobileUser.MSISDN"));
    let read = Ok("41791234567");
    for (user, expected) in [
        (USER, read),
        (r#""MobileUser":41791234567,"#, read),
        (r#""MobileUser":"41791234567","#, read),
        ("", missing),
        (r#""MobileUser":null,"#, missing),
        (r#""MobileUser":{},"#, missing),
        (r#""MobileUser":{"MSISDN":null},"#, missing),
        (r#""MobileUser":["41791234567"],"#, Err(Unreadable::NotJson)),
        (r#""MobileUser":[["41791234567"]],"#, Err(Unreadable::NotJson)),
        (r#""MobileUser":-41791234567,"#, Err(Unreadable::NotJson)),
        (r#""MobileUser":{"MSISDN":"1","MSISDN":"2"},"#, Err(Unreadable::NotJson)),
        (r#""MobileUser":true,"#, Err(Unreadable::NotJson)),
    ] {
        let found = reply(200, &signed(user, "500"));
        let found = found.map(|reply| match reply {
            StatusReply::Signed(signed) => signed.msisdn,
            other => panic!("{user}: {other:?}"),
        });
        assert_eq!(found.as_deref().map_err(|why| *why), expected, "{user}");
    }
}

#[test]
fn what_is_no_answer_is_unreadable() {
    let good = signed(USER, "500");
    for (status, body, why) in [
        (503, "busy".to_owned(), Unreadable::HttpStatus(503)),
        (500, good.clone(), Unreadable::HttpStatus(500)),
        (200, "{".to_owned(), Unreadable::NotJson),
        (200, "{}".to_owned(), Unreadable::NotOneRoot),
        (200, good.replace("MSS_StatusResp", "MSS_SignatureResp"), Unreadable::NotOneRoot),
        (
            200,
            good.replace("QUJD\"", "\"").replace("Base64", ""),
            Unreadable::MissingField("MSS_Signature.Base64Signature"),
        ),
        (200, good.replace("AP_TransID", "x"), Unreadable::MissingField("AP_Info.AP_TransID")),
        (200, good.replace("\"500\"", "\"x\""), Unreadable::MissingField("Status.StatusCode.Value")),
    ] {
        assert_eq!(reply(status, &body), Err(why), "{status} {body}");
    }
}

#[test]
fn the_recorded_answers_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/wire");
    let recorded = |name| {
        let file: serde_json::Value = serde_json::from_str(&recorded(folder, name)?).unwrap();
        Some(reply(200, &file["body"].to_string()))
    };
    if let Some(reply) = recorded("06_status_mss_statusresp_signature_500.json") {
        let Ok(StatusReply::Signed(signed)) = reply else { panic!("{reply:?}") };
        assert_eq!(
            (signed.ap_trans_id.as_str(), signed.msisdn.as_str()),
            ("POSTMAN.92682.372", "41700092501")
        );
        assert!(signed.base64.starts_with("MIAGCSqGSIb3"));
    }
    if let Some(reply) = recorded("07_status_mss_statusresp_outstanding_transaction_504.json") {
        assert_eq!(reply, Ok(StatusReply::Outstanding));
    }
}
