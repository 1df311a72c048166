//! What an LDAP server sends: any bytes as a message, and behind a first zero byte any text as a filter with names put
//! into it.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use mobileid::{
    directory::{
        Answer,
        ldap::{
            Attributes, Bind, Ldap, Names, Resting, Scope, entry,
            filter::Template,
            message::{self, Body, MESSAGE_MAX},
        },
    },
    subscriber::Msisdn,
};
use mobileid_fuzz::assert_one_plain_line;

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, text)) => filter(text),
        _ => server(bytes),
    }
});

fn server(bytes: &[u8]) {
    match message::length(bytes) {
        Ok(Some(whole)) => assert!((2..=MESSAGE_MAX).contains(&whole)),
        Ok(None) => assert!(bytes.len() < 6),
        Err(bad) => assert_one_plain_line(&bad.to_string()),
    }
    let message = match message::decode(bytes) {
        Ok(message) => message,
        Err(bad) => return assert_one_plain_line(&bad.to_string()),
    };
    let Body::Entry(found) = message.body else { return };
    let read: usize = found.attributes.iter().flat_map(|a| &a.values).map(Vec::len).sum();
    assert!(read <= bytes.len(), "more came out than went in");
    for active_directory in [false, true] {
        let ldap = ldap(active_directory);
        let user = "alice".parse().expect("a name");
        match entry::read(&ldap, &user, &found, SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)) {
            Answer::Found(subscriber) => {
                let digits = subscriber.msisdn.digits();
                assert_eq!(digits.parse::<Msisdn>().as_ref(), Ok(&subscriber.msisdn));
                assert!(entry::is_of(&ldap, &user, &found));
                subscriber.groups.iter().for_each(|group| assert!(group.len() <= 256));
            }
            Answer::NotEnrolled => {}
            Answer::Barred(why) | Answer::Unusable(why) | Answer::Away(why) => assert_one_plain_line(&why),
        }
    }
}

fn ldap(active_directory: bool) -> Ldap {
    let name = |text: &str| Some(text.to_owned());
    Ldap {
        servers: Vec::new(),
        resting: Resting::default(),
        roots: Vec::new(),
        bind: Bind::Anonymous,
        base: "dc=x".into(),
        scope: Scope::Subtree,
        filter: "(uid={user})".parse().expect("a filter"),
        timeout: Duration::from_secs(1),
        attributes: Attributes {
            user: name("uid"),
            msisdn: vec!["mobile".into()],
            language: name("lang"),
            serial: name("serial"),
            profile: name("profile"),
            groups: name("memberOf"),
        },
        groups: None,
        active_directory,
        write_serial: false,
        default_country: name("41"),
    }
}

/// The names are 0xFF apart from the filter, and from each other.
fn filter(bytes: &[u8]) {
    let mut parts = bytes.split(|byte| *byte == 0xff).map(std::str::from_utf8);
    let Some(Ok(text)) = parts.next() else { return };
    let template: Template = match text.parse() {
        Ok(template) => template,
        Err(bad) => return assert_one_plain_line(&format!("{bad}")),
    };
    let mut name = || parts.next().and_then(Result::ok).unwrap_or_default();
    let filled = template.fill(&Names { user: name(), domain: name(), dn: name() });
    // One element, whatever the names were: its length is the rest.
    let octets = filled.octets();
    let skeleton = template.fill(&Names { user: "", domain: "", dn: "" });
    assert_eq!(octets.first(), skeleton.octets().first(), "a name changed what the filter asks for");
    let wrapped = [&[0x30][..], &length(octets.len()), octets].concat();
    assert_eq!(message::length(&wrapped).ok().flatten(), Some(wrapped.len()));
}

fn length(length: usize) -> Vec<u8> {
    [&[0x84][..], &u32::try_from(length).expect("a filter is short").to_be_bytes()].concat()
}
