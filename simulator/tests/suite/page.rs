//! The phone page in a real browser, driven over the WebDriver protocol by hand.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::client::{receive, send};
use crate::support::{Folder, PATIENCE, Running, changed, sign_request};

/// Chromium with a fresh profile, ended when dropped.
struct Browser {
    driver: Child,
    address: String,
    session: String,
    _profile: Folder,
}

impl Browser {
    fn open(url: &str) -> Browser {
        let profile = Folder::new();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // What the browser keeps, it keeps in the folder of the test; and it is ended by its group.
            .env("HOME", &*profile)
            .env("TMPDIR", &*profile)
            .process_group(0)
            .spawn()
            .expect("chromedriver is needed for this test: apt-get install chromium chromium-driver");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let address = format!("127.0.0.1:{}", port.unwrap());
        let mut browser = Browser { driver, address, session: "/session".to_owned(), _profile: profile };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // The card fades in: while it does, the driver finds no text on it.
            "--force-prefers-reduced-motion",
            "--window-size=500,900",
            &format!("--user-data-dir={}", browser._profile.display()),
        ];
        let options = json!({ "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let opened = browser.call("POST", "", &wanted);
        let id = opened["sessionId"].as_str().unwrap_or_else(|| {
            panic!("chromium does not start: apt-get install chromium chromium-driver ({opened})")
        });
        browser.session = format!("/session/{id}");
        // Looking for an element waits for it from here on.
        browser.call("POST", "/timeouts", &json!({ "implicit": PATIENCE.as_millis() as u64 }));
        browser.call("POST", "/url", &json!({ "url": url }));
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE * 2)).unwrap();
        let body = if method == "GET" || method == "DELETE" { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {}{path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.session,
            self.address,
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        // By its length: the driver keeps the connection open whatever it is asked.
        let mut reader = BufReader::new(stream);
        let head = std::iter::from_fn(|| {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            Some(line.trim_end().to_ascii_lowercase()).filter(|line| !line.is_empty())
        });
        let length = head.filter_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).last();
        let mut answer = vec![0; length.unwrap()];
        reader.read_exact(&mut answer).unwrap();
        serde_json::from_slice::<Value>(&answer).unwrap()["value"].take()
    }

    fn find(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        let id = found.as_object().and_then(|found| found.values().next()).and_then(Value::as_str);
        format!("/element/{}", id.unwrap_or_else(|| panic!("{selector}: {found}")))
    }

    fn text(&self, selector: &str) -> String {
        self.call("GET", &format!("{}/text", self.find(selector)), &Value::Null).as_str().unwrap().to_owned()
    }

    fn click(&self, selector: &str) {
        assert_eq!(self.call("POST", &format!("{}/click", self.find(selector)), &json!({})), Value::Null);
    }

    fn write(&self, selector: &str, text: &str) {
        self.call("POST", &format!("{}/value", self.find(selector)), &json!({ "text": text }));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asking it to leave is polite and may fail; ending its group takes the browser along in any case.
        if self.session != "/session" && !std::thread::panicking() {
            self.call("DELETE", "", &Value::Null);
        }
        let group = Pid::from_raw(i32::try_from(self.driver.id()).unwrap());
        let _ = killpg(group, Signal::SIGKILL);
        let _ = self.driver.wait();
    }
}

#[test]
fn the_page_shows_the_text_and_confirms() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let text = "SIM: Als <i>root</i> auf «box» anmelden? (3D5K)";
    let german = json!([{
        "Description": "http://mss.ficom.fi/TS102204/v1.0.0#userLang",
        "UserLang": { "Value": "DE" },
    }]);
    let request = changed(sign_request(&msisdn), "/DataToBeSigned/Data", json!(text));
    let request = changed(request, "/AdditionalServices", german);
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &request.to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;
    let within = |selector: &str| format!("form[data-id='{id}'] {selector}");

    let browser = Browser::open(simulator.phone_url());
    assert_eq!(browser.text(&within(".text")), text, "markup in a text is text");
    assert_eq!(browser.text(&within(".confirm")), "Bestätigen");
    assert_eq!(browser.text(&within(".method")), "SIM");
    browser.click(&within(".confirm"));
    let complaint = browser.text(&within(".error:not(:empty)"));
    assert!(complaint.contains("PIN"), "without a PIN it asks for one: {complaint:?}");
    browser.write(&within("input"), "123456");
    browser.click(&within(".confirm"));
    let answer = receive(&mut connection).json();
    assert_eq!(answer["MSS_SignatureResp"]["Status"]["StatusCode"]["Value"], "500");
}

#[test]
fn the_page_declines() {
    let simulator = Running::shared();
    let msisdn = simulator.interactive();
    let mut connection = simulator.client().connect();
    send(&mut connection, "/rest/service/sign", &sign_request(&msisdn).to_string());
    let id = simulator.wait_for_pending(&msisdn, PATIENCE).unwrap().id;
    let browser = Browser::open(simulator.phone_url());
    browser.click(&format!("form[data-id='{id}'] .cancel"));
    assert_eq!(receive(&mut connection).code(), "_401");
}
