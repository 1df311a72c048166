//! Any text as mobileid.toml: used as it promises, or refused with every mistake told in one plain line that gives no
//! secret away.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::{
    config::{Endpoint, FileConfig},
    prompt::{Code, Command, Values, compose},
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
    let command = Command { program: hostile.clone(), line: hostile.clone() };
    let values = Values {
        user: &hostile,
        host: &hostile,
        service: &hostile,
        rhost: "",
        target: &hostile,
        command: Some(&command),
        code: &code,
    };
    for templates in [&config.templates, &config.sudo, &config.su] {
        for language in Language::ALL {
            let text = compose(&config.prefix, templates.get(language), &values);
            assert_fits_the_phone(&text, &config.prefix.to_string(), code.as_str());
        }
    }
    if let Some(srs) = &config.srs {
        assert_one_plain_line(&srs.client_id);
    }
    let window = config.pam.push_window.as_secs();
    assert!((60..=24 * 3600).contains(&window) && (1..=20).contains(&config.pam.push_limit));
    assert!(config.pam.grace.is_none_or(|grace| (1..=12 * 3600).contains(&grace.as_secs())));
    assert!(config.pam.exempt.networks.iter().all(|network| network.prefix_len() > 0));
});
