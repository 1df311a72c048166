//! Any text as mobileid.toml: used as it promises, or refused with every mistake told in one plain line that gives no
//! secret away.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::{
    config::{Endpoint, FileConfig},
    prompt::{Code, Values, compose},
    subscriber::{Language, Profile},
};
use mobileid_fuzz::{SECRET, assert_fits_the_phone, assert_one_plain_line, assert_told_well};

fuzz_target!(|text: &str| {
    let config = match FileConfig::parse("m.toml", text) {
        Ok(config) => config,
        Err(mistakes) => return assert_told_well(&mistakes, "m.toml"),
    };
    assert_one_plain_line(&config.ap.ap_id);
    assert!(!config.trust.is_empty());
    for profile in Profile::ALL {
        let (service, we) = config.timeouts.of(profile);
        assert!((1..300).contains(&service.as_secs()) && (2..=300).contains(&we.as_secs()) && service < we);
    }
    let again: Endpoint = format!("https://{}", config.url).parse().expect("an URL is read as it is shown");
    assert_eq!(again, config.url);
    if text.matches(SECRET).count() == 1 && config.ap.ap_pwd.expose() == SECRET {
        assert!(config.holds_secret);
        assert!(!format!("{config:?}").contains(SECRET));
    }
    let code = Code::from_entropy(&[7; 8]);
    let hostile = "ü\u{202e}\n{txn}".repeat(20);
    let values = Values { user: &hostile, host: &hostile, service: &hostile, rhost: "", code: &code };
    for language in Language::ALL {
        let text = compose(&config.prefix, config.templates.get(language), &values);
        assert_fits_the_phone(&text, &config.prefix.to_string(), code.as_str());
    }
});
