//! What is remembered of issuers, and what must not be. That every other story ends the same with a known issuer is
//! for [`stories`](super::stories) to say.

use super::{
    super::der::{self, wrap},
    forge::*,
    stories::Story,
    told, unix,
};

/// Each with how many issuers are known after good messages, and what comes of this one then.
#[test]
fn a_known_issuer_counts_only_as_long_as_the_whole_path_would() {
    let table: [(Story, usize); 12] = [
        (("good", |_| {}, "accepted"), 1),
        (("the root is embedded too", |f| f.more.push(f.root.to_der()), "accepted"), 1),
        (("the issuer has expired since", |f| f.issuer.to = "241231235959Z", "certificate-not-valid-now"), 1),
        (("the root has expired since", |f| f.root.to = "241231235959Z", "certificate-not-valid-now"), 1),
        (("the clock was put back", |f| f.at = unix(1_600_000_000), "certificate-not-valid-now"), 1),
        (("the issuer is not embedded", |f| f.with_issuer = false, "untrusted-chain"), 1),
        (("a leaf that another signed", |f| f.leaf.signer = Who::Stranger, "untrusted-chain"), 1),
        (("one issuer more than it allows", longer, "untrusted-chain"), 1),
        (("a leaf for servers", |f| f.leaf.extended = Some(SERVER_AUTH), "untrusted-chain"), 1),
        (("an issuer for servers", |f| f.issuer.extended = Some(SERVER_AUTH), "untrusted-chain"), 0),
        (("a root that constrains names", |f| f.root.permits = Some(dns()), "accepted"), 0),
        (("an issuer that constrains names", |f| f.issuer.permits = Some(dns()), "accepted"), 0),
    ];
    for ((story, bend, outcome), issuers) in table {
        let mut forge = Forge::good();
        bend(&mut forge);
        let (again, known) = forge.check_again();
        assert_eq!((told(&again).0, known), (outcome, issuers), "{story}: {}", told(&again).1);
        assert_eq!(told(&forge.check()), told(&again), "{story}");
    }
}

/// Names that the root permits are asked for in every path, whoever was let in before.
#[test]
fn the_names_of_each_signer_are_held_against_the_roots_constraints() {
    let mut forge = Forge::good();
    forge.root.permits = Some(wrap(der::context(4), &name(&vec![(CN, "Somebody else")])));
    let (again, known) = forge.check_again();
    assert_eq!((told(&again).0, known), ("untrusted-chain", 0), "{}", told(&again).1);
}

#[test]
fn two_issuers_of_one_name_are_looked_at_anew() {
    let mut forge = Forge::good();
    let mut other = forge.issuer.clone();
    (other.serial, other.key) = (vec![9], public_key(Who::Stranger));
    forge.more.push(other.to_der());
    let (again, known) = forge.check_again();
    assert_eq!((told(&again).0, known), ("accepted", 1));
}

#[test]
fn a_copy_of_the_anchors_knows_nothing() {
    let forge = Forge::good();
    let anchors = forge.anchors();
    let message = forge.message();
    let check = || super::check_signature(&message, TEXT, &anchors, forge.at);
    assert!(check().is_ok() && check().is_ok());
    assert_eq!((anchors.known.len(), anchors.clone().known.len()), (1, 0));
}

/// Messages of sixty-five issuers in turn leave one behind, not sixty-five.
#[test]
fn no_more_is_remembered_than_there_is_room_for() {
    let forge = Forge::good();
    let anchors = forge.anchors();
    for _ in 0..65 {
        assert!(super::check_signature(&forge.message(), TEXT, &anchors, forge.at).is_ok());
    }
    assert_eq!(anchors.known.len(), 1);
}

/// A constraint that no Mobile ID certificate is touched by: they have no host names.
fn dns() -> Vec<u8> {
    wrap(0x82, b"acme.example")
}

/// An issuer below the known one, which allows none.
fn longer(forge: &mut Forge) {
    let mut between = forge.issuer.clone();
    (between.subject, between.issuer, between.signer) =
        (vec![(CN, "Between")], forge.issuer.subject.clone(), Who::Issuer);
    between.key = public_key(Who::Stranger);
    forge.more.push(between.to_der());
    (forge.leaf.issuer, forge.leaf.signer) = (between.subject, Who::Stranger);
}
