//! Certificates and messages made by OpenSSL, which knows nothing of our reading of RFC 5652.
//!
//! Two hierarchies as the service's are built, one signed with RSASSA-PSS and one with ECDSA; all of it is made in a
//! directory that is gone when the tests start to look at it.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use super::{
    super::{Refused, Signer, TrustAnchors, check_signature},
    flips, forge,
    forge::TEXT,
    told,
};

const CONFIG: &str = "
[req]
distinguished_name = dn
[dn]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issuer]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
certificatePolicies = 0.4.0.2042.1.3
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
";

const PSS: &[&str] = &["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"];
const PSS_MESSAGE: &[&str] = &["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-1"];

/// A directory that goes away with its owner.
struct Workshop(PathBuf);

impl Workshop {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("mobileid-verify-{}", process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("openssl.cnf"), CONFIG).unwrap();
        fs::write(dir.join("text"), TEXT).unwrap();
        Self(dir)
    }

    fn openssl(&self, args: &[&str]) {
        let output = Command::new("openssl")
            .args(args)
            .current_dir(&self.0)
            .env_remove("OPENSSL_CONF")
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn key(&self, name: &str, algorithm: &str, option: &str) {
        let key = format!("{name}.key");
        self.openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", &key]);
    }

    /// `name`.pem, signed by `by`, or by itself where that is the same.
    fn certificate(&self, name: &str, subject: &str, section: &str, by: &str, options: &[&str]) {
        let (key, pem, csr) = (format!("{name}.key"), format!("{name}.pem"), format!("{name}.csr"));
        let (by_key, by_pem) = (format!("{by}.key"), format!("{by}.pem"));
        self.openssl(&[
            "req",
            "-new",
            "-config",
            "openssl.cnf",
            "-subj",
            subject,
            "-key",
            &key,
            "-out",
            &csr,
        ]);
        let mut args = vec!["x509", "-req", "-in", &csr, "-out", &pem, "-days", "30"];
        args.extend(["-extfile", "openssl.cnf", "-extensions", section]);
        match by == name {
            true => args.extend(["-signkey", &key]),
            false => args.extend(["-CA", &by_pem, "-CAkey", &by_key, "-CAcreateserial"]),
        }
        args.extend(options);
        self.openssl(&args);
    }

    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(&self.0, name)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Made {
    anchors: TrustAnchors,
    at: SystemTime,
    messages: HashMap<&'static str, Vec<u8>>,
}

impl Made {
    fn check(&self, message: &[u8]) -> Result<Signer, Refused> {
        check_signature(message, TEXT, &self.anchors, self.at)
    }
}

/// The command lines whose messages are good: name, key, options.
const GOOD: &[(&str, &str, &[&str])] = &[
    ("EC P-256", "p256", &["-md", "sha256"]),
    ("EC P-256 in BER", "p256", &["-md", "sha256", "-stream"]),
    ("EC P-256 with SHA-384", "p256", &["-md", "sha384"]),
    ("EC P-384", "p384", &["-md", "sha384"]),
    ("EC P-384 with SHA-256", "p384", &["-md", "sha256"]),
    ("EC without attributes", "p256", &["-md", "sha256", "-noattr"]),
    ("EC without attributes in BER", "p256", &["-md", "sha256", "-noattr", "-stream"]),
    ("EC by key identifier", "p256", &["-md", "sha256", "-keyid"]),
    ("RSA with SHA-256", "rsa", &["-md", "sha256"]),
    ("RSA with SHA-384", "rsa", &["-md", "sha384"]),
    ("RSA with SHA-512", "rsa", &["-md", "sha512"]),
    ("RSA in BER", "rsa", &["-md", "sha256", "-stream"]),
    ("RSA without attributes", "rsa", &["-md", "sha256", "-noattr"]),
    ("RSA by key identifier", "rsa", &["-md", "sha256", "-keyid"]),
    (
        "RSA-PSS with SHA-256",
        "rsa",
        &["-md", "sha256", PSS_MESSAGE[0], PSS_MESSAGE[1], PSS_MESSAGE[2], PSS_MESSAGE[3]],
    ),
    (
        "RSA-PSS with SHA-512",
        "rsa",
        &["-md", "sha512", PSS_MESSAGE[0], PSS_MESSAGE[1], PSS_MESSAGE[2], PSS_MESSAGE[3]],
    ),
    ("EC, chained by ECDSA", "ec-leaf", &["-md", "sha256"]),
];

/// Those whose messages are not, and why.
const BAD: &[(&str, &str, &[&str], &str)] = &[
    ("SHA-1", "rsa", &["-md", "sha1"], "weak-digest"),
    ("MD5", "rsa", &["-md", "md5"], "weak-digest"),
    ("SHA-224", "rsa", &["-md", "sha224"], "weak-digest"),
    ("SHA-3", "rsa", &["-md", "sha3-256"], "weak-digest"),
    ("no certificates", "p256", &["-md", "sha256", "-nocerts"], "no-signer-certificate"),
    ("two signers", "p256", &["-md", "sha256", "-signer", "rsa.pem", "-inkey", "rsa.key"], "signer-count"),
    (
        "PSS with the longest salt",
        "rsa",
        &["-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:-2"],
        "unsupported-key",
    ),
    ("ECDSA with SHA-512", "p256", &["-md", "sha512"], "unsupported-key"),
    ("P-521", "p521", &["-md", "sha512"], "unsupported-key"),
    ("RSA 1024", "rsa1024", &["-md", "sha256"], "unsupported-key"),
    ("another root of the same name", "elsewhere", &["-md", "sha256"], "untrusted-chain"),
    (
        "content type receipt",
        "p256",
        &["-md", "sha256", "-econtent_type", "1.2.840.113549.1.9.16.1.1"],
        "wrong-content",
    ),
];

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(make)
}

fn make() -> Made {
    let shop = Workshop::new();
    make_certificates(&shop);
    let mut anchors = TrustAnchors::from_pem(&String::from_utf8(shop.read("root.pem")).unwrap()).unwrap();
    anchors.extend(TrustAnchors::from_pem(&String::from_utf8(shop.read("ec-root.pem")).unwrap()).unwrap());
    let at = anchors.iter().map(super::Anchor::not_before).max().unwrap() + Duration::from_secs(86_400);
    let mut messages = HashMap::new();
    let lines = GOOD.iter().copied().chain(BAD.iter().map(|(name, key, args, _)| (*name, *key, *args)));
    for (name, key, args) in lines {
        messages.insert(name, sign(&shop, key, &[&["-nodetach"], args].concat()));
    }
    messages.insert("detached", sign(&shop, "p256", &["-md", "sha256"]));
    shop.openssl(&["crl2pkcs7", "-nocrl", "-certfile", "chain.pem", "-outform", "DER", "-out", "certs"]);
    messages.insert("certificates only", shop.read("certs"));
    shop.openssl(&[
        "cms",
        "-encrypt",
        "-binary",
        "-in",
        "text",
        "-outform",
        "DER",
        "-out",
        "enveloped",
        "rsa.pem",
    ]);
    messages.insert("enveloped", shop.read("enveloped"));
    openssl_takes_ours(&shop);
    Made { anchors, at, messages }
}

fn make_certificates(shop: &Workshop) {
    // The service's root has 8192 bits; a key of that size takes OpenSSL a minute.
    shop.key("root", "RSA", "rsa_keygen_bits:3072");
    shop.key("issuer", "RSA", "rsa_keygen_bits:2048");
    shop.key("rsa", "RSA", "rsa_keygen_bits:2048");
    shop.key("rsa1024", "RSA", "rsa_keygen_bits:1024");
    for name in ["p256", "ec-root", "ec-issuer", "ec-leaf", "elsewhere", "elsewhere-root"] {
        shop.key(name, "EC", "ec_paramgen_curve:P-256");
    }
    shop.key("p384", "EC", "ec_paramgen_curve:P-384");
    shop.key("p521", "EC", "ec_paramgen_curve:P-521");
    let person = "/serialNumber=MIDCHE0123456789/CN=MIDCHE0123456789:PN";
    shop.certificate("root", "/CN=Root", "root", "root", PSS);
    shop.certificate("issuer", "/CN=Issuer", "issuer", "root", PSS);
    for leaf in ["rsa", "rsa1024", "p256", "p384", "p521"] {
        shop.certificate(leaf, person, "leaf", "issuer", PSS);
    }
    shop.certificate("ec-root", "/CN=EC Root", "root", "ec-root", &[]);
    shop.certificate("ec-issuer", "/CN=EC Issuer", "issuer", "ec-root", &[]);
    shop.certificate("ec-leaf", person, "leaf", "ec-issuer", &[]);
    shop.certificate("elsewhere-root", "/CN=Root", "root", "elsewhere-root", &[]);
    shop.certificate("elsewhere", person, "leaf", "elsewhere-root", &[]);
    let chain =
        ["issuer.pem", "root.pem", "ec-issuer.pem", "elsewhere-root.pem"].map(|pem| shop.read(pem)).concat();
    fs::write(shop.path("chain.pem"), chain).unwrap();
}

fn sign(shop: &Workshop, key: &str, args: &[&str]) -> Vec<u8> {
    let (pem, key) = (format!("{key}.pem"), format!("{key}.key"));
    let line = ["cms", "-sign", "-binary", "-in", "text", "-outform", "DER", "-out", "message"];
    let line = [&line[..], &["-certfile", "chain.pem", "-signer", &pem, "-inkey", &key], args].concat();
    shop.openssl(&line);
    shop.read("message")
}

/// The hand-made messages are good in OpenSSL's eyes too: their stories start from a good message.
fn openssl_takes_ours(shop: &Workshop) {
    let forged = forge::Forge::good();
    fs::write(shop.path("forged"), forged.message()).unwrap();
    fs::write(shop.path("forged-root"), forged.root.to_der()).unwrap();
    shop.openssl(&["x509", "-inform", "DER", "-in", "forged-root", "-out", "forged-root.pem"]);
    let line = ["cms", "-verify", "-binary", "-inform", "DER", "-in", "forged", "-CAfile", "forged-root.pem"];
    let at = ["-purpose", "sslclient", "-attime", "1735689600", "-out", "said"];
    shop.openssl(&[&line[..], &at].concat());
    assert_eq!(shop.read("said"), TEXT.as_bytes());
}

#[test]
fn what_openssl_signs_is_taken() {
    let made = made();
    for (name, ..) in GOOD {
        let result = made.check(&made.messages[name]);
        assert_eq!(told(&result).0, "accepted", "{name}: {}", told(&result).1);
        let signer = result.unwrap();
        assert_eq!(signer.serial.as_str(), "MIDCHE0123456789", "{name}");
        let key = if name.starts_with("RSA") {
            "RSA 2048"
        } else if name.contains("P-384") {
            "EC P-384"
        } else {
            "EC P-256"
        };
        assert_eq!(signer.key, key, "{name}");
    }
}

#[test]
fn the_streams_of_openssl_are_not_der() {
    for (name, ..) in GOOD.iter().filter(|(name, ..)| name.ends_with("in BER")) {
        let message = &made().messages[name];
        assert_eq!(message[..2], [0x30, 0x80], "{name}");
        assert_eq!(told(&made().check(&[message, &[0, 0][..]].concat())).0, "malformed-signature", "{name}");
    }
}

#[test]
fn what_openssl_signs_badly_is_not() {
    let made = made();
    let others = [
        ("detached", "wrong-content"),
        ("certificates only", "signer-count"),
        ("enveloped", "malformed-signature"),
    ];
    for (name, outcome) in BAD.iter().map(|(name, _, _, outcome)| (*name, *outcome)).chain(others) {
        let (found, detail) = told(&made.check(&made.messages[name]));
        assert_eq!(found, outcome, "{name}: {detail}");
    }
}

#[test]
fn bits_of_a_stream_turned_make_no_other_signer() {
    let made = made();
    flips::turn_bits(&made.messages["EC P-256 in BER"], 97, |bytes| made.check(bytes));
    flips::turn_bits(&made.messages["RSA-PSS with SHA-256"], 193, |bytes| made.check(bytes));
}
