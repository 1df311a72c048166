use super::{
    Why::{
        Client as WrongClient, Forbidden, Request as Malformed, Service, Token as Expired, TooMany, Unknown,
    },
    evidence::{Finding, Question, Refusal, require},
    identification::{Person, State},
    methods::{Filter, MethodType},
    *,
};
use crate::subscriber::{Language, Msisdn};

fn answer(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, date: None, body: body.as_bytes().to_vec() }
}

fn ok(body: &str) -> HttpResponse {
    answer(200, body)
}

fn token() -> Token {
    token::read(&ok(r#"{"access_token":"t0k.en"}"#)).unwrap()
}

fn number() -> Msisdn {
    "+41791234567".parse().unwrap()
}

fn zertes(level: Level) -> Needed {
    Needed { basis: Basis::Jurisdiction(Jurisdiction::Zertes), level }
}

fn question(needed: Needed) -> Question {
    let name = DistinguishedName::of(
        &"Alice".parse().unwrap(),
        &"O'Muster, Jr".parse().unwrap(),
        &"CH".parse().unwrap(),
    );
    Question { msisdn: number(), name, needed }
}

#[test]
fn a_token_is_asked_for_by_client_credentials() {
    let client = Client { id: "acme:1".into(), secret: Secret::new("s3cr+t%".into()) };
    let request = token::request(&client);
    assert_eq!((request.host, request.target.as_str()), (Host::Registration, "/oauth/token"));
    // base64 of "acme%3A1:s3cr%2Bt%25": the colon between them is the only one.
    let expected = "Basic YWNtZSUzQTE6czNjciUyQnQlMjU=";
    assert_eq!(request.authorization.as_ref().unwrap().expose(), expected);
    let body = request.body.as_ref().unwrap();
    assert_eq!(body.media_type, "application/x-www-form-urlencoded");
    assert_eq!(body.text.expose(), "grant_type=client_credentials&scope=miss");
    let shown = format!("{client:?} {request:?} {:?}", token());
    for secret in ["s3cr", "YWNt", "t0k.en"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn tokens_are_read_or_it_is_said_why_not() {
    let long = format!(r#"{{"access_token":"{}"}}"#, "x".repeat(9000));
    let missing = |field| Failure::Unreadable(Unreadable::Missing(field));
    let invalid = |field| Failure::Unreadable(Unreadable::Invalid(field));
    for (body, failure) in [
        ("{}", missing("access_token")),
        (r#"{"access_token":""}"#, missing("access_token")),
        (r#"{"access_token":7}"#, missing("access_token")),
        (r#"{"access_token":"a\r\nX-Evil: 1"}"#, invalid("access_token")),
        (r#"{"access_token":"a b"}"#, invalid("access_token")),
        (&long, invalid("access_token")),
        (r#"{"access_token":"a","token_type":"mac"}"#, invalid("token_type")),
        ("[]", Failure::Unreadable(Unreadable::NotAnObject)),
        ("<html>", Failure::Unreadable(Unreadable::NotJson)),
        (&"[".repeat(100_000), Failure::Unreadable(Unreadable::NotJson)),
        (&" ".repeat(BODY_MAX + 1), Failure::Unreadable(Unreadable::TooLarge)),
    ] {
        assert_eq!(token::read(&ok(body)).unwrap_err(), failure, "{}", body.get(..40).unwrap_or(body));
    }
    let token = token::read(&ok(
        r#"{"access_token":"a-._~+/=","token_type":"bearer","expires_in":"60","x":[1,{"y":2}]}"#,
    ))
    .unwrap();
    assert_eq!(token.bearer().expose(), "Bearer a-._~+/=");
}

#[test]
fn a_no_is_told_by_its_status_and_in_the_services_words() {
    for (status, of_token, of_others) in [
        (400, WrongClient, Malformed),
        (401, WrongClient, Expired),
        (403, WrongClient, Forbidden),
        (404, Unknown, Unknown),
        (415, Malformed, Malformed),
        (429, TooMany, TooMany),
        (301, Service, Service),
        (500, Service, Service),
        (503, Service, Service),
    ] {
        let response = answer(status, r#"{"message":"no +41791234567 here\u001b","error":"x"}"#);
        let refused =
            |why| Failure::Refused(Refused { why, status, detail: "no +41*******67 here\\u{1b}".into() });
        assert_eq!(token::read(&response).unwrap_err(), refused(of_token));
        assert_eq!(identification::read_status(&response).unwrap_err(), refused(of_others));
    }
    let oauth = answer(401, r#"{"error":"invalid_client","error_description":"Bad client credentials"}"#);
    let said = token::read(&oauth).unwrap_err().to_string();
    assert!(
        said.contains("srs.client_secret_file") && said.ends_with("(HTTP 401: Bad client credentials)"),
        "{said}"
    );
    let page = token::read(&answer(503, "<html>")).unwrap_err().to_string();
    assert!(page.ends_with("(HTTP 503)"), "{page}");
    let sentences: std::collections::HashSet<_> = Why::ALL.iter().map(|why| why.name()).collect();
    assert_eq!(sentences.len(), Why::ALL.len());
}

#[test]
fn every_filter_of_the_guide_is_in_the_query() {
    let all = Filter {
        issuers: vec!["KLARNA".parse().unwrap(), "IDENTITY.TM & Co".parse().unwrap()],
        jurisdictions: Jurisdiction::ALL.into(),
        level: Some(Level::Four),
        kind: Some(MethodType::EId),
        offline: Some(false),
        webflow: Some(true),
        real_time: Some(true),
    };
    let request = methods::request(&all, &token());
    assert_eq!(
        request.target,
        "/api/providers?jurisdiction=EIDAS&jurisdiction=ZERTES&loa=4&method=eID&issuer=KLARNA\
         &issuer=IDENTITY.TM%20%26%20Co&offline=false&webflow=true&realtime=true"
    );
    assert_eq!(request.accept, "application/vnd.sc.miss.provider.v1+json");
    assert_eq!(request.authorization.unwrap().expose(), "Bearer t0k.en");
    assert!(request.body.is_none());
    assert_eq!(methods::request(&Filter::default(), &token()).target, "/api/providers");
}

const LIST: &str = r#"[
  {"issuer":"IDENTITY.TM","method":"Video","methodType":"video","jurisdictions":["EIDAS","ZERTES"],"loa":4,
   "offline":false,"webflow":true,"realTime":true,"more":{"nobody":["knows"]}},
  {"issuer":"KLARNA","method":"Bank","methodType":"Bankident","jurisdiction":"EU","loas":["LOA3","LOA4"],
   "offline":"false"},
  {"issuer":"POST","method":"Office","methodType":"Counter","jurisdiction":["ch","mars"],"offline":true}
]"#;

#[test]
fn the_list_is_held_against_the_filter_once_more() {
    let names = |filter: &Filter| -> Vec<String> {
        let methods = methods::read(filter, &ok(LIST)).unwrap();
        methods.iter().map(|m| m.issuer.to_string()).collect()
    };
    let (identity, klarna, post) = ("IDENTITY.TM", "KLARNA", "POST");
    let with = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        names(&filter)
    };
    assert_eq!(names(&Filter::default()), [identity, klarna, post]);
    assert_eq!(with(&|f| f.issuers = vec!["klarna".parse().unwrap()]), [klarna]);
    assert_eq!(with(&|f| f.jurisdictions = vec![Jurisdiction::Zertes]), [identity, post]);
    // POST does not say which level it reaches, KLARNA not whether a browser is enough: that is for the service to say.
    assert_eq!(with(&|f| f.level = Some(Level::Three)), [klarna, post]);
    assert_eq!(with(&|f| f.kind = Some(MethodType::Video)), [identity]);
    assert_eq!(with(&|f| f.kind = Some("counter".parse().unwrap())), [] as [&str; 0]);
    assert_eq!(with(&|f| f.offline = Some(false)), [identity, klarna]);
    assert_eq!(with(&|f| f.webflow = Some(false)), [klarna, post]);
    assert_eq!(with(&|f| f.real_time = Some(true)), [identity, klarna, post]);

    let wrapped = format!(r#"{{"providers":{LIST}}}"#);
    let methods = methods::read(&Filter::default(), &ok(&wrapped)).unwrap();
    assert_eq!(methods[0].kind, Some(MethodType::Video));
    assert_eq!(methods[1].levels, [Level::Three, Level::Four]);
    assert_eq!(methods[2].jurisdictions, [Jurisdiction::Zertes]);
    assert_eq!(methods[2].kind.as_ref().unwrap().name(), "Counter");
}

#[test]
fn a_list_that_is_none_is_named() {
    let missing = |field| Failure::Unreadable(Unreadable::Missing(field));
    for (body, failure) in [
        ("{}", missing("providers")),
        (r#"{"providers":7}"#, missing("providers")),
        ("7", Failure::Unreadable(Unreadable::NotAnObject)),
        ("[7]", Failure::Unreadable(Unreadable::NotAnObject)),
        (r#"[{"method":"Bank"}]"#, missing("issuer")),
        (r#"[{"issuer":"KLARNA","method":null}]"#, missing("method")),
        (r#"[{"issuer":"..","method":"Bank"}]"#, Failure::Unreadable(Unreadable::Invalid("issuer"))),
    ] {
        assert_eq!(methods::read(&Filter::default(), &ok(body)).unwrap_err(), failure, "{body}");
    }
    assert_eq!(methods::read(&Filter::default(), &ok("[]")).unwrap(), []);
    let shown = methods::read(&Filter::default(), &ok("{}")).unwrap_err().to_string();
    assert!(shown.contains("it has no providers"), "{shown}");
}

#[test]
fn a_start_says_what_is_known_of_the_person_and_no_more() {
    let person = Person {
        first_name: Some("Alice".parse().unwrap()),
        last_name: Some("Müster".parse().unwrap()),
        born: Some("1990-12-31".parse().unwrap()),
        country: Some("CH".parse().unwrap()),
        mobile: Some(number()),
        email: Some("alice@corp.example".parse().unwrap()),
        language: Some(Language::De),
        external_id: Some("cost centre 7".parse().unwrap()),
    };
    let (issuer, method) = ("KLARNA".parse().unwrap(), "Bank / new".parse().unwrap());
    let request = identification::start(&issuer, &method, &person, &token());
    assert_eq!(request.target, "/api/providers/KLARNA/Bank%20%2F%20new");
    let body = request.body.as_ref().unwrap();
    assert_eq!(body.media_type, "application/vnd.sc.miss.provider.v1+json");
    assert_eq!(
        body.text.expose(),
        "{\"country\":\"CH\",\"dob\":\"1990-12-31\",\"email\":\"alice@corp.example\",\
         \"externalId\":\"cost centre 7\",\"firstName\":\"Alice\",\"language\":\"de\",\"lastName\":\"Müster\",\
         \"mobile\":\"+41791234567\"}"
    );
    let shown = format!("{person:?} {request:?}");
    for personal in ["Alice", "Müster", "1990", "alice@", "1234567"] {
        assert!(!shown.contains(personal), "{personal}: {shown}");
    }
    let nobody = identification::start(&issuer, &method, &Person::default(), &token());
    assert_eq!(nobody.body.unwrap().text.expose(), "{}");
}

#[test]
fn an_order_is_not_lost_for_what_is_missing_beside_its_ref_id() {
    let url = "https://id.example/t?x=1";
    for (body, order, target) in [
        (
            format!(r#"{{"refId":"r-1","task":{{"targetUrl":"{url}","orderId":"o-1"}}}}"#),
            Some("o-1"),
            Some(url),
        ),
        (format!(r#"{{"refId":"r-1","task":{{"url":"{url}"}},"orderId":7}}"#), Some("7"), Some(url)),
        (format!(r#"{{"refId":"r-1","task":"{url}"}}"#), None, Some(url)),
        (format!(r#"{{"refId":"r-1","targetUrl":"{url}","orderId":null}}"#), None, Some(url)),
        (r#"{"refId":"r-1"}"#.into(), None, None),
        (r#"{"refId":"r-1","task":{"targetUrl":"http://plain.example"}}"#.into(), None, None),
        (r#"{"refId":"r-1","task":{"targetUrl":"https://a b"}}"#.into(), None, None),
        (r#"{"refId":"r-1","task":[1]}"#.into(), None, None),
    ] {
        let started = identification::read_start(&answer(201, &body)).unwrap();
        assert_eq!(started.ref_id.as_str(), "r-1");
        assert_eq!(started.order_id.as_ref().map(OrderId::as_str), order, "{body}");
        assert_eq!(started.target_url.as_ref().map(TargetUrl::as_str), target, "{body}");
        assert!(!format!("{started:?}").contains("id.example"), "whoever has the URL can begin");
    }
    let missing = identification::read_start(&ok(r#"{"task":{}}"#)).unwrap_err();
    assert_eq!(missing, Failure::Unreadable(Unreadable::Missing("refId")));
}

#[test]
fn states_are_known_in_every_spelling_and_only_terminated_is_good() {
    let negative = ["IDENTIFICATION_NEGATIVELY_CONDUCTED", "Negative Identification"];
    for (spellings, state, ended) in [
        (&["Created", "CREATED"][..], State::Created, false),
        (&["Initialized", "INITIALISED"], State::Initialized, false),
        (&["Identification done", "IDENTIFICATION_DONE"], State::IdentificationDone, false),
        (&["Data ready", "DATA_READY", "dataReady"], State::DataReady, false),
        (&["Terminated", "TERMINATED"], State::Terminated, true),
        (&negative, State::Negative, true),
        (&["Error"], State::Error, true),
        (&["Parked\u{1b}"], State::Other("Parked\\u{1b}".into()), false),
        (&["NOT_TERMINATED"], State::Other("NOT_TERMINATED".into()), false),
    ] {
        for spelling in spellings {
            let body = serde_json::json!({ "status": spelling, "unknown": 1 }).to_string();
            let read = identification::read_status(&ok(&body)).unwrap();
            assert_eq!((&read.state, read.state.has_ended()), (&state, ended), "{spelling}");
        }
    }
    let whole = r#"{"issuer":"KLARNA","method":"Bank","mobile":"+41 79 123 45 67","status":"Error",
                    "reason":"bad camera, call +41791234567"}"#;
    let read = identification::read_status(&ok(whole)).unwrap();
    assert_eq!(read.mobile, Some(number()));
    assert_eq!(read.reason.as_deref(), Some("bad camera, call +41*******67"));
    let odd = identification::read_status(&ok(r#"{"issuer":{},"mobile":"?","status":"Created"}"#)).unwrap();
    assert_eq!((odd.issuer, odd.mobile), (None, None));
    for body in ["{}", r#"{"status":null}"#, r#"{"status":7}"#] {
        let failure = identification::read_status(&ok(body)).unwrap_err();
        assert_eq!(failure, Failure::Unreadable(Unreadable::Missing("status")));
    }
    let status = identification::status(&"a/../b".parse().unwrap(), &token());
    assert_eq!(status.target, "/api/identifications/a%2F..%2Fb");
}

#[test]
fn the_verify_call_names_number_person_and_level_and_carries_no_token() {
    let request = evidence::request(&question(zertes(Level::Four)));
    assert_eq!((request.host, request.target.as_str()), (Host::Evidence, "/api/evidences/verify"));
    assert!(request.authorization.is_none());
    let body = request.body.unwrap();
    assert_eq!(body.media_type, "application/vnd.sc.ras.evidence.v1+json");
    assert_eq!(
        body.text.expose(),
        "{\"jurisdiction\":\"zertes\",\"distinguishedName\":\"cn=Alice O'Muster\\\\, Jr,givenname=Alice,\
         surname=O'Muster\\\\, Jr,c=CH\",\"msisdn\":\"+41791234567\",\"assuranceLevel\":\"4\"}"
    );
    let claimed = Basis::ClaimedIdentity("acme-trial".parse().unwrap());
    let body = evidence::request(&question(Needed { basis: claimed, level: Level::Three })).body.unwrap();
    assert!(body.text.expose().starts_with("{\"claimedIdentity\":\"acme-trial\",\"distinguishedName\""));
    assert!(!body.text.expose().contains("jurisdiction"));
}

#[test]
fn only_a_yes_to_this_very_question_is_evidence() {
    let ask = question(zertes(Level::Four));
    let valid = [
        r#"{"evidenceId":"RAS0001"}"#,
        r#"{"evidenceId":"RAS0001","msisdn":"41791234567","assuranceLevel":"4","jurisdiction":"CH","x":1}"#,
    ];
    for body in valid {
        let Finding::Valid(evidence) = evidence::read(&ask, &ok(body)).unwrap() else { panic!("{body}") };
        assert_eq!(evidence.id().as_str(), "RAS0001");
        assert!(!format!("{evidence:?}").contains("1234567"));
    }
    for (status, body, refusal) in [
        (404, "", Refusal::NoEvidence),
        (409, "{}", Refusal::NoEvidence),
        (422, "<html>", Refusal::NoEvidence),
        (200, r#"{"evidenceId":"R","msisdn":"+41791234568"}"#, Refusal::OtherNumber),
        (200, r#"{"evidenceId":"R","msisdn":"+41791234567","mobile":"+41791234568"}"#, Refusal::OtherNumber),
        (200, r#"{"evidenceId":"R","assuranceLevel":3}"#, Refusal::LowerLevel),
        (200, r#"{"evidenceId":"R","assuranceLevel":4,"loa":3}"#, Refusal::LowerLevel),
        (200, r#"{"evidenceId":"R","loa":"LOA3"}"#, Refusal::LowerLevel),
        (200, r#"{"evidenceId":"R","jurisdiction":"eidas"}"#, Refusal::OtherBasis),
    ] {
        let found = evidence::read(&ask, &answer(status, body)).unwrap();
        assert_eq!(found, Finding::Without(refusal, String::new()), "{body}");
    }
    for (status, body, part) in [
        (200, "{}", "no evidenceId"),
        (200, r#"{"evidenceId":""}"#, "no evidenceId"),
        (200, r#"{"evidenceId":true}"#, "its evidenceId"),
        (200, r#"{"evidenceId":"R","msisdn":"abc"}"#, "its msisdn"),
        (200, r#"{"evidenceId":"R","assuranceLevel":"5"}"#, "its assuranceLevel"),
        (200, "", "no JSON"),
        (401, "", "HTTP 401"),
        (500, r#"{"evidenceId":"R"}"#, "HTTP 500"),
        (302, r#"{"evidenceId":"R"}"#, "HTTP 302"),
    ] {
        let failure = evidence::read(&ask, &answer(status, body)).unwrap_err().to_string();
        assert!(failure.contains(part), "{body}: {failure}");
    }
}

#[test]
fn a_number_is_entered_only_with_evidence_of_what_is_needed() {
    let evidence = |needed: Needed| match evidence::read(&question(needed), &ok(r#"{"evidenceId":"R"}"#)) {
        Ok(Finding::Valid(evidence)) => evidence,
        other => panic!("{other:?}"),
    };
    let (four, three) = (evidence(zertes(Level::Four)), evidence(zertes(Level::Three)));
    let claimed = Needed { basis: Basis::ClaimedIdentity("acme".parse().unwrap()), level: Level::Four };
    let other: Msisdn = "+41791234568".parse().unwrap();
    for (found, number, needed, outcome) in [
        (Some(&four), number(), zertes(Level::Four), Ok(())),
        (Some(&four), number(), zertes(Level::Three), Ok(())),
        (Some(&three), number(), zertes(Level::Three), Ok(())),
        (Some(&three), number(), zertes(Level::Four), Err(Refusal::LowerLevel)),
        (Some(&four), other, zertes(Level::Four), Err(Refusal::OtherNumber)),
        (Some(&four), number(), claimed, Err(Refusal::OtherBasis)),
        (
            Some(&four),
            number(),
            Needed { basis: Basis::Jurisdiction(Jurisdiction::Eidas), level: Level::Three },
            Err(Refusal::OtherBasis),
        ),
        (None, number(), zertes(Level::Three), Err(Refusal::NoEvidence)),
    ] {
        assert_eq!(require(found, &number, &needed), outcome, "{found:?} {needed:?}");
    }
    let names: std::collections::HashSet<_> = Refusal::ALL.iter().map(|refusal| refusal.name()).collect();
    assert_eq!(names.len(), Refusal::ALL.len());
}

#[test]
fn nonsense_stays_outside() {
    fn refuses<T: std::str::FromStr<Err = InvalidValue>>(texts: &[&str]) {
        for text in texts {
            let said = text.parse::<T>().err().unwrap_or_else(|| panic!("{text:?} was taken"));
            assert!(!said.to_string().is_empty());
        }
    }
    refuses::<Jurisdiction>(&["", "DE", "zert es", "eidas "]);
    refuses::<Level>(&["", "2", "5", "44", "LOA", "LOA 4", "é4"]);
    refuses::<RefId>(&["", " ", "a b", ".", "..", "ü", &"x".repeat(129)]);
    refuses::<Issuer>(&["", " x", "..", "a\nb", &"x".repeat(65)]);
    refuses::<PersonName>(&["", " ", "a\u{202e}b", &"x".repeat(101)]);
    refuses::<Country>(&["", "ch", "CHE", "C1", "Ü"]);
    refuses::<BirthDate>(&[
        "",
        "1990-13-01",
        "1990-02-30",
        "31.12.1990",
        "1990-1-1",
        "1700-01-01",
        "+1990-01-01",
    ]);
    refuses::<Email>(&["", "a", "a@b", "@b.example", "a@.example", "a@b.", "a@b@c.example", "a b@c.example"]);
    refuses::<TargetUrl>(&[
        "",
        "http://a.example",
        "https://",
        "https://a\nb",
        "https://a<b",
        "javascript:1",
    ]);
    refuses::<DistinguishedName>(&["", "Alice", "cn=\u{7}"]);
    assert_eq!("loa4".parse(), Ok(Level::Four));
    assert_eq!("Zertes".parse(), Ok(Jurisdiction::Zertes));
}
