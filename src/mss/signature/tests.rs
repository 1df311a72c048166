use std::time::UNIX_EPOCH;

use super::*;
use crate::mss::fault::Fault;

fn asked() -> serde_json::Value {
    let ap = ApCredentials { ap_id: "mid://acme".into(), ap_pwd: Secret::new("pwd".into()) };
    let request = request(&SignatureRequest {
        ap: &ap,
        ap_trans_id: &ApTransId::from_entropy(&[0xab; 16]),
        at: UNIX_EPOCH + Duration::from_millis(1_719_909_000_123),
        msisdn: &"0041 79 123 45 67".parse().unwrap(),
        text: "ACME: \"quoted\" ü?",
        language: Language::Fr,
        profile: Profile::Any,
        mode: MessagingMode::Synch,
        timeout: Duration::from_millis(80_999),
        limit: Duration::from_secs(90),
    });
    assert_eq!(request.path, "/rest/service/sign");
    assert_eq!(request.limit, Duration::from_secs(90));
    assert!(!format!("{request:?}").contains("pwd"));
    serde_json::from_str(request.body.expose()).unwrap()
}

#[test]
fn the_request_has_the_recorded_fields_and_no_others() {
    let expected = serde_json::json!({ "MSS_SignatureReq": {
        "AP_Info": {
            "AP_ID": "mid://acme",
            "AP_PWD": "pwd",
            "AP_TransID": format!("mid-{}", "ab".repeat(16)),
            "Instant": "2024-07-02T08:30:00.123Z",
        },
        "AdditionalServices": [{
            "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang",
            "UserLang": { "Value": "FR" },
        }],
        "DataToBeSigned": { "Data": "ACME: \"quoted\" ü?", "Encoding": "UTF-8", "MimeType": "text/plain" },
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MajorVersion": "1",
        "MessagingMode": "synch",
        "MinorVersion": "2",
        "MobileUser": { "MSISDN": "+41791234567" },
        "SignatureProfile": "http://mid.swisscom.ch/Any-LoA4",
        "TimeOut": "80",
    }});
    assert_eq!(asked(), expected);
}

fn reply(status: u16, body: &str) -> Result<SignatureReply, Unreadable> {
    read(&HttpResponse { status, date: None, body: body.as_bytes().to_vec() })
}

fn fault(code: &str) -> String {
    format!(
        r#"{{"Fault":{{"Code":{{"SubCode":{{"Value":"{code}","ValueNs":"x"}},"Value":"Receiver"}},"Detail":"Fini\u001b[2J","Reason":"R"}}}}"#
    )
}

const SIGNED: &str = r#"{"MSS_SignatureResp":{"AP_Info":{"AP_ID":"a","AP_TransID":"t","Instant":"i"},
 "MSSP_TransID":"h1","MSS_Signature":{"Base64Signature":"QUJD"},"MajorVersion":"1","MinorVersion":"1",
 "MobileUser":{"MSISDN":"41791234567"},"SignatureProfile":"http://mid.swisscom.ch/STK-LoA4",
 "Status":{"StatusCode":{"Value":"500"},"StatusMessage":"SIGNATURE"}}}"#;

#[test]
fn faults_are_told_by_their_number_in_every_spelling() {
    for code in Fault::KNOWN {
        for spelled in [format!("_{}", code.code()), code.code().to_string(), format!("mss:_{}", code.code())]
        {
            // 500 is the recorded status; what a proxy makes of it changes nothing.
            for status in [500, 200, 502] {
                let Ok(SignatureReply::Fault(reply)) = reply(status, &fault(&spelled)) else {
                    panic!("{spelled}")
                };
                assert_eq!(reply.fault, *code);
                assert_eq!(reply.detail, "R: Fini\\u{1b}[2J");
            }
        }
    }
    let Ok(SignatureReply::Fault(unknown)) = reply(500, &fault("_777")) else { panic!() };
    assert_eq!(unknown.fault, Fault::Unknown(777));
    for odd in ["", "_", "SIGNATURE", "-401", "99999"] {
        assert_eq!(
            reply(500, &fault(odd)),
            Err(Unreadable::MissingField("Fault.Code.SubCode.Value")),
            "{odd}"
        );
    }
}

#[test]
fn the_text_of_a_fault_decides_nothing() {
    let lying = fault("_401").replace("Fini", "SIGNATURE 500").replace("\"R\"", "\"REQUEST_OK\"");
    assert!(matches!(reply(200, &lying), Ok(SignatureReply::Fault(f)) if f.fault == Fault::UserCancel));
    // Texts of another type are skipped, not trusted.
    let odd = fault("_401").replace("\"R\"", "{\"a\":[1]}");
    assert!(matches!(reply(500, &odd), Ok(SignatureReply::Fault(_))));
}

#[test]
fn a_signature_is_taken_out_whole_and_only_with_status_500_or_502() {
    let Ok(SignatureReply::Signed(signed)) = reply(200, SIGNED) else { panic!() };
    assert_eq!(signed.base64, "QUJD");
    assert_eq!((signed.ap_trans_id.as_str(), signed.msisdn.as_str()), ("t", "41791234567"));
    assert_eq!(signed.transaction.mssp_trans_id.as_deref(), Some("h1"));
    for (code, expected) in [
        ("_502", None),
        ("501", Some(Status::RevokedCertificate)),
        ("503", Some(Status::InvalidSignature)),
        ("504", Some(Status::OutstandingTransaction)),
        ("401", Some(Status::Unknown(401))),
    ] {
        let body = SIGNED.replace(r#""Value":"500""#, &format!(r#""Value":"{code}""#));
        match (reply(200, &body), expected) {
            (Ok(SignatureReply::Signed(_)), None) => {}
            (Ok(SignatureReply::NotSigned(status, _)), Some(expected)) => assert_eq!(status, expected),
            (other, _) => panic!("{code}: {other:?}"),
        }
    }
}

#[test]
fn what_was_taken_on_names_its_transaction() {
    let taken = SIGNED.replace(r#""Value":"500""#, r#""Value":"_100""#);
    let Ok(SignatureReply::Taken(found)) = reply(200, &taken) else { panic!() };
    assert_eq!((found.ap_trans_id.as_str(), found.msisdn.as_str()), ("t", "41791234567"));
    assert_eq!(found.mssp_trans_id.as_str(), "h1");
    assert!(!format!("{found:?}").contains("4179"), "{found:?}");
    let long = "h".repeat(65);
    for (from, to, field) in [
        (r#""MSSP_TransID":"h1","#, "", "MSSP_TransID"),
        (r#""h1""#, r#""""#, "MSSP_TransID"),
        (r#""h1""#, r#""h 1""#, "MSSP_TransID"),
        (r#""h1""#, &format!("\"{long}\""), "MSSP_TransID"),
        (r#""AP_TransID":"t","#, "", "AP_Info.AP_TransID"),
        (r#""MSISDN":"41791234567""#, "", "MobileUser.MSISDN"),
    ] {
        let found = reply(200, &taken.replace(from, to));
        assert_eq!(found, Err(Unreadable::MissingField(field)), "{to}");
    }
}

#[test]
fn a_number_that_the_service_writes_back_is_not_passed_on() {
    let Ok(SignatureReply::Fault(found)) = reply(500, &fault("_105").replace("Fini", "41791234567")) else {
        panic!()
    };
    assert!(!found.detail.contains("41791234567"), "{}", found.detail);
}

#[test]
fn an_array_is_no_object() {
    let by_position = r#"[[["t"],"h1",["QUJD"],["41791234567"],null,[["500"]]],null]"#;
    assert_eq!(reply(200, by_position), Err(Unreadable::NotJson));
    for (object, array) in [
        (r#"{"AP_ID":"a","AP_TransID":"t","Instant":"i"}"#, r#"["t"]"#),
        (r#"{"Base64Signature":"QUJD"}"#, r#"["QUJD"]"#),
        (r#"{"MSISDN":"41791234567"}"#, r#"["41791234567"]"#),
        (r#"{"Value":"500"}"#, r#"["500"]"#),
    ] {
        assert!(SIGNED.contains(object), "{object}");
        assert_eq!(reply(200, &SIGNED.replace(object, array)), Err(Unreadable::NotJson), "{array}");
    }
}

#[test]
fn what_is_no_answer_is_named() {
    let both = format!("{},{}", &SIGNED[..SIGNED.len() - 1], &fault("_401")[1..]);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!(r#"{{"x":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    let huge = format!("{}{}", SIGNED, " ".repeat(crate::mss::BODY_MAX));
    let twice = SIGNED.replace(r#""MSSP_TransID":"h1""#, r#""MSSP_TransID":"h1","MSSP_TransID":"h2""#);
    for (status, body, why) in [
        (200, "", Unreadable::NotJson),
        (200, "{", Unreadable::NotJson),
        (200, "null", Unreadable::NotJson),
        (200, "{}", Unreadable::NotOneRoot),
        (200, r#"{"MSS_StatusResp":{}}"#, Unreadable::NotOneRoot),
        (200, &both, Unreadable::NotOneRoot),
        (200, &deep, Unreadable::NotJson),
        (200, &deep_field, Unreadable::NotJson),
        (200, &huge, Unreadable::TooLarge),
        (200, &twice, Unreadable::NotJson),
        (200, &format!("{SIGNED}x"), Unreadable::NotJson),
        (500, SIGNED, Unreadable::HttpStatus(500)),
        (201, SIGNED, Unreadable::HttpStatus(201)),
        (503, "<html>busy</html>", Unreadable::HttpStatus(503)),
        (302, "", Unreadable::HttpStatus(302)),
        (500, "<html>oops</html>", Unreadable::NotJson),
        (
            200,
            &SIGNED.replace("MSS_Signature\"", "X\""),
            Unreadable::MissingField("MSS_Signature.Base64Signature"),
        ),
        (200, &SIGNED.replace("AP_TransID", "X"), Unreadable::MissingField("AP_Info.AP_TransID")),
        (200, &SIGNED.replace("MSISDN", "X"), Unreadable::MissingField("MobileUser.MSISDN")),
        (200, &SIGNED.replace("StatusCode", "X"), Unreadable::MissingField("Status.StatusCode.Value")),
        (200, &SIGNED.replace("\"500\"", "500"), Unreadable::NotJson),
    ] {
        assert_eq!(reply(status, body), Err(why), "{}", &body[..body.len().min(60)]);
    }
}

#[test]
fn recorded_answers_of_the_live_service_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/wire");
    let Some(text) = crate::mss::recorded(folder, "04_sign_fault_expired_transaction_208.json") else {
        return;
    };
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    let body = recorded["body"].to_string();
    assert!(
        matches!(reply(500, &body), Ok(SignatureReply::Fault(f)) if f.fault == Fault::ExpiredTransaction)
    );
    let Some(text) = crate::mss::recorded(folder, "05_sign_mss_signatureresp_request_ok_100.json") else {
        return;
    };
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    let Ok(SignatureReply::Taken(taken)) = reply(200, &recorded["body"].to_string()) else { panic!() };
    assert_eq!(taken.mssp_trans_id.as_str(), "HEhm82c1");
    assert_eq!((taken.ap_trans_id.as_str(), taken.msisdn.as_str()), ("POSTMAN.28299.852", "41700092501"));
}
