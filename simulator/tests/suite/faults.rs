//! Every refusal before a phone is reached: its sub-code, and the guide's texts where the guide has them.

use mobileid_simulator::{Methods, Profile};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::client::{Client, certificates, exchange, receive, send, send_part};
use crate::support::{Folder, Running, changed, run, sign_request};

fn instant(offset: Duration) -> Value {
    json!((OffsetDateTime::now_utc() + offset).format(&Rfc3339).unwrap())
}

#[test]
fn each_mistake_earns_its_fault() {
    let simulator = Running::shared();
    let text = |text: String| json!({ "Data": text, "Encoding": "UTF-8", "MimeType": "text/plain" });
    let language = |value: &str| json!([{ "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang", "UserLang": { "Value": value } }]);
    let geofencing_only = json!([{ "Description": "http://mid.swisscom.ch/as#geofencing" }]);
    let app2app = json!([
        { "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang", "UserLang": { "Value": "en" } },
        { "Description": "http://mid.swisscom.ch/as#app2app", "App2App": { "RedirectUri": "myapp://example" } },
    ]);
    let without_zone = OffsetDateTime::now_utc().format(&Rfc3339).unwrap().replace('Z', "");
    let sim_only = simulator.somebody(|_| {});
    let app_only = simulator.somebody(|subscriber| subscriber.methods = Methods::App);
    let stories: Vec<(&str, &str, Value, &str)> = vec![
        ("somebody else's AP_ID", "/AP_Info/AP_ID", json!("mid://other.example"), "_104"),
        ("no AP_ID", "/AP_Info/AP_ID", Value::Null, "_102"),
        ("no AP_PWD", "/AP_Info/AP_PWD", Value::Null, "_102"),
        ("no AP_TransID", "/AP_Info/AP_TransID", Value::Null, "_102"),
        ("no Instant", "/AP_Info/Instant", Value::Null, "_102"),
        ("no MSSP_Info", "/MSSP_Info", Value::Null, "_102"),
        ("no MajorVersion", "/MajorVersion", Value::Null, "_102"),
        ("no MessagingMode", "/MessagingMode", Value::Null, "_102"),
        ("no SignatureProfile", "/SignatureProfile", Value::Null, "_102"),
        ("no MSISDN", "/MobileUser/MSISDN", Value::Null, "_102"),
        ("no text", "/DataToBeSigned", Value::Null, "_102"),
        ("SOAP's MinorVersion", "/MinorVersion", json!("1"), "_108"),
        ("another MajorVersion", "/MajorVersion", json!("2"), "_108"),
        ("a version that is a number", "/MinorVersion", json!(2), "_101"),
        ("the health check's number", "/MobileUser/MSISDN", json!("+41000000000"), "_101"),
        ("a national number", "/MobileUser/MSISDN", json!("0790000001"), "_101"),
        ("a number with spaces", "/MobileUser/MSISDN", json!("+41 79 000 00 01"), "_101"),
        ("a number that nobody has", "/MobileUser/MSISDN", json!("+41799999999"), "_105"),
        ("a test number without a meaning", "/MobileUser/MSISDN", json!("+41000092999"), "_105"),
        ("a transaction starting with a digit", "/AP_Info/AP_TransID", json!("1a"), "_101"),
        ("an Instant that is none", "/AP_Info/Instant", json!("yesterday"), "_101"),
        ("an Instant without a zone", "/AP_Info/Instant", json!(without_zone), "_101"),
        ("an Instant six minutes ago", "/AP_Info/Instant", instant(Duration::minutes(-6)), "_101"),
        ("an Instant in six minutes", "/AP_Info/Instant", instant(Duration::minutes(6)), "_101"),
        ("no services", "/AdditionalServices", Value::Null, "_101"),
        ("no userLang among them", "/AdditionalServices", geofencing_only, "_101"),
        ("a fifth language", "/AdditionalServices", language("rm"), "_101"),
        ("App2App in synchronous mode", "/AdditionalServices", app2app, "_101"),
        ("a mode of SOAP's", "/MessagingMode", json!("asynchClientServer"), "_101"),
        ("a TimeOut that is no number", "/TimeOut", json!("soon"), "_101"),
        ("240 characters", "/DataToBeSigned", text(format!("SIM: {}", "a".repeat(235))), "_103"),
        ("120 characters beyond GSM", "/DataToBeSigned", text(format!("SIM: {}", "ç".repeat(115))), "_103"),
        ("a text without the prefix", "/DataToBeSigned", text("Log in?".to_owned()), "_107"),
        ("an unknown profile", "/SignatureProfile", json!("http://mid.swisscom.ch/Any-LoA5"), "_109"),
        ("the app of one who has a SIM", "/SignatureProfile", json!(Profile::DeviceLoa4.uri()), "_109"),
    ];
    for (story, pointer, value, code) in stories {
        let response = simulator.sign(&changed(sign_request(&sim_only), pointer, value));
        assert_eq!(response.code(), code, "{story}: {:?}", response.fault());
    }
    let stk = changed(sign_request(&app_only), "/SignatureProfile", json!(Profile::StkLoa4.uri()));
    assert_eq!(simulator.sign(&stk).code(), "_109", "the SIM of one who has the app");
    assert_eq!(simulator.pushes(&sim_only) + simulator.pushes(&app_only), 0);
}

#[test]
fn the_health_check_comes_before_the_prefix() {
    let simulator = Running::shared();
    let request = changed(sign_request("+41000000000"), "/DataToBeSigned/Data", json!("Heartbeat"));
    let fault = simulator.sign(&request).json();
    let documented = json!({ "Fault": {
        "Code": {
            "SubCode": { "Value": "_101", "ValueNs": "http://uri.etsi.org/TS102204/v1.1.2#" },
            "Value": "Sender",
            "ValueNs": "http://www.w3.org/2003/05/soap-envelope",
        },
        "Detail": "Illegal msisdn",
        "Reason": "WRONG_PARAM",
    }});
    assert_eq!(fault, documented);
}

#[test]
fn texts_of_the_longest_length_pass() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|_| {});
    for text in [format!("SIM: {}", "a".repeat(234)), format!("SIM: {}", "ç".repeat(114))] {
        let request = changed(sign_request(&msisdn), "/DataToBeSigned/Data", json!(text));
        assert_eq!(simulator.sign(&request).status, 200);
    }
}

#[test]
fn a_transaction_is_used_once() {
    let simulator = Running::shared();
    let request = sign_request(&simulator.somebody(|_| {}));
    assert_eq!(simulator.sign(&request).status, 200);
    assert_eq!(simulator.sign(&request).code(), "_101");
    // The same moment in another zone is the same moment.
    let utc =
        OffsetDateTime::parse(request["MSS_SignatureReq"]["AP_Info"]["Instant"].as_str().unwrap(), &Rfc3339);
    let zurich =
        utc.unwrap().to_offset(time::UtcOffset::from_hms(1, 0, 0).unwrap()).format(&Rfc3339).unwrap();
    assert_eq!(simulator.sign(&changed(request.clone(), "/AP_Info/Instant", json!(zurich))).code(), "_101");
    let later = changed(request, "/AP_Info/Instant", instant(Duration::SECOND));
    assert_eq!(simulator.sign(&later).status, 200, "another Instant makes another transaction");
}

#[test]
fn only_the_registered_certificate_alone_is_let_in() {
    let simulator = Running::shared();
    let (state, url) = (simulator.state_dir(), simulator.url());
    let request = sign_request(&simulator.somebody(|_| {}));
    let folder = Folder::new();
    std::fs::create_dir(&*folder).unwrap();
    let (key, certificate) = (folder.join("other.key"), folder.join("other.crt"));
    let made = run(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=other",
            "-keyout",
            key.to_str().unwrap(),
            "-out",
            certificate.to_str().unwrap(),
        ],
    );
    assert!(made.status.success());
    let chain = [certificates(&state.join("client.crt")), certificates(&certificate)].concat();
    for (story, client) in [
        ("no certificate", Client::anonymous(state, url)),
        ("another certificate", Client::with(state, url, certificates(&certificate), &key)),
        ("more than its own certificate", Client::with(state, url, chain, &state.join("client.key"))),
    ] {
        let fault = client.post("/rest/service/sign", &request).fault();
        let documented = "The AP is unknown, or the password is wrong, or the AP asks for an additional service \
                          for which it has not subscribed.";
        assert_eq!(
            fault,
            ("_104".to_owned(), "UNAUTHORIZED_ACCESS".to_owned(), documented.to_owned()),
            "{story}"
        );
    }
    assert_eq!(simulator.sign(&request).status, 200);
}

#[test]
fn every_test_number_earns_its_fault() {
    // Reason and detail as printed in the guide's section 6.2.1.
    let table = "101|WRONG_PARAM|Error among the arguments of the request
102|MISSING_PARAM|An argument in the request is missing
103|WRONG_DATA_LENGTH|The DataToBeSigned are too large. Limitations are due to the Mobile Signature technology implemented by the MSSP.
104|UNAUTHORIZED_ACCESS|The AP is unknown, or the password is wrong, or the AP asks for an additional service for which it has not subscribed.
105|UNKNOWN_CLIENT|MSISDN is unknown
107|INAPPROPRIATE_DATA|DTBD matching failed
108|INCOMPATIBLE_INTERFACE|The minor version and/or major version parameters are inappropriate for the receiver of the message.
109|UNSUPPORTED_PROFILE|The user does not support this Mobile Signature Profile
208|EXPIRED_TRANSACTION|Transaction Expiry date has been reached or Time out has lapsed.
209|OTA_ERROR|The MSSP has not succeeded to contact the end-user's mobile equipment Bad connection...)
401|USER_CANCEL|User cancelled the request
402|PIN_NR_BLOCKED|PIN of the mobile user is blocked
403|CARD_BLOCKED|Mobile user account has state INACTIVE or no SIM assigned
404|NO_KEY_FOUND|Mobile user account needs to be activated
406|PB_SIGNATURE_PROCESS|Signature request already in progress.
422|NO_CERT_FOUND|Certificate is expired
900|INTERNAL_ERROR|Unknown Error";
    let simulator = Running::shared();
    for row in table.lines() {
        let [code, reason, detail] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
        let fault = simulator.sign(&sign_request(&format!("+41000092{code}"))).fault();
        assert_eq!(fault, (format!("_{code}"), reason.to_owned(), detail.to_owned()));
    }
}

#[test]
fn an_unauthorised_profile_is_refused() {
    let simulator = Running::with(|options| options.profiles = vec![Profile::AuthProfile1]);
    let msisdn = simulator.somebody(|_| {});
    for (profile, allowed) in
        [(Profile::AnyLoa4, false), (Profile::StkLoa4, false), (Profile::AuthProfile1, true)]
    {
        let request = changed(sign_request(&msisdn), "/SignatureProfile", json!(profile.uri()));
        let response = simulator.sign(&request);
        assert_eq!(response.status == 200, allowed, "{profile:?}");
        assert!(allowed || response.code() == "_109");
    }
}

#[test]
fn a_fault_has_the_recorded_headers_and_closes_the_connection() {
    let simulator = Running::shared();
    let mut connection = simulator.client().connect();
    let response = exchange(&mut connection, "/rest/service/sign", &sign_request("+41000092401"));
    let names = response.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["Content-Type", "Transfer-Encoding", "Date", "X-Cnection", "Server"]);
    assert_eq!(response.header("Content-Type"), Some("application/json;charset=UTF-8"));
    assert_eq!(response.header("X-Cnection"), Some("close"));
    assert_eq!(response.header("Server"), Some("Kiuru REST API Server 9040"));
    let mut rest = Vec::new();
    std::io::Read::read_to_end(&mut connection, &mut rest).unwrap();
    assert!(rest.is_empty());
}

#[test]
fn what_is_no_request_is_refused_below_json() {
    let simulator = Running::shared();
    let client = simulator.client();
    let raw = |path: &str, body: &str| {
        let mut connection = client.connect();
        send(&mut connection, path, body);
        receive(&mut connection)
    };
    assert_eq!(raw("/rest/service/other", "{}").status, 404);
    // Refused by its announced length, before a byte of it came.
    let mut connection = client.connect();
    send_part(&mut connection, "/rest/service/sign", 64 * 1024 + 1, "");
    assert_eq!(receive(&mut connection).status, 413);
    assert_eq!(raw("/rest/service/sign", "{").code(), "_101");
    assert_eq!(raw("/rest/service/sign", "{}").code(), "_102");
    let status = json!({ "MSS_StatusReq": {} });
    assert_eq!(raw("/rest/service/sign", &status.to_string()).code(), "_102", "an operation of another path");
}

#[test]
fn one_path_serves_every_operation_by_its_root_key() {
    let simulator = Running::shared();
    let request = sign_request(&simulator.somebody(|_| {}));
    let response = simulator.client().post("/rest/service", &request);
    assert_eq!(response.json()["MSS_SignatureResp"]["Status"]["StatusCode"]["Value"], "500");
}
