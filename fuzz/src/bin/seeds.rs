//! Writes the seeds that are not typed by hand: answers with signatures in them, and stories for the machine.
//! Called by seeds.sh, which has the texts of the two logins written first, and signs them.
#![forbid(unsafe_code)]

use std::{fs, io, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use mobileid::{
    mss::ApTransId,
    prompt::{Code, Prefix, Template, Values, compose},
};
use mobileid_fuzz as fixtures;
use serde_json::{Value, json};

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("texts") {
        return texts();
    }
    answers()?;
    stories()?;
    prompts()
}

/// The texts that the machine will compose for Alice and for Bob.
fn texts() -> io::Result<()> {
    let (prefix, template) = (fixtures::PREFIX.parse::<Prefix>(), fixtures::TEMPLATE.parse::<Template>());
    let (Ok(prefix), Ok(template)) = (prefix, template) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    for (user, entropy) in [("alice", fixtures::ALICE_ENTROPY), ("bob", fixtures::BOB_ENTROPY)] {
        let [a, b, c, d, e, f, g, h, ..] = entropy;
        let code = Code::from_entropy(&[a, b, c, d, e, f, g, h]);
        let values = Values {
            user,
            host: "web1",
            service: "sshd",
            rhost: "192.0.2.7",
            target: "",
            command: None,
            code: &code,
        };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format!("{user}.txt"));
        fs::write(file, compose(&prefix, &template, &values))?;
    }
    Ok(())
}

fn write(target: &str, name: &str, seed: &[u8]) -> io::Result<()> {
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target).join(name), seed)
}

fn answers() -> io::Result<()> {
    let signature = BASE64_STANDARD.encode(fixtures::ALICE_SIGNATURE);
    let wrapped: Vec<_> = signature.as_bytes().chunks(76).map(String::from_utf8_lossy).collect();
    let signed = |base64: &str, code: &str| response(json!({ "Base64Signature": base64 }), code, "SIGNATURE");
    let ok = [
        ("signed", signed(&signature, "500")),
        ("signed-and-checked", signed(&wrapped.join("\r\n"), "502")),
        ("request-ok", response(Value::Null, "100", "REQUEST_OK")),
        ("outstanding", response(Value::Null, "504", "OUTSTANDING_TRANSACTION")),
        ("revoked", response(Value::Null, "501", "REVOKED_CERTIFICATE")),
        ("with-null-fault", with(signed("AAAA", "500"), "Fault", Value::Null)),
        (
            "with-both-roots",
            with(signed("AAAA", "500"), "Fault", fault("_900", "INTERNAL_ERROR", "?")["Fault"].take()),
        ),
        ("by-position", json!([["", null, null, null, null, null, [["500"]]], null])),
        (
            "of-another-operation",
            json!({ "MSS_StatusResp": { "Status": { "StatusCode": { "Value": "500" } } } }),
        ),
    ];
    let faults = [
        ("cancelled", fault("_401", "USER_CANCEL", "User cancelled the request")),
        ("timed-out", fault("_208", "EXPIRED_TRANSACTION", "Nobody answered in time")),
        ("heartbeat", fault("_101", "WRONG_PARAM", "Illegal msisdn")),
        ("code-without-underscore", fault("mss:105", "UNKNOWN_CLIENT", "\u{1b}[2J\u{202e}")),
        ("code-is-no-number", fault("USER_CANCEL", "", "")),
        (
            "detail-is-a-table",
            json!({ "Fault": { "Code": { "SubCode": { "Value": "_780" } }, "Detail": { "a": [1] } } }),
        ),
    ];
    for (status, list) in [(200, &ok[..]), (500, &faults)] {
        for (name, body) in list {
            write("answer", name, format!("{status}\n{body}").as_bytes())?;
        }
    }
    write("answer", "error-page", b"503\n<html><h1>Service Unavailable</h1></html>")?;
    write("answer", "deep", format!("200\n{}", "[".repeat(200)).as_bytes())?;
    write("answer", "cut-off", b"200\n{\"MSS_SignatureResp\":{\"AP_Info\":{\"AP_TransID\":\"mid-")
}

fn response(signature: Value, code: &str, message: &str) -> Value {
    let instant = "2050-01-01T00:00:01.500Z";
    json!({ "MSS_SignatureResp": {
        "AP_Info": { "AP_ID": "mid://acme.example", "AP_TransID": "mid-0001", "Instant": instant },
        "MSSP_Info": { "Instant": instant, "MSSP_ID": { "URI": "http://mid.swisscom.ch/" } },
        "MSSP_TransID": "h0001",
        "MSS_Signature": signature,
        "MajorVersion": "1",
        "MinorVersion": "1",
        "MobileUser": { "MSISDN": fixtures::ALICE_NUMBER },
        "ServiceResponses": [{ "Description": "http://mid.swisscom.ch/as#geofencing", "Geofencing": { "Country": "CH" } }],
        "SignatureProfile": "http://mid.swisscom.ch/STK-LoA4",
        "Status": { "StatusCode": { "Value": code }, "StatusMessage": message },
    } })
}

fn fault(code: &str, reason: &str, detail: &str) -> Value {
    json!({ "Fault": {
        "Code": {
            "SubCode": { "Value": code, "ValueNs": "http://uri.etsi.org/TS102204/v1.1.2#" },
            "Value": "Receiver",
            "ValueNs": "http://www.w3.org/2003/05/soap-envelope",
        },
        "Detail": detail,
        "Reason": reason,
    } })
}

fn with(mut json: Value, key: &str, value: Value) -> Value {
    json[key] = value;
    json
}

/// The stories of targets/machine.rs, in its bytes.
fn stories() -> io::Result<()> {
    const STANDS: u8 = 0;
    const SHOWN: [u8; 2] = [3, STANDS];
    let login = |config: u8, who: u8| vec![config, who, who, 0, 0, 1, STANDS];
    let found = |who: u8, serial: u8| [0, who, 0, serial, 0, STANDS];
    let signed = |transaction: u8, number: u8, code: u8, signature: u8| {
        vec![4, 0, 1, transaction, number, code, signature, 0, STANDS]
    };
    let fault = |code: u8, detail: &str| [&[4, 1, 2, code, detail.len() as u8], detail.as_bytes()].concat();
    let raw =
        |status: u8, body: &[u8]| [&[4, status, 0][..], &(body.len() as u16).to_be_bytes(), body].concat();
    let sent_by = |config: u8, who: u8, serial: u8| {
        [login(config, who), found(who, serial).into(), SHOWN.into()].concat()
    };
    let sent = |who: u8, serial: u8| sent_by(0, who, serial);
    const IGNORE: u8 = 5;
    const IF_KNOWN: u8 = 6;
    const REQUIRED: u8 = 7;
    const KEPT: [u8; 3] = [11, 0, STANDS];

    // Asynchronous: taken on, and after two seconds asked about; or looked up on another node, and asked about.
    let taken = || [login(4, 0), found(0, 0).into(), SHOWN.into(), signed(0, 0, 2, 0)].concat();
    let polling = || [taken(), vec![9, 4, 2]].concat();
    let elsewhere = || [taken(), vec![10], vec![7; 24], vec![STANDS], found(0, 0).into()].concat();
    let status = |transaction: u8, number: u8, code: u8, signature: u8| {
        vec![4, 0, 3, transaction, number, code, signature, 0, STANDS]
    };

    let stories = [
        ("accepted", [sent(0, 0), signed(0, 0, 0, 0), KEPT.into()].concat()),
        ("accepted-kept-meanwhile", [sent(0, 0), signed(0, 0, 0, 0), vec![11, 1, STANDS]].concat()),
        ("accepted-kept-at-the-end-of-time", [sent(0, 0), signed(0, 0, 0, 0), vec![11, 0, 8]].concat()),
        ("another-kept-meanwhile", [sent(0, 0), signed(0, 0, 0, 0), vec![11, 2, STANDS]].concat()),
        ("not-kept", [sent(0, 0), signed(0, 0, 0, 0), vec![11, 3, 4], b"full".into(), vec![STANDS]].concat()),
        ("cancelled-while-kept", [sent(0, 0), signed(0, 0, 0, 0), vec![8, STANDS]].concat()),
        ("kept-before-signed", [sent(0, 0), KEPT.into()].concat()),
        ("ignored", [sent_by(IGNORE, 0, 2), signed(0, 0, 0, 0)].concat()),
        ("unknown", [sent_by(IF_KNOWN, 0, 0), signed(0, 0, 0, 0)].concat()),
        ("known", [sent_by(IF_KNOWN, 0, 2), signed(0, 0, 0, 0)].concat()),
        ("required", [sent_by(REQUIRED, 0, 1), signed(0, 0, 0, 0)].concat()),
        ("required-and-unknown", [login(REQUIRED, 0), found(0, 0).into()].concat()),
        ("accepted-bob-pinned", [sent(1, 2), signed(0, 1, 1, 1)].concat()),
        ("accepted-p384", [sent(0, 1), signed(0, 0, 0, 3)].concat()),
        ("pinned-to-another", [sent(0, 2), signed(0, 0, 0, 0)].concat()),
        ("of-another-login", [sent(0, 0), signed(0, 0, 0, 1)].concat()),
        ("of-a-stranger", [sent(0, 0), signed(0, 0, 0, 2)].concat()),
        ("other-transaction", [sent(0, 0), signed(1, 0, 0, 0)].concat()),
        ("other-number", [sent(0, 0), signed(0, 1, 0, 0)].concat()),
        ("one-bit-changed", [sent(0, 0), vec![4, 0, 1, 0, 0, 0, 0, 1, 0, 90, 1, STANDS]].concat()),
        ("not-signed", [sent(0, 0), signed(0, 0, 3, 0)].concat()),
        ("cancelled-on-the-phone", [sent(0, 0), fault(0, "")].concat()),
        ("fault", [sent(0, 0), fault(2, "Illegal msisdn")].concat()),
        ("no-json", [sent(0, 0), raw(0, b"<html>")].concat()),
        ("json", [sent(0, 0), raw(0, b"{\"MSS_SignatureResp\":{\"Status\":{}}}")].concat()),
        ("unreachable", [sent(0, 0), vec![5, 1, 7], b"refused".into()].concat()),
        ("lost", [sent(0, 0), vec![6, 5], b"reset".into()].concat()),
        ("timed-out", [sent(0, 0), vec![7, STANDS]].concat()),
        ("too-late", [sent(0, 0), signed(0, 0, 0, 0)[..8].into(), vec![4, 91]].concat()),
        (
            "another-year",
            [sent(0, 0), signed(0, 0, 0, 0)[..8].into(), vec![7, 0, 0, 0, 1, 0, 0, 0, 0]].concat(),
        ),
        ("end-of-time", [vec![0, 0, 0, 0, 0, 1, 8], found(0, 0).into(), SHOWN.into()].concat()),
        ("not-enrolled", [login(0, 0), vec![1, STANDS]].concat()),
        ("exempt", [login(1, 0), vec![1, STANDS]].concat()),
        ("unavailable", [login(2, 0), vec![2, 4], b"down".into()].concat()),
        ("cancelled", [login(3, 0), found(0, 0).into(), vec![8, STANDS]].concat()),
        ("out-of-order", [login(3, 0), SHOWN.into()].concat()),
        ("asynch-accepted", [polling(), status(0, 0, 0, 0), KEPT.into()].concat()),
        (
            "asynch-accepted-later",
            [polling(), status(0, 0, 3, 0), vec![9, 4, 1], status(0, 0, 1, 0), KEPT.into()].concat(),
        ),
        ("asynch-lost-poll", [polling(), vec![6, 0, STANDS], vec![9, 4, 1], status(0, 0, 0, 0)].concat()),
        ("asynch-other-poll", [polling(), status(1, 0, 0, 0)].concat()),
        ("asynch-other-number", [polling(), status(0, 1, 0, 0)].concat()),
        ("asynch-of-a-stranger", [polling(), status(0, 0, 0, 2)].concat()),
        ("asynch-too-late", [polling(), vec![9, 4, 91]].concat()),
        ("asynch-cancelled", [taken(), vec![8, STANDS]].concat()),
        ("elsewhere-accepted", [elsewhere(), status(0, 0, 0, 0), KEPT.into()].concat()),
        ("elsewhere-not-enrolled", [taken(), vec![10], vec![7; 24], vec![STANDS, 1, STANDS]].concat()),
        ("elsewhere-too-late", [taken(), vec![10], vec![7; 24], vec![4, 91]].concat()),
        ("any-entropy", [vec![2, 2], vec![5; 24], vec![2, 3], b"eve".into(), vec![0, 0, 0, STANDS]].concat()),
    ];
    for (name, story) in stories {
        write("machine", name, &story)?;
    }
    // The identifier of Alice's login, for a body that is written out.
    let [_, _, _, _, _, _, _, _, rest @ ..] = fixtures::ALICE_ENTROPY;
    let own = ApTransId::from_entropy(&rest);
    let mut body =
        response(json!({ "Base64Signature": BASE64_STANDARD.encode(fixtures::ALICE_SIGNATURE) }), "500", "S");
    body["MSS_SignatureResp"]["AP_Info"]["AP_TransID"] = own.as_str().into();
    // raw() leaves the clock to what follows.
    let answer = [raw(0, body.to_string().as_bytes()), vec![STANDS], KEPT.into()].concat();
    write("machine", "accepted-written-out", &[sent(0, 0), answer].concat())
}

fn prompts() -> io::Result<()> {
    let long = "ü€ç".repeat(40);
    let seeds: [(&str, &[&str]); 8] = [
        (
            "usual",
            &[
                "ACME: ",
                "{service} login of {user}? Code {txn}",
                "alice",
                "web1",
                "sshd",
                "192.0.2.7",
                "abcdefgh",
            ],
        ),
        ("no-space", &["ACME", "{txn}", "", "", "", "", ""]),
        (
            "hostile",
            &["ACME: ", "{user} {host} {txn}!", "a\nb\u{1b}[2J\u{202e}", "{txn}\0", "", "", "\u{7f}"],
        ),
        (
            "too-long",
            &["ACME: ", "{user}{host}{service}{rhost}{txn}{user}{host}", &long, &long, &long, &long, "zz"],
        ),
        ("two-units", &["€[]: ", "{{txn}", "", "", "", "", ""]),
        ("emoji", &["ACME 😀", "{user}{txn}{user}", "😀😀😀", "", "", "", "x"]),
        (
            "sudo",
            &[
                "ACME: ",
                "{program} as {target} on {host}: {command}? Code {txn}",
                "alice",
                "web1",
                "sudo",
                "",
                "abcdefgh",
                "root",
                "/usr/bin/apt",
                "/usr/bin/apt install vim",
            ],
        ),
        (
            "hostile-command",
            &[
                "ACME: ",
                "{command} as {target}? Code {txn}",
                "",
                "",
                "",
                "",
                "abcdefgh",
                "ro\"ot",
                "x\ny",
                "x\" as alice? Code 3D5K7P \u{201d}\u{2ba}\u{30b}``'' ü€ç",
            ],
        ),
    ];
    for (name, parts) in seeds {
        let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        write("prompt", name, &parts.join(&0xff))?;
    }
    Ok(())
}
