//! Any HTTP status and body as an answer of the Smart Registration Service, to each of its requests; and the first line
//! of the body as a name in a path. Evidence comes only out of a success that names it and contradicts nothing; nothing
//! that is shown is unprintable or a whole number; and a name stays one segment of its path.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mobileid::srs::{
    Basis, DistinguishedName, Failure, HttpResponse, Jurisdiction, Level, Needed, RefId, Token,
    evidence::{self, Finding, Question, require},
    identification::{self, Person, State},
    methods::{self, Filter},
    token,
};
use mobileid_fuzz::{ALICE_NUMBER, assert_one_plain_line};
use serde_json::Value;

static TOKEN: LazyLock<Token> = LazyLock::new(|| {
    let body = br#"{"access_token":"fuzz"}"#.to_vec();
    token::read(&HttpResponse { status: 200, date: None, body }).expect("a token")
});

static QUESTION: LazyLock<Question> = LazyLock::new(|| Question {
    msisdn: ALICE_NUMBER.parse().expect("a number"),
    name: "cn=Alice".parse::<DistinguishedName>().expect("a name"),
    needed: Needed { basis: Basis::Jurisdiction(Jurisdiction::Zertes), level: Level::Four },
});

fuzz_target!(|bytes: &[u8]| {
    let response = response(bytes);
    names(&response.body);
    let success = (200..300).contains(&response.status);

    match token::read(&response) {
        Ok(token) => {
            assert!(success && !format!("{token:?}").contains("fuzz"));
            let bearer =
                methods::request(&Filter::default(), &token).authorization.expect("it carries the token");
            assert!(
                bearer.expose().bytes().all(|b| b == b' ' || b.is_ascii_graphic()),
                "a header could be ended"
            );
        }
        Err(failure) => assert_told(&failure),
    }
    let filter =
        Filter { level: Some(Level::Four), jurisdictions: vec![Jurisdiction::Eidas], ..Filter::default() };
    match methods::read(&filter, &response) {
        Ok(found) => {
            assert!(success && found.iter().all(|method| filter.admits(method)));
            found.iter().for_each(|method| assert_one_plain_line(&format!("{method:?}")));
            let all =
                methods::read(&Filter::default(), &response).expect("without a filter it is the same list");
            assert!(all.len() >= found.len());
        }
        Err(failure) => assert_told(&failure),
    }
    match identification::read_start(&response) {
        Ok(started) => {
            assert!(success);
            assert_one_plain_line(&format!("{} {started:?}", started.ref_id));
            if let Some(url) = started.target_url {
                assert!(url.as_str().starts_with("https://"));
                assert_one_plain_line(&url.to_string());
            }
        }
        Err(failure) => assert_told(&failure),
    }
    match identification::read_status(&response) {
        Ok(found) => {
            assert!(success);
            assert_one_plain_line(&format!(
                "{} {:?}",
                found.state,
                found.reason.as_deref().unwrap_or_default()
            ));
            // A state that is not known never ends well.
            assert!(!matches!(found.state, State::Other(_)) || !found.state.has_ended());
            assert!(
                found.mobile.is_none_or(|number| !format!("{number} {number:?}").contains(number.digits()))
            );
        }
        Err(failure) => assert_told(&failure),
    }
    match evidence::read(&QUESTION, &response) {
        Ok(Finding::Valid(evidence)) => {
            assert!(success, "evidence out of HTTP {}", response.status);
            assert!(require(Some(&evidence), &QUESTION.msisdn, &QUESTION.needed).is_ok());
            let json: Value = serde_json::from_slice(&response.body).expect("evidence came out of no JSON");
            let id = match &json["evidenceId"] {
                Value::String(id) => id.clone(),
                Value::Number(number) => number.to_string(),
                other => panic!("an evidence named {other}"),
            };
            assert_eq!(evidence.id().as_str(), id);
            let numbers = ["msisdn", "mobile"].into_iter().filter_map(|name| json[name].as_str());
            for number in numbers.filter(|number| !number.is_empty()) {
                assert_eq!(number.parse().as_ref(), Ok(&QUESTION.msisdn), "evidence of another number");
            }
            assert!(!["assuranceLevel", "loa"].iter().any(|name| json[name] == "3"), "of a lower level");
        }
        Ok(Finding::Without(_, detail)) => assert_one_plain_line(&detail),
        Err(failure) => assert_told(&failure),
    }
});

fn response(bytes: &[u8]) -> HttpResponse {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let status =
        end.and_then(|end| std::str::from_utf8(&bytes[..end]).ok()).and_then(|line| line.parse().ok());
    match (status, end) {
        (Some(status), Some(end)) => HttpResponse { status, date: None, body: bytes[end + 1..].to_vec() },
        _ => HttpResponse { status: 200, date: None, body: bytes.to_vec() },
    }
}

fn assert_told(failure: &Failure) {
    assert_one_plain_line(&failure.to_string());
    assert!(!failure.to_string().contains(ALICE_NUMBER), "a whole number: {failure}");
}

/// A name from outside does not change which path is asked.
fn names(body: &[u8]) {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(text) = std::str::from_utf8(line) else { return };
    if let (Ok(issuer), Ok(method)) = (text.parse(), text.parse()) {
        let target = identification::start(&issuer, &method, &Person::default(), &TOKEN).target;
        let rest = target.strip_prefix("/api/providers/").expect("the path is ours");
        assert_eq!(rest.split('/').count(), 2, "{target}");
        assert_encoded(rest);
    }
    if let Ok(ref_id) = text.parse::<RefId>() {
        let target = identification::status(&ref_id, &TOKEN).target;
        let rest = target.strip_prefix("/api/identifications/").expect("the path is ours");
        assert_eq!(rest.split('/').count(), 1, "{target}");
        assert_encoded(rest);
    }
}

fn assert_encoded(path: &str) {
    for segment in path.split('/') {
        assert!(!matches!(segment, "" | "." | ".."), "{path}");
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~%".contains(&b);
        assert!(segment.bytes().all(plain), "{path}");
    }
}
