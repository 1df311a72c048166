use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use mobileid_simulator::{Behaviour, IdentificationState, Subscriber};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    simulated::world,
    support::{Folder, Run, binary, ctl},
};

const PATIENCE: Duration = Duration::from_secs(20);

fn config() -> String {
    world().config(|config| config)
}

fn identify(arguments: &[&str]) -> Run {
    let run = ctl(&[&["identify"], arguments, &["--config", &config()]].concat());
    assert!(!format!("{run:?}").contains("simulator-secret"), "{run:?}");
    run
}

/// A person with a number of her own.
fn somebody(last: u32, behaviour: Behaviour) -> String {
    let mut subscriber = Subscriber::new(&format!("+4179200{last:04}")).unwrap();
    subscriber.behaviour = behaviour;
    let msisdn = format!("+{}", subscriber.msisdn);
    world().simulator.add_subscriber(subscriber);
    msisdn
}

/// Orders an identification at the bank, and gives its Ref ID.
fn ordered(msisdn: &str) -> String {
    let person = ["--first-name", "Eva", "--last-name", "Muster", "--born", "1990-12-31", "--country", "CH"];
    let run = identify(&[&["start", "KLARNA", "Bank", "--json", "--mobile", msisdn], &person[..]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let json = run.json();
    assert!(json["target_url"].as_str().unwrap().starts_with(world().simulator.srs_url()), "{json}");
    json["ref_id"].as_str().unwrap().to_owned()
}

fn verify(msisdn: &str, more: &[&str]) -> Run {
    let person = ["--first-name", "Eva", "--last-name", "Muster", "--country", "CH"];
    let run = identify(&[&["verify", "--mobile", msisdn], &person[..], more].concat());
    assert!(!format!("{run:?}").contains(msisdn), "a whole number: {run:?}");
    run
}

#[test]
fn methods_are_those_that_reach_what_the_configuration_asks_for() {
    let run = identify(&["methods"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 3, "{run:?}");
    assert!(!run.stdout.contains("KLARNA"), "reaches level 3 only under Swiss law: {run:?}");
    let video = "IDENTITY.TM   \"VIDEO IDENTITY.TM\"  Video, eidas and zertes, level 4, online, in a browser, at once";
    assert!(run.stdout.lines().any(|line| line == video), "{run:?}");
    for (arguments, issuers) in [
        (&["--all"][..], &["IDENTITY.TM", "KLARNA", "EIDENTITY", "POST"][..]),
        (&["--level", "3", "--type", "bankident"], &["KLARNA"]),
        (&["--jurisdiction", "EU"], &["IDENTITY.TM", "KLARNA"]),
        (&["--offline", "true"], &["POST"]),
        (&["--webflow", "no", "--real-time", "yes"], &["EIDENTITY"]),
        (&["--all", "--issuer", "POST", "--issuer", "KLARNA"], &["KLARNA", "POST"]),
    ] {
        let run = identify(&[&["methods", "--json"], arguments].concat());
        assert_eq!(run.code, 0, "{run:?}");
        let json = run.json();
        let found: Vec<_> =
            json["methods"].as_array().unwrap().iter().map(|m| m["issuer"].as_str().unwrap()).collect();
        assert_eq!(found, issuers, "{arguments:?}");
    }
    let none = identify(&["methods", "--issuer", "NOBODY"]);
    assert_eq!((none.code, none.stdout.as_str()), (1, ""), "{none:?}");
}

#[test]
fn a_person_is_identified_and_her_number_verified() {
    let msisdn = somebody(1, Behaviour::Interactive);
    assert_eq!(verify(&msisdn, &[]).code, 1, "nobody has identified her yet");
    let ref_id = ordered(&msisdn);
    let status = || identify(&["status", &ref_id]);
    let run = status();
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("initialized: the person can begin"), "{run:?}");
    assert!(run.stdout.contains("mobile      +4179*****01"), "{run:?}");
    for state in ["identification-done", "data-ready", "terminated"] {
        assert!(world().simulator.advance_identification(&ref_id));
        let run = status();
        assert_eq!(run.code, i32::from(state != "terminated"), "{run:?}");
        assert!(run.stdout.starts_with(&format!("{state}: ")), "{run:?}");
    }
    let run = verify(&msisdn, &["--level", "3"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stdout.contains("no valid evidence") && run.stdout.contains("not accepted the terms"),
        "{run:?}"
    );
    assert!(world().simulator.advance_identification(&ref_id), "she accepts the terms");
    let run = verify(&msisdn, &["--level", "3"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.starts_with("valid\n  evidence ID RAS"), "{run:?}");

    for (more, detail) in
        [(&[][..], "the evidence is of a lower level"), (&["--level", "3", "--jurisdiction", "eidas"], "")]
    {
        let run = verify(&msisdn, &[&["--json"], more].concat());
        assert_eq!(run.code, i32::from(!detail.is_empty()), "{run:?}");
        let json = run.json();
        assert_eq!(json["detail"].as_str().unwrap_or_default(), detail);
        assert_eq!(json["verdict"], if detail.is_empty() { "valid" } else { "without" });
        assert_eq!(json["mobile"], "+4179*****01");
    }
    let claimed = verify(&msisdn, &["--claimed-identity", "simulator", "--level", "3"]);
    assert_eq!(claimed.code, 0, "{claimed:?}");
    let other = somebody(2, Behaviour::Interactive);
    assert_eq!(verify(&other, &["--level", "3"]).code, 1, "the number of somebody else");
}

#[test]
fn users_are_found_in_the_table() {
    // What is known from the beginning: alice is of level 4, dave of level 3, ivan has not accepted the terms.
    let verify = |user: &str, first: &str| {
        let name = ["--first-name", first, "--last-name", "Muster", "--country", "CH"];
        identify(&[&["verify", "--json", "--user", user], &name[..]].concat())
    };
    assert_eq!(verify("alice", "Alice").code, 0);
    for (user, first, detail) in [
        ("alice", "Bob", "the name is another one than in the evidence"),
        ("dave", "Dave", "the evidence is of a lower level"),
        ("ivan", "Ivan", "the person has not accepted the terms of use"),
        ("bob", "Bob", "no evidence for this number"),
    ] {
        let run = verify(user, first);
        assert_eq!(run.code, 1, "{run:?}");
        let json = run.json();
        assert_eq!((json["reason"].as_str(), json["detail"].as_str()), (Some("no-evidence"), Some(detail)));
    }
    let unknown = verify("nobody", "Nobody");
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""), "{unknown:?}");
    assert!(unknown.stderr.contains("nobody: in no directory"), "{unknown:?}");
}

#[test]
fn a_wait_tells_each_state_and_ends_with_the_last() {
    let msisdn = somebody(3, Behaviour::Interactive);
    let ref_id = ordered(&msisdn);
    let config = config();
    let child = binary()
        .args(["identify", "status", &ref_id, "--wait", "--every", "1s", "--json", "--config", &config])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its token grows old on the way.
    world().simulator.expire_tokens();
    for _ in 0..3 {
        assert!(world().simulator.advance_identification(&ref_id));
    }
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(
        (run.json()["state"].as_str(), run.json()["ended"].as_bool()),
        (Some("terminated"), Some(true))
    );
    assert!(run.stderr.lines().last().unwrap().ends_with(" s  terminated"), "{run:?}");
}

#[test]
fn a_negative_end_is_a_no_with_its_reason() {
    let msisdn = somebody(4, Behaviour::Cancel);
    let ref_id = ordered(&msisdn);
    let run = identify(&["status", &ref_id, "--wait", "--every", "1s"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("negative: the person was not identified"), "{run:?}");
    let ref_id = ordered(&somebody(5, Behaviour::Interactive));
    let reason = Some("bad camera, see +41791234567\u{1b}[2J");
    assert!(world().simulator.end_identification(&ref_id, IdentificationState::Error, reason));
    let run = identify(&["status", &ref_id]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("reason      bad camera, see +41*******67\\u{1b}[2J"), "{run:?}");
}

#[test]
fn a_signal_gives_the_wait_up_soon() {
    let ref_id = ordered(&somebody(6, Behaviour::Interactive));
    let asked = || {
        let order = format!("{ref_id} INITIALIZED");
        world().simulator.wait_for_entry(|entry| entry.outcome.as_deref() == Some(order.as_str()), PATIENCE)
    };
    asked().unwrap();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut child = binary()
            .args([
                "identify",
                "status",
                &ref_id,
                "--wait",
                "--every",
                "10m",
                "--json",
                "--config",
                &config(),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first line says that it has asked, and now waits for ten minutes.
        let mut told = [0; 1];
        std::io::Read::read_exact(child.stderr.as_mut().unwrap(), &mut told).unwrap();
        let sent = Instant::now();
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        assert!(sent.elapsed() < Duration::from_secs(3), "{:?}", sent.elapsed());
        assert_eq!(run.code, 1, "{run:?}");
        assert_eq!(run.json()["state"], "initialized", "what was seen last is told");
        assert!(run.stderr.ends_with("given up\n"), "{run:?}");
    }
    let over = identify(&["status", &ref_id, "--wait", "--for", "1s", "--every", "1s"]);
    assert_eq!(over.code, 1, "{over:?}");
    assert!(over.stderr.ends_with("waited long enough\n"), "{over:?}");
}

#[test]
fn an_order_that_has_no_target_url_yet_is_an_order() {
    let msisdn = somebody(7, Behaviour::Interactive);
    let person = ["--first-name", "Eva", "--last-name", "Muster", "--mobile", &msisdn];
    let run = identify(&[&["start", "POST", "Counter"], &person[..]].concat());
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.contains("Ref ID      ref-") && !run.stdout.contains("  target URL"), "{run:?}");
    assert!(run.stderr.contains("no target URL"), "{run:?}");
}

#[test]
fn what_could_not_be_tried_is_no_answer() {
    let ref_id = ordered(&somebody(8, Behaviour::Interactive));
    for (arguments, says) in [
        (&["status", "ref-unknown"][..], "the service knows no such thing"),
        (&["start", "NOBODY", "Bank"], "there is no such issuer"),
        (&["start", "KLARNA", "Bank"], "firstName is missing: this method wants it"),
        (&["verify", "--name", "cn=Eva"], "whose number?"),
        (&["verify", "--name", "cn=E", "--mobile", "+41791234567", "--claimed-identity", "x"], "HTTP 403"),
    ] {
        let run = identify(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(says), "{run:?}");
    }
    for (from, to, says) in [
        (
            "client_id = \"simulator\"",
            "client_id = \"other\"",
            "compare srs.client_id and srs.client_secret_file",
        ),
        ("[srs]\nurl = \"https://127.0.0.1:", "[srs]\nurl = \"https://localhost.invalid:", "is not reached"),
        ("srs-client-secret", "client.key", "must have one line with the Client Secret"),
        ("server_trust = \"server-root.pem\"\n", "server_trust = \"signer-anchors.pem\"\n", "is not reached"),
    ] {
        // The last occurrence: [srs] stands at the end.
        let config = world().config(|config| {
            let (before, after) = config.rsplit_once(from).unwrap();
            [before, to, after].concat()
        });
        let run = ctl(&["identify", "status", &ref_id, "--config", &config]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(says), "{says}: {run:?}");
    }
    let folder = Folder::sound();
    let run = ctl(&["identify", "methods", "--config", &folder.text("mobileid.toml")]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("there is no section [srs]"), "{run:?}");
}

#[test]
fn answers_that_come_spoiled_are_none() {
    for (last, behaviour, says) in [
        (11, Behaviour::BrokenJson, "it is no JSON"),
        (12, Behaviour::DeepJson, "it is no JSON"),
        (13, Behaviour::HugeBody, "larger than 1 MiB"),
        (14, Behaviour::TlsReset, "gave no whole answer"),
        (15, Behaviour::Http503, "HTTP 503"),
    ] {
        let ref_id = ordered(&somebody(last, behaviour));
        let run = identify(&["status", &ref_id]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.contains(says), "{behaviour}: {run:?}");
    }
}
