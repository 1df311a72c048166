//! What may be a root.

use super::{
    super::BadAnchor,
    TrustAnchors, base64,
    forge::{Forge, KEY_ENCIPHERMENT, rsa_key},
    unix,
};

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(der))
}

#[test]
fn a_file_holds_one_or_more_with_text_around() {
    let (first, mut second) = (Forge::good().root, Forge::good().root);
    second.serial = vec![9];
    let (first, second) = (pem(&first.to_der()), pem(&second.to_der()));
    let anchors = TrustAnchors::from_pem(&format!("# Root 1\n{first}\nRoot 2:\n{second}\n{first}")).unwrap();
    assert_eq!((anchors.len(), anchors.is_empty()), (2, false));
    let anchor = anchors.iter().next().unwrap();
    assert_eq!(anchor.subject(), "CN=Test Root");
    assert_eq!((anchor.not_before(), anchor.not_after()), (unix(1_704_067_200), unix(1_798_761_599)));
    assert!(anchor.is_valid_at(unix(1_798_761_599)) && !anchor.is_valid_at(unix(1_798_761_600)));
    assert_eq!(anchor.fingerprint(), *ring::digest::digest(&ring::digest::SHA256, anchor.der()).as_ref());
    let mut more = anchors.clone();
    more.extend(anchors);
    assert_eq!(more.len(), 2, "each counts once");
}

#[test]
fn what_is_no_root_is_refused_by_name() {
    let good = Forge::good();
    let refused =
        |der: Vec<u8>| TrustAnchors::from_pem(&[pem(&good.root.to_der()), pem(&der)].concat()).unwrap_err();
    assert!(matches!(refused(good.leaf.to_der()), BadAnchor::NoCa { .. }));
    let mut root = good.root.clone();
    root.basic = Some((false, None));
    assert!(matches!(refused(root.to_der()), BadAnchor::NoCa { .. }));
    root = good.root.clone();
    root.usage = Some(KEY_ENCIPHERMENT);
    assert!(matches!(refused(root.to_der()), BadAnchor::MayNotSign { .. }));
    root = good.root.clone();
    root.key = rsa_key(&[0xc1; 128]);
    assert_eq!(
        refused(root.to_der()).to_string(),
        "the certificate of CN=Test Root cannot be used: the RSA key has 1024 bits, not 2048 to 8192"
    );
    assert_eq!(refused(vec![0x30, 0]), BadAnchor::Unreadable);
    assert_eq!(refused([good.root.to_der(), vec![0]].concat()), BadAnchor::Unreadable);
    for empty in ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
        assert_eq!(TrustAnchors::from_pem(empty).unwrap_err(), BadAnchor::None);
    }
    for broken in
        ["-----BEGIN CERTIFICATE-----\nAAAA\n", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"]
    {
        assert!(matches!(TrustAnchors::from_pem(broken).unwrap_err(), BadAnchor::Pem(_)), "{broken}");
    }
}

#[test]
fn an_expired_root_does_not_hide_a_good_one() {
    let good = Forge::good();
    let mut expired = good.root.clone();
    expired.to = "240102000000Z";
    let mut anchors = TrustAnchors::from_der(expired.to_der()).unwrap();
    anchors.extend(good.anchors());
    assert!(super::check_signature(&good.message(), super::TEXT, &anchors, good.at).is_ok());
}
