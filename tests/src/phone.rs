//! A person who presses the buttons of the simulator's phone, over the interface of its page.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::DEADLINE;
use crate::simulator::{Simulator, text};

impl Simulator<'_> {
    /// Confirms what is on a user's phone, once it is there. Returns the text that the phone shows.
    ///
    /// # Errors
    /// When nothing appears, or the phone refuses.
    pub fn confirm(&self, user: &str) -> Result<String> {
        self.press(user, "confirm", r#"{"pin":"123456"}"#)
    }

    /// Cancels what is on a user's phone, once it is there. Returns the text that the phone shows.
    ///
    /// # Errors
    /// As [`Simulator::confirm`].
    pub fn cancel(&self, user: &str) -> Result<String> {
        self.press(user, "cancel", "")
    }

    fn press(&self, user: &str, button: &str, body: &str) -> Result<String> {
        let number = self.number(user)?;
        let shown = |entry: &&Value| text(entry, "msisdn") == number;
        // What came last is still there unless its end came after it.
        let last = |journal: &[Value]| journal.iter().rfind(shown).cloned();
        let waiting = |journal: &[Value]| last(journal).is_some_and(|e| text(&e, "event") == "push-started");
        self.wait_journal(&format!("a push to {user}"), waiting)?;
        let push = last(&self.journal()?).context("it was there")?;

        let id = text(&push, "mssp_trans_id");
        self.button(&format!("{button}/{id}"), body)?;
        Ok(text(&push, "text").to_owned())
    }

    /// Activates a user's number anew, as on another phone and without a recovery code. Returns the serial number that
    /// signatures have from now on.
    ///
    /// # Errors
    /// When `users.toml` has no such user, or the simulator refuses.
    pub fn reactivate(&self, user: &str) -> Result<String> {
        let answer = self.button(&format!("reactivate/{}", self.number(user)?), "")?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
        let body: Value = serde_json::from_str(body)?;
        Ok(text(&body, "serial").to_owned())
    }

    /// Presses a button of the phone's page. Returns the whole answer.
    fn button(&self, button: &str, body: &str) -> Result<String> {
        let phone = self.phone().trim_start_matches("http://");
        let mut page = TcpStream::connect(phone).context("the phone's page does not answer")?;
        page.set_read_timeout(Some(DEADLINE))?;
        write!(
            page,
            "POST /api/{button} HTTP/1.1\r\nHost: {phone}\r\nX-Phone: lab\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        page.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 200 "), "the phone refused:\n{answer}");
        Ok(answer)
    }
}
