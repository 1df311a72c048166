//! The program: its ready line, its folder, how it ends, and what it refuses to start with.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mobileid_simulator::{Behaviour, Options, Simulator};
use serde_json::Value;

use crate::client::{Client, certificates};
use crate::signatures::{cms, verify};
use crate::support::{Folder, run, sign_request};

struct Program {
    child: Child,
    url: String,
    phone: String,
    srs: String,
}

impl Program {
    fn start(state: &Path, more: &[&str]) -> Program {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mobileid-simulator"))
            .args(["--listen", "127.0.0.1:0", "--phone", "127.0.0.1:0", "--state"])
            .arg(state)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let rest = line.strip_prefix("ready service=").unwrap_or_else(|| panic!("{line:?}"));
        let (url, rest) = rest.trim_end().split_once(" phone=").unwrap();
        let (phone, srs) = rest.split_once(" srs=").unwrap();
        Program { url: url.to_owned(), phone: phone.to_owned(), srs: srs.to_owned(), child }
    }

    fn signal(&self, name: &str) {
        assert!(run("sh", &["-c", &format!("kill -{name} {}", self.child.id())]).status.success());
    }

    /// Waits for the end and returns what else was printed.
    fn ended(mut self) -> String {
        assert!(self.child.wait().unwrap().success());
        let mut rest = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The stderr of a start that fails.
fn refusal(arguments: &[&str]) -> String {
    let output = run(env!("CARGO_BIN_EXE_mobileid-simulator"), arguments);
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_client_finds_everything_in_the_folder_and_curl_can_use_it() {
    let folder = Folder::new();
    let program = Program::start(&folder, &[]);
    assert!(program.url.starts_with("https://127.0.0.1:") && program.phone.starts_with("http://127.0.0.1:"));
    let mode = |name: &str| std::fs::metadata(folder.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    for name in [
        "mobileid.toml",
        "client.key",
        "srs-client-secret",
        "users.toml",
        "journal.jsonl",
        "pki/signer-root.key",
    ] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    let config: toml::Table = std::fs::read_to_string(folder.join("mobileid.toml")).unwrap().parse().unwrap();
    assert_eq!(config["service"]["url"].as_str(), Some(program.url.as_str()));
    assert_eq!(config["service"]["dtbd_prefix"].as_str(), Some("SIM: "));
    assert_eq!(config["srs"]["url"].as_str(), Some(program.srs.as_str()));
    let users: toml::Table = std::fs::read_to_string(folder.join("users.toml")).unwrap().parse().unwrap();
    assert_eq!(users["alice"]["msisdn"].as_str(), Some("+41790000001"));
    assert_eq!(users["alice"]["language"].as_str(), Some("en"));

    let file = |key: &str| folder.join(config["service"][key].as_str().unwrap()).to_str().unwrap().to_owned();
    let host = program.url.replace("127.0.0.1", "localhost");
    let response = run(
        "curl",
        &[
            "--silent",
            "--show-error",
            "--fail",
            "--noproxy",
            "*",
            "--cacert",
            &file("server_trust"),
            "--cert",
            &file("client_cert"),
            "--key",
            &file("client_key"),
            "--header",
            "Content-Type: application/json",
            "--data",
            &sign_request("+41790000001").to_string(),
            &format!("{host}/rest/service/sign"),
        ],
    );
    assert!(response.status.success(), "{}", String::from_utf8_lossy(&response.stderr));
    let answer: Value = serde_json::from_slice(&response.stdout).unwrap();
    assert!(verify(&cms(&answer), &folder).accepted);

    let journal = std::fs::read_to_string(folder.join("journal.jsonl")).unwrap();
    let entries =
        journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>();
    assert_eq!(entries.iter().filter(|entry| entry["event"] == "push-started").count(), 1);
    assert_eq!(entries[0]["text"], "SIM: Log in to box? (3D5K)");
    assert_eq!((&entries[0]["language"], &entries[0]["timeout"]), (&"en".into(), &80.into()));
    assert_eq!(entries[1]["outcome"], "signed");
    program.signal("TERM");
    assert_eq!(program.ended(), "", "one line and no more");
}

#[test]
fn it_ends_with_its_input_only_if_told_so() {
    let folder = Folder::new();
    let mut program = Program::start(&folder, &["--exit-with-stdin"]);
    drop(program.child.stdin.take());
    assert_eq!(program.ended(), "");
    let mut program = Program::start(&folder, &[]);
    drop(program.child.stdin.take());
    let client = Client::of(&folder, &program.url);
    assert_eq!(client.post("/rest/service/sign", &sign_request("+41790000001")).status, 200);
    program.signal("INT");
    program.ended();
}

/// What curl says of the HTTP version, the status and the body's first characters.
fn version(folder: &Folder, url: &str, msisdn: &str) -> String {
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (root, cert, key) = (file("server-root.pem"), file("client.crt"), file("client.key"));
    let (body, url) = (sign_request(msisdn).to_string(), format!("{url}/rest/service/sign"));
    let mut arguments = vec!["--silent", "--http2", "--noproxy", "*", "--output", "/dev/null"];
    arguments.extend(["--write-out", "%{http_version} %{response_code} %{content_type} %{exitcode}"]);
    arguments.extend(["--cacert", &root, "--cert", &cert, "--key", &key, "--data", &body, &url]);
    String::from_utf8(run("curl", &arguments).stdout).unwrap()
}

#[test]
fn http2_is_spoken_only_where_it_is_offered() {
    let json = "application/json;charset=UTF-8";
    let folder = Folder::new();
    let program = Program::start(&folder, &[]);
    assert_eq!(version(&folder, &program.url, "+41790000001"), format!("1.1 200 {json} 0"));
    drop(program);
    let program = Program::start(&folder, &["--http2"]);
    let curl = |msisdn: &str| version(&folder, &program.url, msisdn);
    assert_eq!(curl("+41790000001"), format!("2 200 {json} 0"));
    assert_eq!(curl("+41790000002"), format!("2 500 {json} 0"));
    assert_eq!(curl(Behaviour::Http503.msisdn()), "2 503 text/html 0");
    assert_eq!(curl(Behaviour::HugeBody.msisdn()), format!("2 200 {json} 0"));
    // CURLE_HTTP2_STREAM: the stream was reset.
    assert_eq!(curl(Behaviour::TlsReset.msisdn()), format!("2 200 {json} 92"));
}

#[test]
fn a_second_start_keeps_keys_certificates_and_added_users() {
    let folder = Folder::new();
    let signer = |simulator: &Simulator| {
        let client = Client::of(&folder, simulator.url());
        let answer = client.post("/rest/service/sign", &sign_request("+41790000001")).json();
        verify(&cms(&answer), &folder).signer
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let kept = ["client.crt", "client.key", "server-root.pem", "signer-anchors.pem"];
    let first = Simulator::start(Options::new(&*folder)).unwrap();
    let (before, first_signer) = (kept.map(read), signer(&first));
    first.add_user("zoe", "+41791112233", "fr").unwrap();
    first.stop();
    let second = Simulator::start(Options::new(&*folder)).unwrap();
    assert_eq!(kept.map(read), before);
    assert_eq!(signer(&second), first_signer);
    assert!(read("users.toml").contains("[zoe]\nmsisdn = \"+41791112233\"\nlanguage = \"fr\"\n"));
    assert_eq!(read("journal.jsonl").lines().count(), 4, "the journal goes on");
}

#[test]
fn a_folder_in_use_or_open_to_others_is_refused() {
    let folder = Folder::new();
    let state = folder.to_str().unwrap().to_owned();
    let running = Simulator::start(Options::new(&*folder)).unwrap();
    assert!(refusal(&["--state", &state]).contains("another simulator is using it"));
    drop(running);
    std::fs::set_permissions(&*folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let complaint = refusal(&["--state", &state]);
    assert!(complaint.contains("chmod 700") && complaint.contains(&state), "{complaint}");
}

#[test]
fn mistakes_are_named() {
    assert!(refusal(&["--state", "/nonexistent", "--listen", "0.0.0.0:0"]).contains("--listen 0.0.0.0:0"));
    assert!(
        refusal(&["--state", "/nonexistent", "--phone", "192.0.2.1:80"]).contains("--phone 192.0.2.1:80")
    );
    assert!(refusal(&["--state", "/nonexistent/state"]).contains("/nonexistent/state"));
    assert!(refusal(&["--state", "/nonexistent", "--srs", "192.0.2.1:80"]).contains("--srs 192.0.2.1:80"));
    assert!(refusal(&["--listen", "here"]).contains("here"));
    assert!(refusal(&["--verbose"]).contains("--verbose"));
    assert!(refusal(&["--profiles", "Any-LoA5"]).contains("Any-LoA5"));
    assert!(refusal(&["--population", "many"]).contains("--population \"many\""));
    assert!(refusal(&["--population-key", "dsa"]).contains("--population-key \"dsa\""));
    assert!(refusal(&[]).contains("--state"));
}

#[test]
fn subscribers_from_a_file_replace_the_built_in_ones() {
    let folder = Folder::new();
    std::fs::create_dir(&*folder).unwrap();
    let file = folder.join("subscribers.toml");
    let mut subscribers = std::fs::File::create(&file).unwrap();
    subscribers
        .write_all(b"[[subscriber]]\nmsisdn = \"+41791234567\"\nuser = \"urs\"\nafter_ms = 0\n")
        .unwrap();
    let state = folder.join("state");
    let program = Program::start(&state, &["--subscribers", file.to_str().unwrap()]);
    let client = Client::of(&state, &program.url);
    assert_eq!(client.post("/rest/service/sign", &sign_request("+41791234567")).status, 200);
    assert_eq!(client.post("/rest/service/sign", &sign_request("+41790000001")).code(), "_105");
    assert!(std::fs::read_to_string(state.join("users.toml")).unwrap().contains("[urs]"));
    subscribers.write_all(b"colour = \"blue\"\n").unwrap();
    let complaint = refusal(&["--state", state.to_str().unwrap(), "--subscribers", file.to_str().unwrap()]);
    assert!(complaint.contains("colour") && complaint.contains("subscribers.toml"), "{complaint}");
}

#[test]
fn a_population_stands_beside_the_others_and_may_grow_with_the_next_start() {
    let folder = Folder::new();
    let start = |size: &str| Program::start(&folder, &["--population", size, "--population-key", "rsa"]);
    let users = || std::fs::read_to_string(folder.join("users.toml")).unwrap();
    drop(start("2"));
    assert!(users().contains("\n[user1]\nmsisdn = \"+41791000001\"\n") && !users().contains("[user2]"));
    let program = start("3");
    assert_eq!(users().matches("[user1]").count(), 1);
    let client = Client::of(&folder, &program.url);
    let answer = client.post("/rest/service/sign", &sign_request("+41791000002"));
    assert!(verify(&cms(&answer.json()), &folder).accepted);
    assert_eq!(client.post("/rest/service/sign", &sign_request("+41790000001")).status, 200);
    assert_eq!(client.post("/rest/service/sign", &sign_request("+41791000003")).code(), "_105");
}

#[test]
fn a_certificate_of_the_clients_own_is_registered_beside_the_other() {
    let folder = Folder::new();
    drop(Program::start(&folder, &[]));
    let (key, certificate) = (folder.join("own.key"), folder.join("own.crt"));
    let [key_text, certificate_text] = [&key, &certificate].map(|path| path.to_str().unwrap());
    let how = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=own"];
    let made = run("openssl", &[&how[..], &["-keyout", key_text, "-out", certificate_text]].concat());
    assert!(made.status.success());
    let ends_with = |arguments: &[&str]| {
        let program = Program::start(&folder, arguments);
        let own = Client::with(&folder, &program.url, certificates(&certificate), &key);
        let laid_out = Client::of(&folder, &program.url);
        [own, laid_out].map(|client| client.post("/rest/service/sign", &sign_request("+41790000001")).status)
    };
    assert_eq!(ends_with(&[]), [500, 200]);
    assert_eq!(ends_with(&["--client-cert", certificate_text]), [200, 200]);
    let said = refusal(&["--state", folder.to_str().unwrap(), "--client-cert", "/dev/null"]);
    assert!(said.contains("--client-cert /dev/null: no certificate in PEM"), "{said}");
}

#[test]
fn the_list_shows_the_built_in_subscribers_and_the_help_and_the_manual_every_option() {
    let printed = |argument: &str| {
        let output = run(env!("CARGO_BIN_EXE_mobileid-simulator"), &[argument]);
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let list = printed("--list-subscribers");
    assert!(list.contains("+41790000001  alice            sim   ec   approve\n"));
    let help = printed("--help");
    assert!(help.lines().count() <= 24 && help.lines().all(|line| line.len() <= 80), "{help}");
    let page = include_str!("../../../packaging/man/mobileid-simulator.1").replace("\\-", "-");
    let words = |text: &'static str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let options = words(include_str!("../../src/options.rs")).filter(|word| word.starts_with("--"));
    let options: std::collections::BTreeSet<&str> = options.filter(|option| option.len() > 2).collect();
    assert!(options.len() >= 13, "{options:?}");
    for said in options.into_iter().chain(["-h", "-V", "(127.0.0.1:0)", "Exit codes: 0"]) {
        assert!(help.contains(said), "{said} is not in {help}");
    }
    let free = |text: &str| text.matches("127.0.0.1:0").count();
    assert_eq!(free(&page), free(&help), "a default is another one in the manual");
    for line in help.lines().filter_map(|line| line.strip_prefix("  --")) {
        let option = line.split(' ').next().unwrap();
        assert!(page.contains(&format!("--{option}")), "--{option} is not in the manual");
    }
}

#[test]
fn the_manual_has_every_key_of_a_subscriber_and_every_profile() {
    // A stranger is told all keys that there are.
    let folder = Folder::new();
    let (state, file) = (folder.join("state"), folder.join("subscribers.toml"));
    std::fs::create_dir(&*folder).unwrap();
    std::fs::write(&file, "[[subscriber]]\nbogus = 1\n").unwrap();
    let refused = refusal(&["--state", state.to_str().unwrap(), "--subscribers", file.to_str().unwrap()]);
    let (_, keys) = refused.split_once("expected one of ").unwrap_or_else(|| panic!("{refused}"));
    let keys: Vec<&str> = keys.split('`').skip(1).step_by(2).collect();
    assert!(keys.len() >= 7, "{refused}");
    let page = include_str!("../../../packaging/man/mobileid-simulator.1");
    for key in keys {
        assert!(page.contains(&format!("\n{key} = ")), "{key} is not in the manual");
    }
    let refused = refusal(&["--state", state.to_str().unwrap(), "--profiles", "bogus"]);
    let (_, profiles) = refused.trim().split_once("is none of ").unwrap();
    let told = page.replace("\\-", "-").replace("\", \"", ",");
    assert!(told.contains(&format!("\n.BR {} .\n", profiles.replace(',', " ,"))), "{profiles}");
}
