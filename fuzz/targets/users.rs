//! Any text as the user table: everybody who is found stands in it with a whole number, and neither a mistake nor the
//! log ever shows one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::{
    directory::{Answer, file::UserTable},
    subscriber::{Msisdn, UserName},
};
use mobileid_fuzz::{ALICE_NUMBER, assert_told_well};

fuzz_target!(|text: &str| {
    let table = match UserTable::parse("u.toml", text) {
        Ok(table) => table,
        Err(mistakes) => {
            assert_told_well(&mistakes, "u.toml");
            let told = mistakes.0.iter().any(|mistake| mistake.what.contains(ALICE_NUMBER));
            assert!(!told, "a number is repeated: {mistakes}");
            return;
        }
    };
    assert_eq!(table.is_empty(), table.len() == 0);
    let mut found = std::collections::BTreeSet::new();
    for name in text.split(['[', ']', '.', '=', '"', '\'', '\n']).map(str::trim) {
        let Ok(name) = name.parse::<UserName>() else { continue };
        match table.lookup(&name) {
            Answer::Found(subscriber) => {
                let digits = subscriber.msisdn.digits();
                assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
                assert_eq!(digits.parse::<Msisdn>().as_ref(), Ok(&subscriber.msisdn));
                assert!(!format!("{} {:?}", subscriber.msisdn, subscriber.msisdn).contains(digits));
                found.insert(name);
            }
            Answer::NotEnrolled => {}
            other => panic!("a table that was read says {other:?}"),
        }
    }
    assert!(found.len() <= table.len());
});
