use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    simulated::world,
    support::{Folder, Run, binary, ctl},
};

fn login(config: &str, arguments: &[&str]) -> Run {
    let run = ctl(&[&["login", "--config", config, "--state", &state()], arguments].concat());
    assert!(!format!("{run:?}").contains("4179000"), "a whole number: {run:?}");
    run
}

fn config() -> String {
    world().config(|config| config)
}

/// Where these logins keep serial numbers: this host's own are not theirs to write.
fn state() -> String {
    world().simulator.state_dir().join("state").display().to_string()
}

#[test]
fn a_login_is_told_step_by_step() {
    let run = login(&config(), &["alice", "--service", "vpn"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("accepted: serialNumber=MIDCHE"), "{run:?}");
    for part in
        ["looked up: +4179*****01", "AP_TransID: mid-", "text on the phone: SIM: ", "(vpn)?", "waiting"]
    {
        assert!(run.stderr.contains(part), "{part:?} is missing: {run:?}");
    }
    assert!(!run.stderr.contains('\r'), "nobody watches: {run:?}");
    let mut texts = world().simulator.journal().into_iter().filter_map(|entry| entry.text);
    assert!(texts.any(|text| run.stderr.contains(&text)), "another text was on the phone: {run:?}");
}

#[test]
fn json_is_the_audit_record() {
    // A SIM takes one request at a time: each test has people of its own.
    let run = login(&config(), &["dave", "--json"]);
    assert_eq!(run.code, 0, "{run:?}");
    let json = run.json();
    assert_eq!((json["verdict"].as_str(), json["reason"].as_str()), (Some("accepted"), Some("verified")));
    assert_eq!(json["service"], "mobileidctl");
    assert_eq!(json["msisdn"], "+4179*****04");
    let run = login(&config(), &["status-501", "--json"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(
        (run.json()["reason"].as_str(), run.json()["code"].as_u64()),
        (Some("revoked-certificate"), Some(501))
    );
}

#[test]
fn denials_have_their_reason() {
    for (user, says) in [
        ("bob", "denied: user-cancel (401)\n"),
        ("nobody", "denied: not-enrolled\n"),
        ("other-serial", "denied: serial-mismatch\n"),
        ("wrong-text", "denied: wrong-content\n"),
        ("http-503", "denied: http-status (503)\n"),
    ] {
        let run = login(&config(), &[user]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.starts_with(says), "{run:?}");
        assert!(run.stdout.contains("user reads    Mobile ID: "), "{run:?}");
    }
}

#[test]
fn what_is_wrong_with_us_is_told_with_what_to_do() {
    for (from, to, reason, says) in [
        (
            "dtbd_prefix = \"SIM: \"",
            "dtbd_prefix = \"ACME: \"",
            "inappropriate-data (107)",
            &["service.dtbd_prefix, which is \"ACME: \"", "have Swisscom confirm the DTBD prefix"][..],
        ),
        (
            "mid://simulator.example",
            "mid://other.example",
            "unauthorized-access (104)",
            &["service.ap_id is \"mid://other.example\"", "we sent CN="],
        ),
    ] {
        let run = login(&world().config(|config| config.replace(from, to)), &["erin"]);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.starts_with(&format!("denied: {reason}\n")), "{run:?}");
        assert!(says.iter().all(|part| run.stdout.contains(part)), "{run:?}");
    }
}

#[test]
fn evidence_is_kept_and_verifies() {
    let folder = Folder::new();
    let evidence = folder.path("");
    let config = world().config(|c| c.replace("[users]", &format!("evidence = {evidence:?}\n[users]")));
    let run = login(&config, &["ivan", "--json"]);
    let id = run.json()["ap_trans_id"].as_str().unwrap().to_owned();
    let text = fs::read_to_string(folder.path(&format!("{id}.txt"))).unwrap();
    let (cms, trust) = (folder.text(&format!("{id}.p7s")), world().anchors());
    let verify = ctl(&["signature", "verify", "--cms", &cms, "--text", &text, "--trust", &trust, "--json"]);
    assert_eq!(verify.code, 0, "{verify:?}");
    assert_eq!(verify.json()["serial"], run.json()["serial"]);
}

#[test]
fn a_login_without_a_phone_says_so() {
    let config = world().config(|c| c.replace("[users]", "[users]\nunenrolled = \"allow\""));
    let run = login(&config, &["nobody"]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("let in without a phone: "), "{run:?}");
}

#[test]
fn a_signal_gives_the_login_up_soon() {
    // Two people: what is left on the phone of the first must not pass for the request to the second.
    for (signal, user, msisdn) in
        [(Signal::SIGINT, "carol", "+41790000003"), (Signal::SIGTERM, "heidi", "+41790000008")]
    {
        let child = binary()
            .args(["login", user, "--json", "--config", &config(), "--state", &state()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        world().simulator.wait_for_pending(msisdn, Duration::from_secs(20)).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let sent = Instant::now();
        kill(pid, signal).unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        // It takes a tick of 200 ms; the rest is for a machine that is busy. Nobody would answer for 80 s.
        assert!(sent.elapsed() < Duration::from_secs(3), "{:?}", sent.elapsed());
        assert_eq!(run.code, 1, "{run:?}");
        assert_eq!(run.json()["reason"], "cancelled");
    }
}
