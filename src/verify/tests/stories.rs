//! One good message, bent in one place each time.

use std::time::{Duration, Instant};

use super::{
    super::{check_signature, der, signature},
    forge::*,
    told, unix,
};

pub(super) type Story = (&'static str, fn(&mut Forge), &'static str);

#[track_caller]
fn tell(stories: &[Story]) {
    for (story, bend, outcome) in stories {
        let mut forge = Forge::good();
        bend(&mut forge);
        let (found, detail) = told(&forge.check());
        assert_eq!(found, *outcome, "{story}: {detail}");
        let (again, known) = forge.check_again();
        assert_eq!(told(&again), (found, detail.clone()), "{story}: with {known} known issuers");
        assert!(detail.len() < 600, "{story}: {detail}");
    }
}

#[test]
fn what_is_good_in_more_than_one_way() {
    tell(&[
        ("as the live service writes it", |_| {}, "accepted"),
        ("ECDSA without NULL, as RFC 5758 wants it", |f| f.algorithm = algorithm(ECDSA_SHA256), "accepted"),
        ("a digest without NULL", |f| f.digest = algorithm(SHA256), "accepted"),
        ("no signed attributes", |f| f.attributes = None, "accepted"),
        ("the signer by key identifier", |f| f.by_key_id = Some(b"person"), "accepted"),
        ("attributes that stand unsorted, signed sorted", |f| attributes(f).reverse(), "accepted"),
        ("no nonce", |f| drop(attributes(f).remove(1)), "accepted"),
        ("the root is embedded too", |f| f.more.push(f.root.to_der()), "accepted"),
        ("another's certificate is embedded too", |f| f.more.push(stranger(f).to_der()), "accepted"),
        ("the serial is that of another issuer's too", |f| f.more.push(namesake(f)), "accepted"),
        ("no issuer between leaf and root", direct, "accepted"),
        ("no key usage anywhere", no_usage, "accepted"),
        ("no extended key usage", |f| (f.leaf.extended, f.issuer.extended) = (None, None), "accepted"),
        (
            "digitalSignature and more",
            |f| f.leaf.usage = Some(DIGITAL_SIGNATURE | KEY_ENCIPHERMENT),
            "accepted",
        ),
        ("an unknown extension, not critical", |f| f.leaf.unknown = Some(false), "accepted"),
        ("basic constraints without CA", |f| f.leaf.basic = Some((false, None)), "accepted"),
        (
            "the first second of the leaf",
            |f| (f.leaf.from, f.at) = ("250101000000Z", unix(1_735_689_600)),
            "accepted",
        ),
        ("the last second of all", |f| f.at = unix(1_798_761_599), "accepted"),
    ]);
}

#[test]
fn a_message_of_another_shape() {
    tell(&[
        (
            "no SignedData",
            |f| f.kind = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03],
            "malformed-signature",
        ),
        ("no signer", |f| f.signers = 0, "signer-count"),
        ("two signers", |f| f.signers = 2, "signer-count"),
        ("the content is elsewhere", |f| f.content = None, "wrong-content"),
        ("the content is empty", |f| f.content = Some(Vec::new()), "wrong-content"),
        (
            "the content is another text",
            |f| f.content = Some(b"ACME: log in to vpn2? (K7)".to_vec()),
            "wrong-content",
        ),
        ("the content goes on", |f| f.content = Some([TEXT, "\n"].concat().into()), "wrong-content"),
        ("the content begins right", |f| f.content = Some(TEXT.as_bytes()[..9].to_vec()), "wrong-content"),
        ("the content is no data", |f| f.content_kind = SIGNED_DATA, "wrong-content"),
        ("nine certificates", |f| f.more = vec![f.root.to_der(); 7], "malformed-signature"),
        ("a certificate of another kind", |f| f.more.push(der::wrap(0xa1, &[])), "malformed-signature"),
        ("a certificate that is none", |f| f.more.push(vec![0x30, 0]), "malformed-signature"),
        ("no certificate at all", |f| (f.with_leaf, f.with_issuer) = (false, false), "no-signer-certificate"),
        ("not the signer's certificate", |f| f.with_leaf = false, "no-signer-certificate"),
        ("the serial of another issuer's", only_namesake, "no-signer-certificate"),
        ("the signer's certificate twice", |f| f.more.push(f.leaf.to_der()), "no-signer-certificate"),
        ("a key identifier that none has", |f| f.by_key_id = Some(b"nobody"), "no-signer-certificate"),
        ("a key identifier that two have", two_of_one_key_id, "no-signer-certificate"),
        ("a key identifier, and none in the leaf", no_key_id, "no-signer-certificate"),
    ]);
}

#[test]
fn digests_attributes_and_signatures() {
    tell(&[
        ("SHA-1", |f| f.digest = algorithm_null(&[0x2b, 0x0e, 0x03, 0x02, 0x1a]), "weak-digest"),
        ("MD5", |f| f.digest = algorithm_null(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5]), "weak-digest"),
        ("SHA-256 with parameters", |f| f.digest = with_oid_parameters(SHA256), "weak-digest"),
        ("no contentType", |f| drop(attributes(f).remove(0)), "wrong-attributes"),
        ("two contentTypes", |f| attributes(f).push(content_type(DATA)), "wrong-attributes"),
        ("a contentType of two values", two_content_types, "wrong-attributes"),
        (
            "a contentType without value",
            |f| attributes(f)[0] = attribute_of(CONTENT_TYPE, &[]),
            "wrong-attributes",
        ),
        (
            "a contentType that is no OID",
            |f| attributes(f)[0] = attribute(CONTENT_TYPE, &[5, 0]),
            "wrong-attributes",
        ),
        ("another contentType", |f| attributes(f)[0] = content_type(SIGNED_DATA), "wrong-attributes"),
        ("no messageDigest", |f| drop(attributes(f).remove(2)), "wrong-attributes"),
        ("two messageDigests", |f| attributes(f).push(message_digest(b"other")), "wrong-attributes"),
        (
            "the same messageDigest twice",
            |f| attributes(f).push(message_digest(TEXT.as_bytes())),
            "wrong-attributes",
        ),
        (
            "the messageDigest of another text",
            |f| attributes(f)[2] = message_digest(b"other"),
            "wrong-attributes",
        ),
        ("no attribute in the attributes", |f| f.attributes = Some(Vec::new()), "wrong-attributes"),
        ("an attribute that is none", |f| attributes(f).push(vec![5, 0]), "malformed-signature"),
        ("signed as they stand, unsorted", unsorted, "bad-signature"),
        ("signed by another key", |f| f.signer = Who::Stranger, "bad-signature"),
        ("the leaf's key is another", |f| f.leaf.key = f.root.key.clone(), "bad-signature"),
        ("ECDSA with SHA-384 over SHA-256", |f| f.algorithm = algorithm(ecdsa(3)), "unsupported-key"),
        (
            "ECDSA with SHA-512",
            |f| (f.digest, f.algorithm) = (sha(3), algorithm(ecdsa(4))),
            "wrong-attributes",
        ),
        ("the same, no attributes", ecdsa_sha512, "unsupported-key"),
        (
            "ECDSA with SHA-1",
            |f| f.algorithm = algorithm(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01]),
            "unsupported-key",
        ),
        ("RSA's algorithm, an EC key", |f| f.algorithm = algorithm_null(RSA_SHA256), "unsupported-key"),
        ("ECDSA with parameters", |f| f.algorithm = with_oid_parameters(ECDSA_SHA256), "unsupported-key"),
        ("P-521", |f| f.leaf.key = ec_key(&[0x2b, 0x81, 0x04, 0, 0x23], &[4; 133]), "unsupported-key"),
        ("Ed25519", |f| f.leaf.key = ed25519(), "unsupported-key"),
        ("RSA 1024", |f| f.leaf.key = rsa_key(&[0xc1; 128]), "unsupported-key"),
        ("RSA 2047", |f| f.leaf.key = rsa_key(&[0x41; 256]), "unsupported-key"),
        ("RSA 16384", |f| f.leaf.key = rsa_key(&[0xc1; 2048]), "unsupported-key"),
        ("no key", |f| f.leaf.key = vec![0x30, 0], "malformed-signature"),
    ]);
}

#[test]
fn chains_that_lead_nowhere() {
    tell(&[
        ("the issuer is not there", |f| f.with_issuer = false, "untrusted-chain"),
        ("an issuer of the same name", |f| f.leaf.signer = Who::Stranger, "untrusted-chain"),
        ("a root of the same name", |f| f.issuer.signer = Who::Stranger, "untrusted-chain"),
        ("a leaf signed by itself", self_signed, "untrusted-chain"),
        ("the root signs the text", |f| (f.leaf, f.signer) = (f.root.clone(), Who::Root), "untrusted-chain"),
        ("the issuer signs the text", issuer_signs, "untrusted-chain"),
        ("the leaf is a CA", |f| f.leaf.basic = Some((true, None)), "untrusted-chain"),
        ("the issuer is no CA", |f| f.issuer.basic = Some((false, None)), "untrusted-chain"),
        ("the issuer has no basic constraints", |f| f.issuer.basic = None, "untrusted-chain"),
        ("the issuer may not sign certificates", |f| f.issuer.usage = Some(CRL_SIGN), "untrusted-chain"),
        ("a person issues a person", person_issues, "untrusted-chain"),
        ("the path is too long", too_long, "untrusted-chain"),
        ("the leaf is for servers", |f| f.leaf.extended = Some(SERVER_AUTH), "untrusted-chain"),
        ("the issuer is for servers", |f| f.issuer.extended = Some(SERVER_AUTH), "untrusted-chain"),
        ("the leaf only encrypts", |f| f.leaf.usage = Some(KEY_ENCIPHERMENT), "untrusted-chain"),
        ("the leaf only declares", |f| f.leaf.usage = Some(NON_REPUDIATION), "untrusted-chain"),
        ("a critical unknown in the leaf", |f| f.leaf.unknown = Some(true), "untrusted-chain"),
        ("a critical unknown in the issuer", |f| f.issuer.unknown = Some(true), "untrusted-chain"),
    ]);
}

#[test]
fn certificates_out_of_time() {
    tell(&[
        ("the leaf has expired", |f| f.leaf.to = "241231235959Z", "certificate-not-valid-now"),
        ("the leaf is not valid yet", |f| f.leaf.from = "250101000001Z", "certificate-not-valid-now"),
        ("the issuer has expired", |f| f.issuer.to = "241231235959Z", "certificate-not-valid-now"),
        ("the issuer is not valid yet", |f| f.issuer.from = "250101000001Z", "certificate-not-valid-now"),
        ("the root has expired", |f| f.root.to = "241231235959Z", "certificate-not-valid-now"),
        ("the root is not valid yet", |f| f.root.from = "250101000001Z", "certificate-not-valid-now"),
        ("all have expired", |f| f.at = unix(1_798_761_600), "certificate-not-valid-now"),
        (
            "the clock is before 1970",
            |f| f.at = unix(0) - Duration::from_secs(1),
            "certificate-not-valid-now",
        ),
        ("the clock is at 1970", |f| f.at = unix(0), "certificate-not-valid-now"),
        ("expired and from elsewhere", expired_elsewhere, "untrusted-chain"),
        ("expired, and the leaf is a CA", expired_ca, "untrusted-chain"),
        (
            "from and to are swapped",
            |f| (f.leaf.from, f.leaf.to) = (f.leaf.to, f.leaf.from),
            "untrusted-chain",
        ),
    ]);
}

#[test]
fn subjects_without_the_person() {
    tell(&[
        ("no serialNumber", |f| f.leaf.subject = vec![(CN, "MIDCHE0123456789:PN")], "no-serial"),
        ("two serialNumbers", |f| f.leaf.subject.push((SERIAL, "MIDCHE9876543210")), "no-serial"),
        ("the same serialNumber twice", |f| f.leaf.subject.push((SERIAL, "MIDCHE0123456789")), "no-serial"),
        ("an empty serialNumber", |f| f.leaf.subject[0].1 = "", "no-serial"),
        ("a serialNumber with a space", |f| f.leaf.subject[0].1 = "MIDCHE 0123456789", "no-serial"),
        ("a serialNumber with a line break", |f| f.leaf.subject[0].1 = "MIDCHE0123456789\n", "no-serial"),
        ("no subject", |f| f.leaf.subject.clear(), "no-serial"),
    ]);
}

/// Signatures without their message, trailing bytes, and nesting without end.
#[test]
fn bytes_before_their_meaning() {
    let forge = Forge::good();
    let (message, anchors) = (forge.message(), forge.anchors());
    let outcome = |bytes: &[u8]| told(&check_signature(bytes, TEXT, &anchors, forge.at));
    assert_eq!(outcome(&message).0, "accepted");
    for length in 0..message.len() {
        assert_eq!(outcome(&message[..length]).0, "malformed-signature", "cut after {length}");
    }
    assert_eq!(outcome(&[&message[..], &[0]].concat()).0, "malformed-signature");
    assert_eq!(outcome(&[&message[..], &message[..]].concat()).0, "malformed-signature");
    assert_eq!(outcome(&[0x30, 0x80].repeat(1000)).0, "malformed-signature");
    assert_eq!(outcome(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06]).0, "malformed-signature");
    assert_eq!(outcome(&vec![0x24; 1 << 20]).0, "malformed-signature");
    assert_eq!(outcome(&vec![0; (1 << 20) + 1]).0, "malformed-signature");
    // The most work for the rewriter: as many and as deep elements as fit.
    let many = [[0x30, 0x80].repeat(15), [0x30, 0x00].repeat(500_000), vec![0; 30]].concat();
    let started = Instant::now();
    assert_eq!(outcome(&many).0, "malformed-signature");
    assert!(started.elapsed() < A_WHILE, "{:?}", started.elapsed());
}

/// Far over what a slow machine needs unoptimised, far under what work without a bound takes.
const A_WHILE: Duration = Duration::from_secs(40);

/// Seven issuers that could each have issued each other: as many paths as a message can hold.
#[test]
fn a_maze_of_issuers_is_left_soon() {
    let maze = |root_is_in_it: bool| {
        let mut forge = Forge::good();
        let name = if root_is_in_it { "Test Root" } else { "Maze" };
        forge.with_issuer = false;
        forge.leaf.issuer = vec![(CN, name)];
        for number in 0..7 {
            let mut issuer = forge.issuer.clone();
            (issuer.subject, issuer.issuer, issuer.basic) =
                (vec![(CN, name)], vec![(CN, name)], Some((true, None)));
            (issuer.serial, issuer.key) = (vec![number + 1], rsa_key(&[number | 0x80; 1024]));
            forge.more.push(issuer.to_der());
        }
        forge
    };
    for root_is_in_it in [false, true] {
        let started = Instant::now();
        assert_eq!(told(&maze(root_is_in_it).check()).0, "untrusted-chain");
        assert!(started.elapsed() < A_WHILE, "{:?}", started.elapsed());
    }
}

#[test]
fn pss_parameters_are_those_of_the_digest() {
    let id = |hash: &[u8], mask: &[u8], salt: u8, more: &[u8]| {
        let mgf1 = [&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8][..], mask].concat();
        let parameters = [
            der::wrap(der::context(0), hash),
            der::wrap(der::context(1), &der::wrap(der::SEQUENCE, &mgf1)),
            der::wrap(der::context(2), &[der::INTEGER, 1, salt]),
            more.to_vec(),
        ];
        let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10].to_vec();
        der::wrap(der::SEQUENCE, &[oid, der::wrap(der::SEQUENCE, &parameters.concat())].concat())
    };
    let (sha256, sha384) = (algorithm_null(SHA256), sha(2));
    let usual_trailer = [0xa3, 3, 2, 1, 1];
    for (story, id, fits) in [
        ("as certificates have it", id(&sha256, &sha256, 32, &[]), true),
        ("without NULL", id(&algorithm(SHA256), &algorithm(SHA256), 32, &[]), true),
        ("the usual trailer, said aloud", id(&sha256, &sha256, 32, &usual_trailer), true),
        ("another trailer", id(&sha256, &sha256, 32, &[0xa3, 3, 2, 1, 2]), false),
        ("another hash", id(&sha384, &sha256, 32, &[]), false),
        ("another hash in MGF1", id(&sha256, &sha384, 32, &[]), false),
        ("a shorter salt", id(&sha256, &sha256, 20, &[]), false),
        ("something more", id(&sha256, &sha256, 32, &[5, 0]), false),
        ("no parameters: all SHA-1", algorithm(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]), false),
        ("NULL parameters", algorithm_null(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10]), false),
    ] {
        assert_eq!(signature::fits_pss_of_sha256(&id), fits, "{story}");
    }
}

const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];

fn attributes(forge: &mut Forge) -> &mut Vec<Vec<u8>> {
    forge.attributes.as_mut().unwrap()
}

/// ecdsa-with-SHA224 is 1, SHA256 is 2 and so on.
fn ecdsa(number: u8) -> &'static [u8] {
    [&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, number][..]].concat().leak()
}

/// SHA-256 is 1, SHA-384 2, SHA-512 3.
fn sha(number: u8) -> Vec<u8> {
    algorithm_null(&[&SHA256[..8], &[number]].concat())
}

fn with_oid_parameters(kind: &[u8]) -> Vec<u8> {
    let oid = der::wrap(der::OID, kind);
    der::wrap(der::SEQUENCE, &oid.repeat(2))
}

fn ed25519() -> Vec<u8> {
    let key = der::wrap(der::BIT_STRING, &[0; 33]);
    der::wrap(der::SEQUENCE, &[algorithm(&[0x2b, 0x65, 0x70]), key].concat())
}

fn stranger(forge: &Forge) -> Certificate {
    let mut stranger = forge.leaf.clone();
    (stranger.serial, stranger.key_id) = (vec![0x77], Some(&b"stranger"[..]));
    stranger.subject = vec![(SERIAL, "MIDCHE9999999999")];
    stranger
}

/// A certificate with the leaf's serial number by another issuer.
fn namesake(forge: &Forge) -> Vec<u8> {
    let mut namesake = forge.leaf.clone();
    namesake.issuer = vec![(CN, "Elsewhere")];
    namesake.to_der()
}

fn only_namesake(forge: &mut Forge) {
    forge.more.push(namesake(forge));
    forge.with_leaf = false;
}

fn direct(forge: &mut Forge) {
    forge.with_issuer = false;
    (forge.leaf.issuer, forge.leaf.signer) = (forge.root.subject.clone(), Who::Root);
}

fn no_usage(forge: &mut Forge) {
    (forge.leaf.usage, forge.issuer.usage, forge.root.usage) = (None, None, None);
}

fn two_of_one_key_id(forge: &mut Forge) {
    let mut twin = stranger(forge);
    twin.key_id = Some(b"person");
    forge.more.push(twin.to_der());
    forge.by_key_id = Some(b"person");
}

fn no_key_id(forge: &mut Forge) {
    forge.leaf.key_id = None;
    forge.by_key_id = Some(b"");
}

fn two_content_types(forge: &mut Forge) {
    let data = der::wrap(der::OID, DATA);
    attributes(forge)[0] = attribute_of(CONTENT_TYPE, &[&data, &data]);
}

fn unsorted(forge: &mut Forge) {
    attributes(forge).reverse();
    forge.unsorted = true;
}

fn ecdsa_sha512(forge: &mut Forge) {
    forge.attributes = None;
    (forge.digest, forge.algorithm) = (sha(3), algorithm(ecdsa(4)));
}

fn self_signed(forge: &mut Forge) {
    forge.with_issuer = false;
    (forge.leaf.issuer, forge.leaf.signer) = (forge.leaf.subject.clone(), Who::Person);
}

fn issuer_signs(forge: &mut Forge) {
    (forge.leaf, forge.signer, forge.with_issuer) = (forge.issuer.clone(), Who::Issuer, false);
    forge.leaf.usage = Some(DIGITAL_SIGNATURE | KEY_CERT_SIGN);
}

/// A person's certificate in the place of the issuer: what a thief of one phone's key could do.
fn person_issues(forge: &mut Forge) {
    let person = forge.leaf.clone();
    forge.more.push(person.to_der());
    forge.leaf = stranger(forge);
    forge.leaf.key = forge.root.key.clone();
    (forge.leaf.issuer, forge.leaf.signer, forge.signer) = (person.subject, Who::Person, Who::Root);
}

/// The issuer allows no issuer below itself.
fn too_long(forge: &mut Forge) {
    let mut between = forge.issuer.clone();
    (between.subject, between.issuer, between.signer) =
        (vec![(CN, "Between")], forge.issuer.subject.clone(), Who::Issuer);
    between.key = public_key(Who::Stranger);
    forge.more.push(between.to_der());
    (forge.leaf.issuer, forge.leaf.signer) = (between.subject, Who::Stranger);
}

fn expired_elsewhere(forge: &mut Forge) {
    forge.leaf.to = "241231235959Z";
    forge.issuer.signer = Who::Stranger;
}

fn expired_ca(forge: &mut Forge) {
    forge.leaf.to = "241231235959Z";
    forge.leaf.basic = Some((true, None));
}
