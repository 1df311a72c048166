//! The Smart Registration Service: every state of its guide, every filter, and every no.

use std::io::Write;

use mobileid_simulator::{Behaviour, Evidence, IdentificationState as State, Jurisdiction};
use serde_json::{Value, json};

use crate::client::{Client, Response, receive};
use crate::support::{PATIENCE, Running};

const PROVIDER: &str = "application/vnd.sc.miss.provider.v1+json";
const EVIDENCE: &str = "application/vnd.sc.ras.evidence.v1+json";
// base64 of "simulator:simulator-secret"
const BASIC: &str = "Basic c2ltdWxhdG9yOnNpbXVsYXRvci1zZWNyZXQ=";
const GRANT: &str = "grant_type=client_credentials&scope=miss";

fn ask(url: &str, running: &Running, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut connection = Client::of(running.state_dir(), url).connect();
    let fields = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
    let length = body.len();
    let head = format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {length}\r\n\r\n");
    connection.get_mut().write_all((head + body).as_bytes()).unwrap();
    receive(&mut connection)
}

fn srs(running: &Running, line: &str, headers: &[(&str, &str)], body: &str) -> Response {
    ask(running.srs_url(), running, line, headers, body)
}

/// The value of Authorization.
fn token(running: &Running) -> String {
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let response = srs(running, "POST /oauth/token", &[("Authorization", BASIC), form], GRANT);
    let json = response.json();
    assert_eq!((response.status, &json["token_type"]), (200, &"bearer".into()), "{json}");
    format!("Bearer {}", json["access_token"].as_str().unwrap())
}

fn get(running: &Running, path: &str) -> Response {
    let (token, line) = (token(running), format!("GET {path}"));
    srs(running, &line, &[("Authorization", &token), ("Accept", PROVIDER)], "")
}

fn order(running: &Running, path: &str, person: &Value) -> Response {
    let (token, line) = (token(running), format!("POST /api/providers/{path}"));
    let headers = [("Authorization", token.as_str()), ("Content-Type", PROVIDER), ("Accept", PROVIDER)];
    srs(running, &line, &headers, &person.to_string())
}

fn verify(running: &Running, question: &Value) -> Response {
    let headers = [("Content-Type", EVIDENCE), ("Accept", EVIDENCE)];
    srs(running, "POST /api/evidences/verify", &headers, &question.to_string())
}

fn question(msisdn: &str, level: &str) -> Value {
    json!({
        "jurisdiction": "zertes",
        "distinguishedName": "cn=Eva Muster,givenname=Eva,surname=Muster,c=CH",
        "msisdn": msisdn,
        "assuranceLevel": level,
    })
}

fn said(response: &Response) -> (u16, String) {
    let json = response.json();
    let text = ["message", "error"].iter().find_map(|name| json[*name].as_str());
    (response.status, text.unwrap_or_else(|| panic!("{json}")).to_owned())
}

fn state(running: &Running, ref_id: &str) -> String {
    let json = get(running, &format!("/api/identifications/{ref_id}")).json();
    json["status"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

fn eva(msisdn: &str) -> Value {
    json!({ "firstName": "Eva", "lastName": "Muster", "dob": "1990-01-31", "mobile": msisdn, "country": "CH" })
}

#[test]
fn a_token_is_for_the_right_client_and_the_right_form() {
    let running = Running::shared();
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    for (headers, body, status, error) in [
        (&[form][..], GRANT, 401, "invalid_client"),
        // base64 of "simulator:wrong"
        (&[form, ("Authorization", "Basic c2ltdWxhdG9yOndyb25n")], GRANT, 401, "invalid_client"),
        (&[form, ("Authorization", "Basic ?")], GRANT, 401, "invalid_client"),
        (&[form, ("Authorization", BASIC)], "grant_type=password&scope=miss", 400, "unsupported_grant_type"),
        (&[form, ("Authorization", BASIC)], "grant_type=client_credentials", 400, "invalid_scope"),
        (&[("Authorization", BASIC)], GRANT, 415, "the token request is a form"),
    ] {
        let response = srs(&running, "POST /oauth/token", headers, body);
        assert_eq!(said(&response), (status, error.to_owned()));
        assert_eq!(response.header("WWW-Authenticate").is_some(), status == 401);
    }
    assert_eq!(srs(&running, "GET /oauth/token", &[], "").status, 405);
}

#[test]
fn nothing_is_told_without_a_token_that_is_still_good() {
    let running = Running::with(|_| {});
    let before = token(&running);
    let list = |headers: &[(&str, &str)]| srs(&running, "GET /api/providers", headers, "").status;
    assert_eq!(list(&[("Authorization", &before)]), 200);
    running.expire_tokens();
    assert_eq!(list(&[("Authorization", &before)]), 401);
    assert_eq!(list(&[("Authorization", "Bearer guessed")]), 401);
    assert_eq!(list(&[]), 401);
    let response = srs(&running, "GET /api/identifications/x", &[], "");
    assert_eq!(response.header("WWW-Authenticate"), Some("Bearer error=\"invalid_token\""));
    let after = token(&running);
    assert_eq!(list(&[("Authorization", &after), ("Accept", "text/html")]), 406);
    assert_eq!(srs(&running, "POST /api/providers", &[("Authorization", &after)], "").status, 405);
    assert_eq!(get(&running, "/api/nothing").status, 404);
}

#[test]
fn every_filter_of_the_guide_tells_methods_apart() {
    let running = Running::shared();
    let issuers = |query: &str| {
        let response = get(&running, &format!("/api/providers{query}"));
        let json = response.json();
        let list = json.as_array().unwrap_or_else(|| panic!("{json}"));
        list.iter().map(|method| method["issuer"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (video, bank, eid, post) = ("IDENTITY.TM", "KLARNA", "EIDENTITY", "POST");
    for (query, expected) in [
        ("", &[video, bank, eid, post][..]),
        ("?issuer=KLARNA&issuer=post", &[bank, post]),
        ("?issuer=KLARNA,POST", &[bank, post]),
        ("?issuer=NOBODY", &[]),
        ("?jurisdiction=EIDAS", &[video, bank]),
        ("?jurisdiction=CH&loa=4", &[video, eid, post]),
        ("?jurisdiction=EIDAS&jurisdiction=ZERTES&loa=LOA4", &[video, bank, eid, post]),
        ("?method=eID", &[eid]),
        ("?method=Bankident&offline=true", &[]),
        ("?offline=true", &[post]),
        ("?webflow=false", &[eid, post]),
        ("?realtime=true&webflow=true", &[video, bank]),
    ] {
        assert_eq!(issuers(query), expected, "{query}");
    }
    for (query, why) in [
        ("?colour=blue", "colour: there is no such filter"),
        ("?loa=2", "loa: \"2\" is no value of this filter"),
        ("?jurisdiction=US", "jurisdiction: \"US\" is no value of this filter"),
        ("?offline=maybe", "offline: \"maybe\" is no value of this filter"),
        ("?issuer=%zz", "the query is not well encoded"),
    ] {
        assert_eq!(said(&get(&running, &format!("/api/providers{query}"))), (400, why.to_owned()));
    }
}

#[test]
fn an_order_says_what_the_method_wants() {
    let running = Running::shared();
    let with = |field: &str, value: Value| {
        let mut person = eva("+41791110000");
        person[field] = value;
        person
    };
    let no_dob =
        json!({ "firstName": "Eva", "lastName": "Muster", "mobile": "+41791110000", "country": "CH" });
    for (path, person, status, why) in [
        ("NOBODY/Bank", eva("+41791110000"), 404, "there is no such issuer, or it has no such method"),
        ("KLARNA/Video", eva("+41791110000"), 404, "there is no such issuer, or it has no such method"),
        ("KLARNA/Bank", no_dob, 400, "dob is missing: this method wants it"),
        ("KLARNA/Bank", with("mobile", "0791110000".into()), 400, "mobile is no number"),
        ("KLARNA/Bank", with("email", "".into()), 400, "email is empty or no text"),
        ("KLARNA/Bank", with("dob", 1990.into()), 400, "dob is empty or no text"),
        ("KLARNA/Bank", with("shoeSize", "38".into()), 400, "shoeSize is no field of an order"),
        ("KLARNA/Bank", json!([]), 400, "the body is no JSON object"),
    ] {
        assert_eq!(said(&order(&running, path, &person)), (status, why.to_owned()));
    }
    let token = token(&running);
    let plain = [("Authorization", token.as_str()), ("Content-Type", "text/plain")];
    assert_eq!(srs(&running, "POST /api/providers/KLARNA/Bank", &plain, "{}").status, 415);
    // Video wants nothing: the person says it to the officer.
    let response = order(&running, "IDENTITY.TM/VIDEO%20IDENTITY.TM", &json!({}));
    assert_eq!(response.status, 201);
    assert!(response.json()["task"]["targetUrl"].as_str().unwrap().starts_with(running.srs_url()));
}

#[test]
fn an_identification_goes_through_every_state_and_its_evidence_counts_at_the_end() {
    let running = Running::shared();
    let msisdn = running.interactive();
    let response = order(&running, "KLARNA/Bank", &eva(&msisdn)).json();
    let ref_id = response["refId"].as_str().unwrap();
    let evidence = |level: &str| said_or_id(&verify(&running, &question(&msisdn, level)));
    for expected in ["INITIALIZED", "IDENTIFICATION_DONE", "DATA_READY", "TERMINATED"] {
        assert_eq!(state(&running, ref_id), expected);
        if expected != "TERMINATED" {
            assert_eq!(evidence("3"), "no evidence for this number");
            assert!(running.advance_identification(ref_id));
        }
    }
    assert_eq!(evidence("3"), "the person has not accepted the terms of use");
    assert!(running.advance_identification(ref_id), "the terms are accepted");
    assert!(evidence("3").starts_with("RAS"));
    assert_eq!(evidence("4"), "the evidence is of a lower level");
    assert!(!running.advance_identification(ref_id), "nothing more can become of it");
    assert!(!running.end_identification(ref_id, State::Error, None), "it has ended");
    let known = running.identifications();
    assert!(
        known.iter().any(|one| one.ref_id == ref_id && one.terms_accepted && one.state == State::Terminated)
    );
    running.remove_evidence(&msisdn);
    assert_eq!(evidence("3"), "no evidence for this number");
}

fn said_or_id(response: &Response) -> String {
    let json = response.json();
    let id = json["evidenceId"].as_str().filter(|_| response.status == 200);
    id.map_or_else(|| said(response).1, str::to_owned)
}

#[test]
fn a_slow_issuer_has_no_target_url_at_first() {
    let running = Running::shared();
    let response = order(&running, "POST/Counter", &eva(&running.interactive())).json();
    assert!(
        response["task"].get("targetUrl").is_none() && response["task"]["orderId"].is_string(),
        "{response}"
    );
    assert_eq!(state(&running, response["refId"].as_str().unwrap()), "CREATED");
}

#[test]
fn people_act_by_their_behaviour_and_answers_are_spoiled_by_it() {
    let running = Running::shared();
    for (behaviour, end) in
        [(Behaviour::Approve, "TERMINATED"), (Behaviour::Cancel, "IDENTIFICATION_NEGATIVELY_CONDUCTED")]
    {
        let msisdn = running.somebody(|subscriber| subscriber.behaviour = behaviour);
        let response = order(&running, "EIDENTITY/App", &json!({ "mobile": msisdn })).json();
        let outcome = format!("{} {end}", response["refId"].as_str().unwrap());
        running.wait_for_entry(|entry| entry.outcome.as_ref() == Some(&outcome), PATIENCE).unwrap();
    }
    let msisdn = running.somebody(|subscriber| subscriber.behaviour = Behaviour::Http503);
    let response = order(&running, "EIDENTITY/App", &json!({ "mobile": msisdn })).json();
    assert_eq!(
        get(&running, &format!("/api/identifications/{}", response["refId"].as_str().unwrap())).status,
        503
    );
}

#[test]
fn the_registration_authority_says_why_there_is_no_evidence() {
    let running = Running::shared();
    let msisdn = running.interactive();
    running.add_evidence(Evidence {
        id: "RAS1".to_owned(),
        msisdn: msisdn.clone(),
        name: ("Eva".to_owned(), "Muster".to_owned()),
        jurisdiction: Jurisdiction::Zertes,
        level: 4,
        terms_accepted: true,
    });
    let right = question(&msisdn, "4");
    assert_eq!(said_or_id(&verify(&running, &right)), "RAS1");
    let with = |changes: &[(&str, Value)]| {
        let mut question = right.clone();
        for (field, value) in changes {
            match value {
                Value::Null => question.as_object_mut().unwrap().remove(*field),
                value => question.as_object_mut().unwrap().insert((*field).to_owned(), value.clone()),
            };
        }
        question
    };
    let claimed = with(&[("jurisdiction", Value::Null), ("claimedIdentity", "simulator".into())]);
    assert_eq!(said_or_id(&verify(&running, &claimed)), "RAS1");
    for (question, status, why) in [
        (with(&[("distinguishedName", "gn=Eva,sn=M\\,uster".into())]), 404, "the name is another one"),
        (with(&[("jurisdiction", "eidas".into())]), 404, "no evidence under this law"),
        (with(&[("msisdn", "+41791119999".into())]), 404, "no evidence for this number"),
        (with(&[("msisdn", "079".into())]), 400, "msisdn is no number"),
        (with(&[("msisdn", Value::Null)]), 400, "msisdn is missing"),
        (with(&[("assuranceLevel", "5".into())]), 400, "assuranceLevel is neither 3 nor 4"),
        (with(&[("jurisdiction", "us".into())]), 400, "jurisdiction is neither"),
        (with(&[("jurisdiction", Value::Null)]), 400, "one of claimedIdentity and jurisdiction"),
        (with(&[("claimedIdentity", "simulator".into())]), 400, "one of claimedIdentity and jurisdiction"),
        (
            with(&[("jurisdiction", Value::Null), ("claimedIdentity", "other".into())]),
            403,
            "claimedIdentity is not known",
        ),
    ] {
        let (answered, said) = said(&verify(&running, &question));
        assert!(answered == status && said.starts_with(why), "{answered} {said}: {question}");
    }
}

#[test]
fn the_phone_pages_server_has_the_buttons() {
    let running = Running::with(|_| {});
    let response = order(&running, "EIDENTITY/App", &json!({ "mobile": running.interactive() })).json();
    let ref_id = response["refId"].as_str().unwrap();
    let curl = |path: &str, more: &[&str]| {
        let url = format!("{}{path}", running.phone_url());
        let output = crate::support::run("curl", &[&["--silent", "--noproxy", "*", &url], more].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let press = ["--request", "POST", "--header", "X-Phone: 1"];
    let all = curl("/api/identifications", &[]);
    assert_eq!((&all[0]["refId"], &all[0]["status"]), (&ref_id.into(), &"INITIALIZED".into()), "{all}");
    let path = |button: &str| format!("/api/identifications/{ref_id}/{button}");
    assert!(curl(&path("advance"), &press[..2])["error"].as_str().unwrap().contains("X-Phone"));
    assert_eq!(curl(&path("advance"), &press), json!({}));
    assert_eq!(state(&running, ref_id), "IDENTIFICATION_DONE");
    let failed = curl(&path("fail"), &[&press[..], &["--data", "{\"reason\":\"fraud suspicion\"}"]].concat());
    assert_eq!(failed, json!({}));
    let json = get(&running, &format!("/api/identifications/{ref_id}")).json();
    assert_eq!((&json["status"], &json["reason"]), (&"ERROR".into(), &"fraud suspicion".into()));
    assert!(curl(&path("refuse"), &press)["error"].is_string());
    assert_eq!(curl("/api/tokens/expire", &press), json!({}));
}
