use super::*;

/// Different octets for each draw, from a counter.
fn entropy() -> impl FnMut() -> Option<[u8; 16]> {
    let mut count = 0u128;
    move || {
        count += 1;
        Some((count.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes())
    }
}

fn alice(count: usize) -> (Codes, Vec<String>) {
    let now = UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let (codes, paper) = Codes::create("alice".parse().unwrap(), count, now, entropy()).unwrap();
    (codes, paper.iter().map(|code| code.expose().to_owned()).collect())
}

fn at(boot: &str, secs: u64) -> Moment {
    Moment { boot: boot.into(), up: Duration::from_secs(secs) }
}

#[test]
fn a_code_is_easy_to_read_out() {
    let (codes, paper) = alice(3);
    assert_eq!(codes.left(), 3);
    for code in &paper {
        let groups: Vec<_> = code.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4, 4, 4], "{code}");
        assert!(groups.concat().bytes().all(|byte| ALPHABET.contains(&byte)), "{code}");
    }
    assert!(paper[0] != paper[1] && paper[1] != paper[2] && paper[0] != paper[2], "{paper:?}");
}

#[test]
fn each_code_is_good_once_however_it_is_typed() {
    let (mut codes, paper) = alice(5);
    let ways: [(&str, String); 5] = [
        ("as it stands", paper[2].clone()),
        ("in lower case", paper[0].to_lowercase()),
        ("without dashes", paper[4].replace('-', "")),
        ("with blanks", format!(" {}\t", paper[1].replace('-', "  "))),
        ("out of a text program", paper[3].replace('-', "\u{2013}")),
    ];
    for (left, (way, typed)) in (0..5).rev().zip(&ways) {
        assert_eq!(codes.redeem(typed), Ok(Redeemed { left }), "{way}");
        assert_eq!(codes.redeem(typed), Err(Rejected::Wrong), "{way}, again");
    }
    assert_eq!(codes.left(), 0);
    assert_eq!(codes.redeem(&paper[0]), Err(Rejected::Wrong));
}

#[test]
fn what_is_no_code_of_the_set_is_wrong() {
    let (mut codes, paper) = alice(1);
    let other = if paper[0].ends_with('3') { "4" } else { "3" };
    let near = format!("{}{other}", &paper[0][..paper[0].len() - 1]);
    let (longer, repeated, long) = (format!("{}3", paper[0]), paper[0].repeat(2), "-".repeat(65) + &paper[0]);
    for typed in ["", "-", "K7PX", "0OIL-0OIL-0OIL", "ſſſſ-ſſſſ-ſſſſ", &near, &longer, &repeated, &long]
    {
        assert_eq!(codes.redeem(typed), Err(Rejected::Wrong), "{typed:?}");
    }
    assert_eq!(codes.left(), 1);
}

#[test]
fn one_set_s_codes_are_not_another_s() {
    let (mut codes, _) = alice(1);
    let mut later = entropy();
    later();
    let (_, paper) = Codes::create("alice".parse().unwrap(), 1, UNIX_EPOCH, later).unwrap();
    assert_eq!(codes.redeem(paper[0].expose()), Err(Rejected::Wrong));
}

#[test]
fn the_hash_is_argon2id() {
    // What the reference implementation prints for
    // printf 34679CDFHJKM | argon2 abcdefghijklmnop -id -m 14 -t 2 -p 1 -l 32 -r
    let cost = Cost { kib: 1 << 14, passes: 2 };
    let codes = Codes { cost, salt: *b"abcdefghijklmnop", ..alice(1).0 };
    let hash = codes.hash(&Typed::read("3467-9CDF-HJKM").unwrap()).unwrap();
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "177af40ec47cbb082869a93ee9ea5349481fbf6cf6013fe0ed2348a2bb39c01c");
}

#[test]
fn there_are_neither_no_codes_nor_too_many_nor_any_without_randomness() {
    let create = |count, left| {
        let mut draws = 0;
        let few = move || {
            draws += 1;
            (draws <= left).then_some([7; 16])
        };
        Codes::create("alice".parse().unwrap(), count, UNIX_EPOCH, few).map(|_| ())
    };
    assert_eq!(create(0, 9), Err(NotMade::Count));
    assert_eq!(create(COUNT_MAX + 1, 99), Err(NotMade::Count));
    assert_eq!(create(1, 0), Err(NotMade::NoRandomness));
    assert_eq!(create(2, 2), Err(NotMade::NoRandomness));
    assert_eq!(create(1, 2), Ok(()));
}

#[test]
fn the_record_is_what_is_left() {
    let (mut codes, paper) = alice(2);
    codes.redeem(&paper[0]).unwrap();
    let mut again = Codes::decode(&codes.encode()).unwrap();
    assert_eq!(again, codes);
    assert_eq!((again.user().as_str(), again.left()), ("alice", 1));
    assert_eq!(again.created(), UNIX_EPOCH + Duration::from_secs(1_790_000_000));
    assert_eq!(again.redeem(&paper[0]), Err(Rejected::Wrong));
    assert_eq!(again.redeem(&paper[1]), Ok(Redeemed { left: 0 }));
    assert_eq!(Codes::decode(&again.encode()).map(|codes| codes.left()), Ok(0));
}

#[test]
fn the_largest_set_of_the_longest_name_fits_a_record() {
    let hashes = vec![[255; 32]; COUNT_MAX];
    let user: UserName = "\"".repeat(256).parse().unwrap();
    let codes = Codes { user, created: u64::MAX, hashes, ..alice(1).0 };
    assert_eq!(Codes::decode(&codes.encode()), Ok(codes.clone()), "{} octets", codes.encode().len());
}

#[test]
fn a_record_asks_for_nothing_unreasonable() {
    let text = String::from_utf8(alice(1).0.encode()).unwrap();
    let salt = BASE64_STANDARD.encode(alice(1).0.salt);
    assert!(Codes::decode(text.as_bytes()).is_ok());
    let many =
        format!("[{}]", vec![format!("\"{}\"", BASE64_STANDARD.encode([0; 32])); COUNT_MAX + 1].join(","));
    for (what, from, to) in [
        ("four gigabytes", "\"argon2id_kib\":19456", "\"argon2id_kib\":4194304"),
        ("a hash that is cheap to try", "\"argon2id_kib\":19456", "\"argon2id_kib\":8"),
        ("a day of it", "\"argon2id_passes\":2", "\"argon2id_passes\":4294967295"),
        ("no pass at all", "\"argon2id_passes\":2", "\"argon2id_passes\":0"),
        ("a number below zero", "\"argon2id_passes\":2", "\"argon2id_passes\":-2"),
        ("somebody without a name", "\"alice\"", "\"\""),
        ("a name that hides something", "\"alice\"", "\"al\u{202e}ice\""),
        ("a short salt", salt.as_str(), "AAAA"),
        ("another key", "\"created\"", "\"extra\":1,\"created\""),
        ("a key twice", "\"created\":1790000000", "\"created\":1790000000,\"created\":1790000000"),
        ("no codes", "\"hashes\"", "\"codes\""),
        ("a hash that is none", "\"hashes\":[\"", "\"hashes\":[\"A"),
        ("too many", &text[text.find("[\"").unwrap()..text.len() - 1], &many),
    ] {
        assert!(text.contains(from), "{what}: {from} is not in {text}");
        assert_eq!(Codes::decode(text.replacen(from, to, 1).as_bytes()), Err(NoRecord), "{what}");
    }
    for end in 0..text.len() {
        assert_eq!(Codes::decode(&text.as_bytes()[..end]), Err(NoRecord), "cut after {end}");
    }
}

#[test]
fn nothing_secret_shows_itself() {
    let (codes, paper) = alice(2);
    let record = String::from_utf8(codes.encode()).unwrap();
    assert_eq!(format!("{codes:?}"), "Codes { user: UserName(alice), left: 2, .. }");
    for code in &paper {
        assert!(!record.contains(code) && !record.contains(&code.replace('-', "")), "{record}");
    }
}

#[test]
fn five_tries_in_a_quarter_of_an_hour() {
    let mut tries = Tries::none(&"alice".parse().unwrap());
    for second in 0..5 {
        assert!(tries.count(&at("b1", 100 + second)), "try {second}");
    }
    // What follows from there: each line goes on from the record of these five.
    let five = tries.encode();
    for (what, now, may) in [
        ("by a process that read the clock before all of them", at("b1", 99), false),
        ("at once", at("b1", 105), false),
        ("a quarter of an hour after the first", at("b1", 1000), false),
        ("a second later", at("b1", 1001), true),
        ("after a boot", at("b2", 3), true),
    ] {
        let mut tries = Tries::decode(&five).unwrap();
        assert_eq!(tries.count(&now), may, "{what}");
        assert_eq!(tries.user(), "alice");
    }
    // A try that was not given is not counted: asking on and on does not keep the door shut.
    let mut tries = Tries::decode(&five).unwrap();
    for second in 105..900 {
        assert!(!tries.count(&at("b1", second)), "{second}");
    }
    assert!(tries.count(&at("b1", 1001)));
    assert!(Tries::decode(b"{}").is_err());
}
