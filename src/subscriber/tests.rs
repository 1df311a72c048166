use super::*;
use crate::{login, memory};

#[test]
fn every_spelling_of_a_number_has_one_canonical_form() {
    for text in [
        "+41791234567",
        "0041791234567",
        "41791234567",
        "+41 79 123 45 67",
        " 0041-79-123-45-67 ",
        "41 79-123-45-67",
        "00 41 79 123 45 67",
    ] {
        assert_eq!(text.parse::<Msisdn>().unwrap().digits(), "41791234567", "{text}");
    }
}

#[test]
fn what_is_no_international_number_is_refused() {
    for (text, why) in [
        ("079 123 45 67", InvalidMsisdn::National),
        ("+0041791234567", InvalidMsisdn::National),
        ("+0791234567", InvalidMsisdn::National),
        ("", InvalidMsisdn::Length),
        ("+", InvalidMsisdn::Length),
        ("+41", InvalidMsisdn::Length),
        ("+4179123456789012", InvalidMsisdn::Length),
        ("+99999999999999999999999999999999999999", InvalidMsisdn::Length),
        ("++41791234567", InvalidMsisdn::Character),
        ("41+791234567", InvalidMsisdn::Character),
        ("+41 (0)79 123 45 67", InvalidMsisdn::Character),
        ("+41.79.123.45.67", InvalidMsisdn::Character),
        ("+41791234567\n", InvalidMsisdn::Character),
        ("+4179123456٧", InvalidMsisdn::Character),
        ("alice", InvalidMsisdn::Character),
    ] {
        assert_eq!(text.parse::<Msisdn>(), Err(why), "{text:?}");
    }
}

#[test]
fn a_number_is_masked_wherever_it_is_shown() {
    let number: Msisdn = "+41791234567".parse().unwrap();
    assert_eq!(number.to_string(), "+4179*****67");
    assert_eq!(format!("{number:?}"), "Msisdn(+4179*****67)");
    assert_eq!("+4179123".parse::<Msisdn>().unwrap().to_string(), "+4179*23");
}

#[test]
fn a_number_that_stands_for_a_name_is_masked_too_and_found_as_it_is() {
    let name = UserName::of_number("0041 79 123 45 67".parse().unwrap());
    assert_eq!(name.as_str(), "+41791234567");
    assert_eq!(name.number().unwrap().digits(), "41791234567");
    assert_eq!(name.to_string(), "+4179*****67");
    assert_eq!(format!("{name:?}"), "UserName(+4179*****67)");
    let plain: UserName = "+41791234567".parse().unwrap();
    assert_eq!(plain.number(), None);
    assert_eq!(name, plain);
    // What is shown alike is not the same.
    assert_ne!(name, UserName::of_number("+41798888867".parse().unwrap()));
}

#[test]
fn serial_numbers_are_compared_without_regard_to_case() {
    let upper: SerialNumber = "MIDCHEO16P1O6E92".parse().unwrap();
    let lower: SerialNumber = "midcheo16p1o6e92".parse().unwrap();
    let other: SerialNumber = "MIDCHEO16P1O6E93".parse().unwrap();
    assert_eq!(upper, lower);
    assert_ne!(upper, other);
    for bad in ["", "MID CHE", "MIDCHE\u{e9}", "MID\n", &"M".repeat(65)] {
        assert!(bad.parse::<SerialNumber>().is_err(), "{bad:?}");
    }
}

#[test]
fn a_user_name_has_no_hidden_characters() {
    assert_eq!("alice".parse::<UserName>().unwrap().as_str(), "alice");
    assert_eq!("ACME\\älice".parse::<UserName>().unwrap().as_str(), "ACME\\älice");
    for (name, why) in [
        ("", InvalidUserName::Empty),
        ("a\nb", InvalidUserName::Unprintable),
        ("a\u{202e}b", InvalidUserName::Unprintable),
        ("a\u{1b}[31m", InvalidUserName::Unprintable),
    ] {
        assert_eq!(name.parse::<UserName>(), Err(why));
    }
    assert_eq!("a".repeat(257).parse::<UserName>(), Err(InvalidUserName::TooLong));
}

#[test]
fn a_number_is_nowhere_shown_that_stands_for_a_person() {
    let number: Msisdn = "+41791234567".parse().unwrap();
    let entry = Entry { directory: "user-name".to_owned(), id: number.digits().to_owned() };
    let pin = memory::pin::Pin {
        entry: entry.id.clone(),
        user: UserName::of_number(number.clone()).as_str().to_owned(),
        serial: "MIDCHE1".parse().unwrap(),
        at: 0,
        by: memory::pin::By::Login,
    };
    let asked = login::Pin { user: UserName::of_number(number), entry, serial: pin.serial.clone() };
    let shown = format!("{asked:?} {pin:?}");
    assert!(shown.contains("MIDCHE1") && !shown.contains("1234567"), "{shown}");
}

#[test]
fn profiles_and_languages_read_what_they_write() {
    for profile in Profile::ALL {
        assert_eq!(profile.name().parse(), Ok(profile));
        assert_eq!(profile.uri().parse(), Ok(profile));
    }
    for language in Language::ALL {
        assert_eq!(language.wire().parse(), Ok(language));
        assert_eq!(language.wire().to_lowercase().parse(), Ok(language));
    }
    assert!("Any".parse::<Profile>().is_err());
    assert!("rm".parse::<Language>().is_err());
}

#[test]
fn what_stands_for_no_user_name_is_one() {
    for raw in ["", "\0", "a\u{202e}b", &"x".repeat(257), &"\u{10ffff}".repeat(300), &"\n".repeat(300)] {
        assert!(raw.parse::<UserName>().is_err(), "{raw:?}");
        let name = UserName::stand_in(raw);
        assert_eq!(name.as_str().parse(), Ok(name.clone()), "{raw:?}");
    }
    assert_eq!(UserName::stand_in("a\u{202e}b").as_str(), "a?b");
}
