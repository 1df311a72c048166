//! Profile queries and receipts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mobileid_simulator::{KeyKind, Methods};
use serde_json::{Value, json};

use crate::support::{Running, ap_info, changed, sign_request};

pub(crate) fn profile_request(msisdn: &str, params: &str) -> Value {
    json!({ "MSS_ProfileReq": {
        "AP_Info": ap_info(),
        "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MajorVersion": "2",
        "MinorVersion": "0",
        "MobileUser": { "MSISDN": msisdn },
        "Params": params,
    }})
}

#[test]
fn a_profile_as_recorded() {
    let simulator = Running::shared();
    let mut serial = String::new();
    let msisdn = simulator.somebody(|subscriber| serial = subscriber.serial.to_lowercase());
    let request = profile_request(&msisdn, "sscds state certs pinstatus rcstatus aastatus carddetails");
    let mut answer =
        simulator.client().post("/rest/service/profile", &request).json()["MSS_ProfileResp"].take();
    assert_eq!((&answer["MajorVersion"], &answer["MinorVersion"]), (&json!("2"), &json!("0")));
    let profiles = json!([
        "http://mid.swisscom.ch/Any-LoA4",
        "http://mid.swisscom.ch/MID/v1/AuthProfile1",
        "http://mid.swisscom.ch/MID/v1/AuthProfile1.ECC",
        "http://mid.swisscom.ch/STK-LoA4",
    ]);
    assert_eq!(answer["SignatureProfile"], profiles);
    let sim = &mut answer["Status"]["StatusDetail"]["ProfileQueryExtension"]["Sscds"]["Sim"];
    let certificates = sim["MobileUserCertificate"][0]["X509Certificate"].take();
    let expected = json!({
        "CardDetails": { "Mcc": "228", "Mnc": "01", "Network": "Swisscom" },
        "MobileUserCertificate": [{
            "Algorithm": "EC",
            "State": "ACTIVE",
            "X509Certificate": null,
            "X509SubjectName": [
                format!("cn={serial}:pn,serialnumber={serial}"),
                "c=ch,o=mobile id simulator,ou=digital certificate services,cn=simulator issuing ca",
                "c=ch,o=mobile id simulator,ou=digital certificate services,cn=simulator root ca",
            ],
        }],
        "PinStatus": { "Blocked": false },
        "State": "ACTIVE",
    });
    assert_eq!(*sim, expected);
    let certificates = certificates.as_array().unwrap();
    assert_eq!(certificates.len(), 3);
    assert!(STANDARD.decode(certificates[0].as_str().unwrap()).unwrap().starts_with(&[0x30, 0x82]));
}

#[test]
fn apps_come_as_a_list_and_only_what_is_asked_for_is_told() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|subscriber| {
        subscriber.methods = Methods::App;
        subscriber.key = KeyKind::Rsa;
    });
    let ask = |params: &str| {
        let response = simulator.client().post("/rest/service/profile", &profile_request(&msisdn, params));
        response.json()["MSS_ProfileResp"].take()
    };
    let answer = ask("sscds state");
    let extension = &answer["Status"]["StatusDetail"]["ProfileQueryExtension"];
    assert_eq!(extension["Sscds"], json!({ "App": [{ "State": "ACTIVE" }] }));
    assert_eq!(ask("")["Status"], json!({ "StatusCode": { "Value": "100" }, "StatusMessage": "REQUEST_OK" }));
}

#[test]
fn profile_faults() {
    let simulator = Running::shared();
    let ask =
        |msisdn: &str| simulator.client().post("/rest/service/profile", &profile_request(msisdn, "state"));
    assert_eq!(ask("+41799999999").code(), "_105");
    assert_eq!(ask("+41000092401").code(), "_401");
    let old = changed(profile_request("+41799999999", ""), "/MajorVersion", json!("1"));
    assert_eq!(simulator.client().post("/rest/service/profile", &old).code(), "_108");
}

#[test]
fn a_transaction_has_one_receipt() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|_| {});
    let id = simulator.sign(&sign_request(&msisdn)).json()["MSS_SignatureResp"]["MSSP_TransID"].take();
    let receipt = || {
        json!({ "MSS_ReceiptReq": {
            "AP_Info": ap_info(),
            "MSSP_Info": { "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
            "MSSP_TransID": id,
            "MajorVersion": "1",
            "MinorVersion": "1",
            "MobileUser": { "MSISDN": msisdn },
            "Message": { "Data": "SIM: You are logged in", "Encoding": "UTF-8", "MimeType": "text/plain" },
            "Status": { "StatusCode": { "Value": "100" }, "StatusDetail": { "ReceiptRequestExtension": {
                "ReceiptMessagingMode": "synch",
                "ReceiptProfile": { "Language": "EN", "ReceiptProfileURI": "http://mss.swisscom.ch/synch" },
                "UserAck": "true",
            }}},
        }})
    };
    let send = |request: &Value| simulator.client().post("/rest/service/receipt", request);
    let other = changed(receipt(), "/MobileUser/MSISDN", json!(simulator.somebody(|_| {})));
    assert_eq!(send(&other).code(), "_101", "somebody else's transaction");
    assert_eq!(send(&changed(receipt(), "/Message/Data", json!("Hello"))).code(), "_107");
    let answer = send(&receipt()).json();
    let extension = &answer["MSS_ReceiptResp"]["Status"]["StatusDetail"]["ReceiptResponseExtension"];
    let recorded = json!({
        "ClientAck": "false",
        "NetworkAck": "false",
        "ReceiptMessagingMode": "synch",
        "UserAck": "true",
        "UserResponse": "{\"status\":\"OK\"}",
    });
    assert_eq!(*extension, recorded);
    assert_eq!(send(&receipt()).code(), "_101", "a second one");
}
