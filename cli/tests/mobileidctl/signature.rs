use crate::support::{Folder, Run, ctl};

const TEXT: &str = "ACME: Log in as alice on host? Code 7XQ2";

/// A text signed by a person whom a root knows, as an evidence folder would hold it.
fn signed() -> Folder {
    let folder = Folder::new();
    folder.root("root", "/C=ch/CN=Test Root");
    folder.issued(
        "person",
        "/serialNumber=MIDCHE0123456789/CN=MIDCHE0123456789:PN",
        "root",
        "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth",
    );
    folder.write("text.txt", TEXT);
    let sign = ["cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-in", "text.txt"];
    let by = ["-signer", "person.crt", "-inkey", "person.key", "-outform", "DER", "-out", "signature.der"];
    folder.openssl(&[&sign[..], &by].concat());
    folder.openssl(&["base64", "-in", "signature.der", "-out", "signature.p7s"]);
    folder
}

fn verify(folder: &Folder, cms: &str, text: &str, trust: &str, more: &[&str]) -> Run {
    let (cms, trust) = (folder.text(cms), folder.text(trust));
    let arguments = ["signature", "verify", "--cms", &cms, "--text", text, "--trust", &trust];
    ctl(&[&arguments[..], more].concat())
}

#[test]
fn a_signature_is_accepted_in_every_form_it_may_have() {
    let folder = signed();
    folder.openssl(&["x509", "-in", "root.crt", "-outform", "DER", "-out", "root.der"]);
    std::fs::create_dir(folder.path("trust.d")).unwrap();
    folder.write("trust.d/root.CER", folder.read("root.der"));
    folder.write("trust.d/README", "not a certificate");
    for (cms, trust) in [
        ("signature.p7s", "root.crt"),
        ("signature.der", "root.crt"),
        ("signature.p7s", "root.der"),
        ("signature.p7s", "trust.d"),
    ] {
        let run = verify(&folder, cms, TEXT, trust, &["--json"]);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{cms} {trust}: {run:?}");
        let not_after = run.json()["not_after"].as_str().unwrap().to_owned();
        assert!(not_after.len() == 20 && not_after.ends_with('Z'), "{not_after}");
        let line = format!(
            "{{\"verdict\":\"accepted\",\"serial\":\"MIDCHE0123456789\",\
             \"subject\":\"serialNumber=MIDCHE0123456789, CN=MIDCHE0123456789:PN\",\
             \"not_after\":\"{not_after}\",\"key\":\"EC P-256\"}}\n"
        );
        assert_eq!(run.stdout, line);
    }
    let run = verify(&folder, "signature.p7s", TEXT, "root.crt", &["--serial", "midche0123456789"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("accepted\n  serial     MIDCHE0123456789\n"), "{run:?}");
}

#[test]
fn a_refusal_has_its_name() {
    let folder = signed();
    folder.root("other", "/C=ch/CN=Test Root");
    folder.write("garbage", "no signature");
    folder.write("binary", [0xff, 0xfe, 0x00]);
    let far = ["--at", "2100-01-01T00:00:00Z"];
    let other = ["--serial", "MIDCHE9999999999"];
    for (cms, text, trust, more, reason) in [
        ("signature.p7s", "ACME: something else", "root.crt", &[] as &[&str], "wrong-content"),
        ("signature.p7s", "-", "root.crt", &[], "wrong-content"),
        ("signature.p7s", TEXT, "other.crt", &[], "untrusted-chain"),
        ("signature.p7s", TEXT, "root.crt", &far, "certificate-not-valid-now"),
        ("signature.p7s", TEXT, "root.crt", &other, "serial-mismatch"),
        ("garbage", TEXT, "root.crt", &[], "malformed-signature"),
        ("binary", TEXT, "root.crt", &[], "malformed-signature"),
    ] {
        let run = verify(&folder, cms, text, trust, &[more, &["--json"]].concat());
        assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{reason}: {run:?}");
        let json = run.json();
        assert_eq!(json["reason"], reason, "{run:?}");
        assert_eq!(json["verdict"], "refused");
        assert_eq!(json.as_object().unwrap().len(), 3);
        assert!(run.stdout.starts_with("{\"verdict\":\"refused\",\"reason\":"), "{run:?}");
        let run = verify(&folder, cms, text, trust, more);
        assert_eq!(run.code, 1);
        assert!(run.stdout.starts_with(&format!("refused: {reason}: ")), "{run:?}");
    }
}

#[test]
fn unusable_arguments_are_no_refusal() {
    let folder = signed();
    folder.write("broken.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    folder.write("large", vec![b'A'; (16 << 20) + 1]);
    std::fs::create_dir(folder.path("empty.d")).unwrap();
    for (cms, trust, more) in [
        ("absent", "root.crt", &[] as &[&str]),
        ("large", "root.crt", &[]),
        ("empty.d", "root.crt", &[]),
        ("signature.p7s", "absent", &[]),
        ("signature.p7s", "empty.d", &[]),
        ("signature.p7s", "broken.pem", &[]),
        ("signature.p7s", "text.txt", &[]),
        ("signature.p7s", "person.crt", &[]),
        ("signature.p7s", "root.crt", &["--at", "yesterday"]),
        ("signature.p7s", "root.crt", &["--serial", "two words"]),
        ("signature.p7s", "root.crt", &["--serial", ""]),
    ] {
        let run = verify(&folder, cms, TEXT, trust, more);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{cms} {trust} {more:?}: {run:?}");
        assert!(!run.stderr.is_empty());
    }
}

#[test]
fn what_was_signed_cannot_command_the_terminal() {
    let folder = signed();
    folder.write("text.txt", "ACME: \u{1b}[2J\u{202e}");
    let sign = ["cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-in", "text.txt"];
    let by = ["-signer", "person.crt", "-inkey", "person.key", "-outform", "DER", "-out", "signature.der"];
    folder.openssl(&[&sign[..], &by].concat());
    for more in [&[] as &[&str], &["--json"]] {
        let run = verify(&folder, "signature.der", TEXT, "root.crt", more);
        assert_eq!(run.code, 1);
        assert!(!run.stdout.contains(['\u{1b}', '\u{202e}']), "{run:?}");
    }
}
