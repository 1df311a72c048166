//! A signature that the live service made in July 2024. It is public, but not ours to pass on: where it is not beside
//! the checkout, the tests say so and pass.

use std::{fs, path::PathBuf};

use super::{
    super::{TrustAnchors, check_signature, decode_base64},
    told, unix,
};

const TEXT: &str = "Test: Sign in from Postman?";
const WHEN: u64 = 1_719_909_000;

fn shared(name: &str) -> Option<String> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../shared/data/real-signature", name].iter().collect();
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    text
}

fn roots(name: &str) -> Option<TrustAnchors> {
    Some(TrustAnchors::from_pem(&shared(name)?).unwrap())
}

fn signature() -> Option<Vec<u8>> {
    Some(decode_base64(&shared("mid_ca4_ecdsa_p256_async_2024.b64")?).unwrap())
}

#[test]
fn it_verifies_on_its_day_with_its_root() {
    let (Some(cms), Some(root4), Some(root2)) =
        (signature(), roots("Swisscom_Root_CA_4.crt"), roots("Swisscom_Root_CA_2.crt"))
    else {
        return;
    };
    let mut both = root2.clone();
    both.extend(root4.clone());
    for anchors in [&root4, &both] {
        let signer = check_signature(&cms, TEXT, anchors, unix(WHEN)).unwrap();
        assert_eq!(signer.serial.as_str(), "MIDCHEO16P1O6E92");
        assert_eq!(signer.subject, "serialNumber=MIDCHEO16P1O6E92, CN=MIDCHEO16P1O6E92:PN");
        assert_eq!(signer.key, "EC P-256");
        assert_eq!(signer.not_after, unix(1_769_075_402));
    }
    let outcome =
        |text: &str, anchors: &TrustAnchors, at: u64| told(&check_signature(&cms, text, anchors, unix(at))).0;
    assert_eq!(outcome(TEXT, &root4, 1_790_000_000), "certificate-not-valid-now");
    assert_eq!(outcome(TEXT, &root2, WHEN), "untrusted-chain");
    assert_eq!(outcome(TEXT, &root2, 1_790_000_000), "untrusted-chain");
    assert_eq!(outcome(TEXT, &TrustAnchors::default(), WHEN), "untrusted-chain");
    assert_eq!(outcome("Test: Sign in from Postman!", &root4, WHEN), "wrong-content");
}

#[test]
fn its_bits_turned_make_no_other_signer() {
    let (Some(cms), Some(root4)) = (signature(), roots("Swisscom_Root_CA_4.crt")) else { return };
    super::flips::turn_bits(&cms, 151, |bytes| check_signature(bytes, TEXT, &root4, unix(WHEN)));
    for length in (0..cms.len()).step_by(13) {
        let result = check_signature(&cms[..length], TEXT, &root4, unix(WHEN));
        assert_eq!(told(&result).0, "malformed-signature", "cut after {length}");
    }
}
