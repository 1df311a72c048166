//! What comes back when somebody confirms: the answer's fields, its headers, and a signature that OpenSSL
//! accepts although it is written the way the live service writes it.

use std::path::{Path, PathBuf};
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mobileid_simulator::{KeyKind, Methods, Profile};
use serde_json::{Value, json};

use crate::client::exchange;
use crate::support::{Folder, Running, changed, run, sign_request};

const TEXT: &str = "SIM: Log in to box? (3D5K)";

/// The CMS of an answer.
pub(crate) fn cms(answer: &Value) -> Vec<u8> {
    let fields = answer.as_object().unwrap().values().next().unwrap();
    let base64 = fields["MSS_Signature"]["Base64Signature"].as_str();
    STANDARD.decode(base64.unwrap_or_else(|| panic!("no signature in {answer}"))).unwrap()
}

/// OpenSSL's verdict on a CMS, with the text it says was signed and the certificate of who signed.
pub(crate) struct Verdict {
    pub(crate) accepted: bool,
    pub(crate) text: String,
    pub(crate) complaint: String,
    /// Subject, extensions and all, as OpenSSL prints them.
    pub(crate) signer: String,
}

pub(crate) fn verify(cms: &[u8], state: &Path) -> Verdict {
    let folder = Folder::new();
    std::fs::create_dir(&*folder).unwrap();
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    std::fs::write(file("cms"), cms).unwrap();
    let anchors = state.join("signer-anchors.pem");
    let Output { status, stdout, stderr } = run(
        "openssl",
        &[
            "cms",
            "-verify",
            "-inform",
            "DER",
            "-in",
            &file("cms"),
            "-purpose",
            "any",
            "-signer",
            &file("signer"),
            "-CAfile",
            anchors.to_str().unwrap(),
        ],
    );
    let signer = match PathBuf::from(file("signer")).exists() {
        true => {
            run("openssl", &["x509", "-in", &file("signer"), "-noout", "-text", "-nameopt", "RFC2253"]).stdout
        }
        false => Vec::new(),
    };
    Verdict {
        accepted: status.success(),
        text: String::from_utf8(stdout).unwrap(),
        complaint: String::from_utf8(stderr).unwrap(),
        signer: String::from_utf8(signer).unwrap(),
    }
}

#[test]
fn both_kinds_of_key_sign_as_the_live_service_does() {
    let simulator = Running::shared();
    let ecdsa_with_null = b"\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00".as_slice();
    let rsa_encryption = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00".as_slice();
    for (kind, algorithm, bits) in [(KeyKind::Ec, ecdsa_with_null, 256), (KeyKind::Rsa, rsa_encryption, 2048)]
    {
        let msisdn = simulator.somebody(|subscriber| subscriber.key = kind);
        let cms = cms(&simulator.sign(&sign_request(&msisdn)).json());
        let verdict = verify(&cms, simulator.state_dir());
        assert!(verdict.accepted, "{}", verdict.complaint);
        assert_eq!(verdict.text, TEXT);
        assert!(cms.starts_with(b"\x30\x80"), "BER with indefinite lengths");
        assert!(cms.ends_with(&[0; 6]));
        let after_certificates = cms.windows(2).rposition(|pair| pair == b"\x31\x82").unwrap();
        let signer_info = &cms[after_certificates..];
        assert!(signer_info.windows(algorithm.len()).any(|window| window == algorithm));
        for expected in [
            "Subject: CN=MIDCHE",
            ":PN,serialNumber=MIDCHE",
            "X509v3 Key Usage: critical\n                Digital Signature\n",
            "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
            "Signature Algorithm: rsassaPss",
            "Salt Length: 0x20",
            &format!("({bits} bit)"),
        ] {
            assert!(verdict.signer.contains(expected), "{expected:?} is not in {}", verdict.signer);
        }
    }
}

#[test]
fn the_structure_is_the_recorded_one() {
    let simulator = Running::shared();
    let folder = Folder::new();
    std::fs::create_dir(&*folder).unwrap();
    let file = folder.join("cms");
    // A number of its own: the service refuses one that is being asked by another test (fault 406).
    let request = sign_request(&simulator.somebody(|_| {}));
    std::fs::write(&file, cms(&simulator.sign(&request).json())).unwrap();
    let parsed = run("openssl", &["asn1parse", "-inform", "DER", "-in", file.to_str().unwrap()]).stdout;
    let parsed = String::from_utf8(parsed).unwrap();
    // Depth, kind of length and type of everything down to the certificates, as OpenSSL prints the recording.
    let outline = parsed.lines().filter_map(|line| {
        let depth = line.split("d=").nth(1)?.split(' ').next()?.parse::<u8>().ok()?;
        let length = if line.contains("l=inf") { "inf" } else { "" };
        let kind = line.split_once(": ")?.1.split(':').next()?.trim();
        (depth <= 4).then(|| format!("{depth}{length} {kind}"))
    });
    let recorded = "0inf SEQUENCE,1 OBJECT,1inf cont [ 0 ],2inf SEQUENCE,3 INTEGER,3 SET,4 SEQUENCE,3 SEQUENCE,\
                    4 OBJECT,4 cont [ 0 ],3inf cont [ 0 ],4 SEQUENCE,4 SEQUENCE,4 SEQUENCE,4 EOC,3 SET,4 SEQUENCE,\
                    3 EOC,2 EOC,1 EOC";
    assert_eq!(outline.collect::<Vec<_>>().join(","), recorded);
    let attributes = parsed.lines().skip_while(|line| !line.contains(" d=3 ") && !line.contains("d=3  hl=4"));
    let names = ["contentType", "1.2.840.113549.1.9.25.3", "messageDigest"];
    let found = attributes.filter(|line| names.iter().any(|name| line.ends_with(&format!(":{name}"))));
    assert_eq!(found.count(), 3, "{parsed}");
    assert!(!parsed.contains("signingTime"));
}

#[test]
fn an_answer_has_the_recorded_fields_and_headers() {
    let simulator = Running::shared();
    let msisdn = simulator.somebody(|_| {});
    let request = sign_request(&format!("+{msisdn}"));
    let mut connection = simulator.client().connect();
    let response = exchange(&mut connection, "/rest/service/sign", &request);
    assert_eq!(response.status, 200);
    let names = response.headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["Content-Type", "Transfer-Encoding", "Date", "Keep-Alive", "Connection", "Server"]);
    assert_eq!(response.header("Keep-Alive"), Some("timeout=10"));
    let json = response.json();
    let answer = &json["MSS_SignatureResp"];
    let asked = &request["MSS_SignatureReq"]["AP_Info"];
    assert_eq!(answer["AP_Info"]["AP_ID"], asked["AP_ID"]);
    assert_eq!(answer["AP_Info"]["AP_TransID"], asked["AP_TransID"]);
    assert_eq!(answer["AP_Info"].get("AP_PWD"), None);
    assert_eq!(answer["MSSP_Info"]["MSSP_ID"]["URI"], "http://mid.swisscom.ch/");
    for instant in [&answer["AP_Info"]["Instant"], &answer["MSSP_Info"]["Instant"]] {
        let text = instant.as_str().unwrap();
        assert!(text.len() == "2024-07-02T08:04:14.852Z".len() && text.ends_with('Z'), "{text}");
    }
    assert_eq!(answer["MobileUser"]["MSISDN"], msisdn, "without the plus sign");
    assert_eq!((&answer["MajorVersion"], &answer["MinorVersion"]), (&json!("1"), &json!("1")));
    assert_eq!(answer["SignatureProfile"], Profile::StkLoa4.uri());
    assert_eq!(answer["Status"], json!({ "StatusCode": { "Value": "500" }, "StatusMessage": "SIGNATURE" }));
    assert!(!answer["MSSP_TransID"].as_str().unwrap().is_empty());
    // The connection stays open for the next one.
    let second = exchange(&mut connection, "/rest/service/sign", &sign_request(&msisdn));
    assert_eq!(second.status, 200);
}

#[test]
fn the_answer_names_the_method_that_was_used() {
    let simulator = Running::shared();
    let sim = simulator.somebody(|_| {});
    let app = simulator.somebody(|subscriber| subscriber.methods = Methods::App);
    let both = simulator.somebody(|subscriber| subscriber.methods = Methods::Both);
    let (any, mapped) = (Profile::AnyLoa4, Profile::AuthProfile1);
    let (stk, device) = (Profile::StkLoa4, Profile::DeviceLoa4);
    // The guide's section 3.2.1.1.
    for (msisdn, asked, resolved) in [
        (&sim, mapped, stk),
        (&sim, any, stk),
        (&sim, stk, stk),
        (&app, mapped, device),
        (&app, any, device),
        (&app, device, device),
        (&both, mapped, stk),
        (&both, any, stk),
        (&both, stk, stk),
        (&both, device, device),
    ] {
        let request = changed(sign_request(msisdn), "/SignatureProfile", json!(asked.uri()));
        let answer = simulator.sign(&request).json();
        assert_eq!(answer["MSS_SignatureResp"]["SignatureProfile"], resolved.uri(), "{asked:?}");
    }
}

#[test]
fn the_numbers_for_successful_tests_sign() {
    let simulator = Running::shared();
    for (msisdn, key) in [("41700092501", "id-ecPublicKey"), ("+41700092502", "rsaEncryption")] {
        let verdict = verify(&cms(&simulator.sign(&sign_request(msisdn)).json()), simulator.state_dir());
        assert!(verdict.accepted && verdict.signer.contains(key), "{}", verdict.complaint);
    }
}

#[test]
fn geofencing_is_answered_as_not_subscribed() {
    let simulator = Running::shared();
    let services = json!([
        { "Description": "http://mid.swisscom.ch/as#geofencing" },
        { "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang", "UserLang": { "Value": "DE" } },
    ]);
    let request = changed(sign_request(&simulator.somebody(|_| {})), "/AdditionalServices", services);
    let answer = simulator.sign(&request).json();
    assert_eq!(answer["MSS_SignatureResp"]["ServiceResponses"][0]["Geofencing"]["ErrorCode"], "122");
}
