use std::net::TcpListener;

use crate::{
    simulated::world,
    support::{Folder, Run, Server, ctl},
};

/// Runs a heartbeat that must fail, and gives its JSON too.
fn unhealthy(folder: &Folder, reason: &str, says: &[&str]) -> serde_json::Value {
    let run = folder.ctl("heartbeat", &[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with(&format!("unhealthy: {reason}")), "{run:?}");
    for part in says {
        assert!(run.stdout.contains(part), "{part:?} is missing: {run:?}");
    }
    let json = folder.ctl("heartbeat", &["--json"]);
    assert_eq!((json.code, json.stderr.as_str()), (1, ""), "{json:?}");
    assert_eq!(json.json()["verdict"], "unhealthy");
    json.json()
}

/// The configuration with the URL of this listener.
fn towards(listener: &TcpListener) -> Folder {
    let folder = Folder::sound();
    let url = format!("https://{}", listener.local_addr().unwrap());
    folder.edit("https://127.0.0.1:1", &url);
    folder
}

#[test]
fn a_closed_port_is_a_refusal_and_here_the_simulators() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = towards(&closed);
    drop(closed);
    let json =
        unhealthy(&folder, "unreachable-connect: ", &["refuses the connection", "is the simulator running"]);
    assert!(!json["hints"].to_string().contains("allow-list"), "{json}");
    assert_eq!(json["reason"], "unreachable-connect");
    assert_eq!(json["stages"][1]["ok"], false);
}

#[test]
fn a_listener_that_never_answers_is_no_tls() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = towards(&silent);
    let json = unhealthy(&folder, "unreachable-too-slow: ", &["but no TLS came up within 1 s"]);
    assert_eq!(json["stages"][1]["ok"], true, "{json}");
}

#[test]
fn a_name_that_is_none_is_named() {
    let folder = Folder::sound();
    // Longer than a label of a name may be: no resolver is asked.
    let name = "m".repeat(64) + ".invalid";
    folder.edit("https://127.0.0.1:1", &format!("https://{name}\"\nserver_name = \"mobileid.invalid"));
    unhealthy(&folder, "unreachable-name: ", &[&name, "/etc/resolv.conf"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named_as_one() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let folder = Folder::sound();
    folder.edit("[service]\n", &format!("[service]\nproxy = \"http://user:Swordfish@{address}\"\n"));
    unhealthy(&folder, "unreachable-connect: ", &["the proxy does not run"]);
    let run = folder.ctl("heartbeat", &[]);
    assert!(!format!("{run:?}").contains("Swordfish"));
}

/// A server whose certificate is issued by the folder's root, for this name.
fn server(folder: &Folder, root: &str, name: &str, more: &[&str]) -> Server {
    let names = format!("subjectAltName={name}\nextendedKeyUsage=serverAuth");
    folder.issued("server", "/CN=server", root, &names);
    let server = folder.tls_server(&[&["-cert", "server.crt", "-key", "server.key"], more].concat());
    folder.edit("https://127.0.0.1:1", &server.url);
    server
}

#[test]
fn a_server_below_another_root_is_told_from_one_of_another_name() {
    let folder = Folder::sound();
    folder.root("other", "/CN=Other Root");
    let _server = server(&folder, "other", "IP:127.0.0.1", &[]);
    unhealthy(&folder, "unreachable-tls: ", &["UnknownIssuer", "service.server_trust", "inspects TLS"]);

    let folder = Folder::sound();
    let _server = server(&folder, "root", "DNS:mobileid.swisscom.com", &[]);
    unhealthy(&folder, "unreachable-tls: ", &["is not for 127.0.0.1", "service.server_name"]);
}

#[test]
fn a_server_that_does_not_want_our_certificate_is_told() {
    // In TLS 1.3 it says so when the request is on its way: then nobody can say that it did not arrive.
    for (version, reason) in [("-tls1_2", "unreachable-tls"), ("-tls1_3", "answer-lost")] {
        let folder = Folder::sound();
        folder.root("other", "/CN=Other Root");
        let verify = ["-Verify", "1", "-verify_return_error", "-CAfile", "other.crt", version];
        let _server = server(&folder, "root", "IP:127.0.0.1", &verify);
        let says = ["the server does not want our certificate", "we sent CN=client.example, SHA-256 "];
        unhealthy(&folder, reason, &says);
    }
}

/// A heartbeat with the configuration of the simulator, edited.
fn heartbeat(edit: impl Fn(String) -> String, more: &[&str]) -> Run {
    let config = world().config(edit);
    ctl(&[&["heartbeat", "--config", &config], more].concat())
}

#[test]
fn a_healthy_service_is_healthy_and_tells_the_time() {
    let run = heartbeat(|config| config, &[]);
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stdout.starts_with("healthy: "), "{run:?}");
    // The service tells whole seconds, and on a busy machine they pass.
    assert!(["within a second", "2 s ahead"].iter().any(|c| run.stdout.contains(c)), "{run:?}");
    assert!(run.stderr.contains("as a healthy service does") && !run.stderr.contains("500"), "{run:?}");
    let json = heartbeat(|config| config, &["--json"]).json();
    assert_eq!(json["verdict"], "healthy");
    assert!((-1..=2).contains(&json["clock_ahead_s"].as_i64().unwrap()), "{json}");
    assert_eq!(json["stages"].as_array().unwrap().len(), 3);
    assert!(json["reason"].is_null());
}

#[test]
fn a_104_comes_with_all_its_causes() {
    let run = heartbeat(|config| config.replace("mid://simulator.example", "mid://other.example"), &[]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.starts_with("unhealthy: unauthorized-access (104): "), "{run:?}");
    for part in
        ["service.ap_id is \"mid://other.example\"", "registered our certificate", "a chain", "we sent CN="]
    {
        assert!(run.stdout.contains(part), "{part:?} is missing: {run:?}");
    }
    let other = |config: String| config.replace("mid://simulator.example", "mid://other.example");
    let json = heartbeat(other, &["--json"]).json();
    assert_eq!((json["reason"].as_str(), json["code"].as_u64()), (Some("unauthorized-access"), Some(104)));
}
