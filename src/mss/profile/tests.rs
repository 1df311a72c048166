use std::time::UNIX_EPOCH;

use super::*;
use crate::mss::{fault::Fault, recorded};

#[test]
fn the_request_has_the_guides_fields_and_no_others() {
    let request = request(&ProfileRequest {
        ap: &ApCredentials { ap_id: "mid://acme".into(), ap_pwd: Secret::new("pwd".into()) },
        ap_trans_id: &ApTransId::from_entropy(&[0xab; 16]),
        at: UNIX_EPOCH + Duration::from_millis(1_719_909_000_123),
        msisdn: &"+41791234567".parse().unwrap(),
        limit: Duration::from_secs(3),
    });
    assert_eq!((request.path, request.limit), ("/rest/service/profile", Duration::from_secs(3)));
    assert!(request.repeatable && !format!("{request:?}").contains("4179"));
    let sent: serde_json::Value = serde_json::from_str(request.body.expose()).unwrap();
    let expected = serde_json::json!({ "MSS_ProfileReq": {
        "AP_Info": {
            "AP_ID": "mid://acme",
            "AP_PWD": "pwd",
            "AP_TransID": format!("mid-{}", "ab".repeat(16)),
            "Instant": "2024-07-02T08:30:00.123Z",
        },
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MajorVersion": "2",
        "MinorVersion": "0",
        "MobileUser": { "MSISDN": "+41791234567" },
        "Params": "sscds state certs pinstatus rcstatus aastatus",
    }});
    assert_eq!(sent, expected);
}

fn reply(status: u16, body: &str) -> Result<ProfileReply, Unreadable> {
    read(&HttpResponse { status, date: None, body: body.as_bytes().to_vec() })
}

/// An answer with this extension.
fn answer(extension: &str) -> String {
    format!(
        r#"{{"MSS_ProfileResp":{{"SignatureProfile":["http://mid.swisscom.ch/Any-LoA4"],"Status":{{
        "StatusCode":{{"Value":"100"}},"StatusDetail":{{"ProfileQueryExtension":{extension}}}}}}}}}"#
    )
}

fn account(extension: &str) -> Account {
    match reply(200, &answer(extension)) {
        Ok(ProfileReply::Account(account)) => account,
        other => panic!("{extension}: {other:?}"),
    }
}

#[test]
fn what_the_guide_prints_is_read() {
    let found = account(
        r#"{"MobileUser":{"AutoActivation":false,"RecoveryCodeCreated":true},"Sscds":{
        "App":[{"State":"ACTIVE","PinStatus":{"Blocked":false},"MobileUserCertificate":[{"Algorithm":"RSA",
            "State":"ACTIVE","X509Certificate":["AA==","BB=="],
            "X509SubjectName":["cn=midche1:pn,serialnumber=midche1","c=ch,cn=an issuer"]}]}],
        "Sim":{"State":"INACTIVE","PinStatus":{"Blocked":true},"MobileUserCertificate":[]}}}"#,
    );
    let rsa = Certificate {
        algorithm: Some("RSA".to_owned()),
        state: Some(State::Active),
        serial: Some("MIDCHE1".parse().unwrap()),
    };
    let sim = Device {
        method: Method::Sim,
        state: Some(State::Inactive),
        pin_blocked: Some(true),
        certificates: vec![],
    };
    let app = Device {
        method: Method::App,
        state: Some(State::Active),
        pin_blocked: Some(false),
        certificates: vec![rsa],
    };
    let expected = Account {
        devices: vec![sim, app],
        profiles: vec![Offer::Known(Profile::Any)],
        auto_activation: Some(false),
        recovery_code: Some(true),
    };
    assert_eq!(found, expected);
    let serial = found.devices[1].certificates[0].serial.as_ref().unwrap();
    assert_eq!(serial.as_str(), "MIDCHE1", "as in the certificate");
}

#[test]
fn what_is_not_said_is_neither_yes_nor_no() {
    let nothing = Account { profiles: vec![Offer::Known(Profile::Any)], ..Account::default() };
    for extension in ["null", "{}", r#"{"MobileUser":{},"Sscds":{}}"#, r#"{"Sscds":{"App":[],"Sim":null}}"#] {
        assert_eq!(account(extension), nothing, "{extension}");
    }
    let bare = r#"{"MSS_ProfileResp":{"Status":{"StatusCode":{"Value":"_100"}}}}"#;
    assert_eq!(reply(200, bare), Ok(ProfileReply::Account(Account::default())));
    let device = account(r#"{"Sscds":{"Sim":{}}}"#).devices.remove(0);
    assert_eq!((device.state, device.pin_blocked), (None, None));
}

#[test]
fn one_or_a_list_and_true_in_quotes_or_not() {
    let devices = |sscds: &str| account(&format!(r#"{{"Sscds":{sscds}}}"#)).devices;
    let (active, sim) = (r#"{"State":"ACTIVE"}"#, Method::Sim);
    for sscds in [format!(r#"{{"Sim":{active}}}"#), format!(r#"{{"Sim":[{active}]}}"#)] {
        assert_eq!(devices(&sscds).iter().map(|d| d.method).collect::<Vec<_>>(), [sim], "{sscds}");
    }
    for sscds in [format!(r#"{{"App":{active}}}"#), format!(r#"{{"App":[{active}]}}"#)] {
        assert_eq!(devices(&sscds)[0].method, Method::App, "{sscds}");
    }
    assert_eq!(devices(&format!(r#"{{"App":[{active},{active}],"Sim":{active}}}"#)).len(), 3);
    let blocked = |flag: &str| {
        devices(&format!(r#"{{"Sim":{{"PinStatus":{{"Blocked":{flag}}}}}}}"#)).remove(0).pin_blocked
    };
    for (flag, expected) in [("true", true), ("\"true\"", true), ("false", false), ("\"false\"", false)] {
        assert_eq!(blocked(flag), Some(expected), "{flag}");
    }
}

#[test]
fn what_can_mean_more_than_one_thing_is_unreadable() {
    let many = |count: usize| format!(r#"{{"Sscds":{{"App":[{}]}}}}"#, vec!["{}"; count].join(","));
    assert_eq!(account(&many(32)).devices.len(), 32);
    for extension in [
        many(33),
        r#"{"Sscds":[]}"#.to_owned(),
        r#"{"Sscds":{"Sim":true}}"#.to_owned(),
        r#"{"Sscds":{"Sim":["ACTIVE"]}}"#.to_owned(),
        r#"{"Sscds":{"Sim":{"State":1}}}"#.to_owned(),
        r#"{"Sscds":{"Sim":{"State":"ACTIVE","State":"INACTIVE"}}}"#.to_owned(),
        r#"{"Sscds":{"Sim":{"PinStatus":{"Blocked":"no"}}}}"#.to_owned(),
        r#"{"Sscds":{"Sim":{"PinStatus":{"Blocked":0}}}}"#.to_owned(),
        r#"{"Sscds":{"Sim":{"PinStatus":false}}}"#.to_owned(),
        r#"{"MobileUser":{"AutoActivation":"TRUE"}}"#.to_owned(),
    ] {
        assert_eq!(reply(200, &answer(&extension)), Err(Unreadable::NotJson), "{extension}");
    }
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let deep = answer(&format!(r#"{{"Sscds":{{"Sim":{{"CardDetails":{deep}}}}}}}"#));
    assert_eq!(reply(200, &deep), Err(Unreadable::NotJson));
}

#[test]
fn foreign_words_are_escaped_and_have_no_numbers() {
    let found = account(
        r#"{"Sscds":{"Sim":{"State":"A\u001b[2J 41791234567","MobileUserCertificate":{"Algorithm":"a\nb"}}}}"#,
    );
    let Some(State::Unknown(state)) = &found.devices[0].state else { panic!("{found:?}") };
    assert!(state.starts_with("A\\u{1b}[2J") && !state.contains("1234567"), "{state}");
    assert_eq!(found.devices[0].certificates[0].algorithm.as_deref(), Some("a\\u{a}b"));
    let offered = answer("{}").replace("Any-LoA4", "\\u202e");
    let Ok(ProfileReply::Account(found)) = reply(200, &offered) else { panic!() };
    assert_eq!(found.profiles, [Offer::Other("http://mid.swisscom.ch/\\u{202e}".to_owned())]);
}

#[test]
fn a_serial_number_is_taken_out_of_a_subject_or_left_in_it() {
    for (subject, serial) in [
        ("cn=midche1:pn,serialnumber=midche1", Some("MIDCHE1")),
        ("serialNumber=MIDCHE1, CN=MIDCHE1:PN", Some("MIDCHE1")),
        ("cn=x+serialnumber=midche1", Some("MIDCHE1")),
        ("2.5.4.5=midche1", Some("MIDCHE1")),
        ("cn=midche1:pn", None),
        ("serialnumber=midche1,serialnumber=midche2", None),
        (r"serialnumber=mid\,che1", None),
        (r#"serialnumber="midche1""#, None),
        ("serialnumber=", None),
        ("serialnumber=mid che", None),
        ("myserialnumber=midche1", None),
        ("", None),
    ] {
        assert_eq!(serial_of(subject).as_ref().map(SerialNumber::as_str), serial, "{subject}");
    }
}

#[test]
fn faults_and_other_statuses_are_told_by_their_number() {
    for (code, fault) in [
        ("_105", Fault::UnknownClient),
        ("402", Fault::PinBlocked),
        ("404", Fault::NoKeyFound),
        ("422", Fault::NoCertFound),
    ] {
        let body =
            format!(r#"{{"Fault":{{"Code":{{"SubCode":{{"Value":"{code}"}}}},"Detail":"d","Reason":"r"}}}}"#);
        let Ok(ProfileReply::Fault(found)) = reply(500, &body) else { panic!("{code}") };
        assert_eq!((found.fault, found.detail.as_str()), (fault, "r: d"));
    }
    let other = answer("{}").replace("\"100\"", "\"501\"");
    assert_eq!(reply(200, &other), Ok(ProfileReply::NotOk(Status::RevokedCertificate)));
}

#[test]
fn what_is_no_answer_is_unreadable() {
    let good = answer("{}");
    let huge = format!("{good}{}", " ".repeat(crate::mss::BODY_MAX));
    for (status, body, why) in [
        (503, "busy", Unreadable::HttpStatus(503)),
        (500, good.as_str(), Unreadable::HttpStatus(500)),
        (200, "{", Unreadable::NotJson),
        (200, "{}", Unreadable::NotOneRoot),
        (200, &huge, Unreadable::TooLarge),
        (200, &good.replace("MSS_ProfileResp", "MSS_StatusResp"), Unreadable::NotOneRoot),
        (200, &good.replace("StatusCode", "X"), Unreadable::MissingField("Status.StatusCode.Value")),
        (200, r#"{"MSS_ProfileResp":{}}"#, Unreadable::MissingField("Status.StatusCode.Value")),
        (200, r#"{"MSS_ProfileResp":[]}"#, Unreadable::NotJson),
    ] {
        assert_eq!(reply(status, body), Err(why), "{status} {}", &body[..body.len().min(60)]);
    }
}

#[test]
fn the_recorded_answer_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data/wire");
    let Some(text) = recorded(folder, "12_profile_mss_profileresp_request_ok_100.json") else { return };
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let Ok(ProfileReply::Account(found)) = reply(200, &file["body"].to_string()) else { panic!() };
    assert_eq!((found.auto_activation, found.recovery_code), (Some(false), Some(false)));
    let [sim] = found.devices.as_slice() else { panic!("{found:?}") };
    assert_eq!((sim.method, &sim.state, sim.pin_blocked), (Method::Sim, &Some(State::Active), Some(false)));
    let [certificate] = sim.certificates.as_slice() else { panic!("{found:?}") };
    assert_eq!(certificate.serial.as_ref().unwrap().as_str(), "MIDCHEO16P1O6E92");
    assert_eq!(found.profiles.len(), 4);
    assert!(found.profiles.contains(&Offer::Known(Profile::Sim)), "{found:?}");
}
