//! What setup has done, what the other verbs say of it, and what is left to do.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::SystemTime,
};

use mobileid::{load::ConfigFile, text::escaped};
use serde::Serialize;

use super::{
    Arguments, client,
    found::{Existing, Found},
    home::{self, Home, Mode, OpenHome, is_there, shown},
    roots,
};
use crate::{
    Exit,
    check::{self, anchors::Published},
    doctor, folders, heartbeat, out,
};

/// The fault for a certificate that the service does not know.
const UNAUTHORIZED: u16 = 104;

/// The story of one run.
pub(super) struct Report<'a> {
    arguments: &'a Arguments,
    config: PathBuf,
    line: Line,
    /// Roots for which the administrator vouched in this run.
    vouched: Vec<[u8; 32]>,
}

/// It, as JSON.
#[derive(Default, Serialize)]
struct Line {
    verdict: &'static str,
    files: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    for_swisscom: Option<ForSwisscom>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heartbeat: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doctor: Option<serde_json::Value>,
    left: Vec<ToDo>,
    next: Vec<ToDo>,
}

/// A file, and what became of it.
#[derive(Serialize)]
struct Step {
    file: String,
    state: &'static str,
}

/// What Swisscom has to be given. The key is not part of it.
#[derive(Serialize)]
struct ForSwisscom {
    certificate: String,
    sha256: String,
    pem: String,
    ap_id: String,
    dtbd_prefix: String,
}

/// Something that the administrator has to do.
#[derive(Serialize)]
struct ToDo {
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(arguments: &'a Arguments, home: &Home) -> Self {
        let config = home.path("mobileid.toml");
        Self { arguments, config, line: Line::default(), vouched: Vec::new() }
    }

    /// Makes a file, and says so.
    pub(super) fn made(
        &mut self,
        home: &OpenHome,
        file: &Path,
        bytes: &[u8],
        mode: Mode,
    ) -> anyhow::Result<()> {
        home.create(file, bytes, mode)?;
        self.step("made", file);
        Ok(())
    }

    /// Makes a file that is missing.
    pub(super) fn made_or_kept(
        &mut self,
        home: &OpenHome,
        file: &Path,
        bytes: &[u8],
        mode: Mode,
    ) -> anyhow::Result<()> {
        if is_there(file) {
            self.kept(file);
            return Ok(());
        }
        self.made(home, file, bytes, mode)
    }

    /// Makes a file, unless the same one is there.
    pub(super) fn made_or_same(
        &mut self,
        home: &OpenHome,
        file: &Path,
        bytes: &[u8],
        mode: Mode,
    ) -> anyhow::Result<()> {
        if is_there(file) && ConfigFile::read(file)?.text.expose().as_bytes() != bytes {
            anyhow::bail!("{} is there, and is another: move it away", shown(file));
        }
        self.made_or_kept(home, file, bytes, mode)
    }

    pub(super) fn kept(&mut self, file: &Path) {
        self.step("kept", file);
    }

    fn step(&mut self, state: &'static str, file: &Path) {
        let file = shown(file).to_string();
        self.say(&format!("{state}  {file}"));
        self.line.files.push(Step { file, state });
    }

    fn say(&self, what: &str) {
        super::say(self.arguments, what);
    }

    /// The administrator has vouched for this root.
    pub(super) fn vouched(&mut self, sha256: [u8; 32]) {
        self.vouched.push(sha256);
    }

    /// Has the other verbs look, as far as there is something to look at.
    pub(super) fn examine(&mut self) -> anyhow::Result<()> {
        let found = Found::at(&Home::at(&self.arguments.folder)?)?;
        let Some(existing) = &found.config else { return Ok(()) };
        let places = found.places();
        self.line.for_swisscom = self.for_swisscom(&places.cert, existing)?;
        let anchors = roots::there(&places.trust)?;
        self.judge_roots(existing, &anchors);
        if anchors.is_empty() {
            self.say("without a root no login can be confirmed: check, heartbeat and doctor wait for it");
            self.must_send();
            return Ok(());
        }
        if self.check()? {
            self.heartbeat()?;
            self.doctor()?;
        }
        Ok(())
    }

    fn for_swisscom(&self, cert: &Path, existing: &Existing) -> anyhow::Result<Option<ForSwisscom>> {
        if self.arguments.simulator.is_some() {
            return Ok(None);
        }
        let (pem, sha256) = client::sendable(ConfigFile::read(cert)?.text.expose(), cert)?;
        Ok(Some(ForSwisscom {
            certificate: cert.display().to_string(),
            sha256,
            pem,
            ap_id: existing.file.ap.ap_id.clone(),
            dtbd_prefix: existing.file.prefix.to_string(),
        }))
    }

    /// Swisscom signs by Root CA 4 for whoever was activated since 2022, which is everybody by now.
    fn judge_roots(&mut self, existing: &Existing, anchors: &[(PathBuf, mobileid::verify::Anchor)]) {
        if !existing.is_swisscom() && !anchors.is_empty() {
            return;
        }
        let (ca_4, ca_2) = ("Swisscom_Root_CA_4.crt", "Swisscom_Root_CA_2.crt");
        let has_ca_4 = anchors.iter().any(|(_, a)| Published::of(a).is_some_and(Published::is_current));
        if !has_ca_4 {
            let what = "Get the roots of the signers' certificates from Swisscom (www.swissdigicert.ch); without Root \
                        CA 4 nobody can log in. Their fingerprints are checked";
            let command = match anchors {
                [] => self.setup(&["--trust", ca_4, "--trust", ca_2]),
                _ => self.setup(&["--trust", ca_4]),
            };
            self.left(what, Some(command));
        }
        let strangers = anchors.iter().filter(|(_, anchor)| {
            Published::of(anchor).is_none() && !self.vouched.contains(&anchor.fingerprint())
        });
        let strangers: Vec<String> = strangers
            .map(|(file, anchor)| {
                format!(
                    "{} has {}, which is none of Swisscom's published roots: whoever has its key can confirm every \
                     login. Take it out, unless it is meant",
                    shown(file),
                    anchor.subject()
                )
            })
            .collect();
        strangers.iter().for_each(|what| self.left(what, None));
    }

    fn must_send(&mut self) {
        if self.line.for_swisscom.is_some() {
            self.line.left.insert(
                0,
                ToDo {
                    what: "Send Swisscom what stands above, unless they have it, and wait for their word".to_owned(),
                    command: None,
                },
            );
        }
    }

    /// Whether it is sound.
    fn check(&mut self) -> anyhow::Result<bool> {
        self.heading("check")?;
        let report = check::Report::of(&self.config, SystemTime::now());
        let sound = report.is_sound();
        if self.arguments.json {
            self.line.check = Some(serde_json::to_value(report.as_json(sound))?);
        } else {
            report.tell()?;
        }
        if !sound {
            let again = self.setup(&[]);
            self.left("Mend what check has found, and run setup again", Some(again));
        }
        Ok(sound)
    }

    fn heartbeat(&mut self) -> anyhow::Result<()> {
        self.heading("heartbeat")?;
        let beat = heartbeat::ask(&self.config, self.arguments.json)?;
        let (healthy, code) = (beat.is_healthy(), beat.code());
        if self.arguments.json {
            self.line.heartbeat = Some(serde_json::to_value(beat.into_line())?);
        } else {
            out::data(&beat.into_words())?;
        }
        if healthy {
            // They know it: nothing has to be sent any more.
            self.line.for_swisscom = None;
            return Ok(());
        }
        let again = Some(self.on_config("heartbeat"));
        match code {
            Some(UNAUTHORIZED) if self.line.for_swisscom.is_some() => {
                self.must_send();
                self.left("Swisscom does not know the certificate yet. When they say that they do", again);
            }
            _ => {
                self.must_send();
                self.left("Mend what heartbeat has found", again);
            }
        }
        Ok(())
    }

    fn doctor(&mut self) -> anyhow::Result<()> {
        let Arguments { root, folder, json, .. } = self.arguments;
        if root.is_none() && folder != Path::new(home::DEFAULT) {
            self.say(&format!("doctor looks at what reads {}: not run", home::DEFAULT));
            return Ok(());
        }
        self.heading("doctor")?;
        let config = root.is_some().then(|| self.config.clone());
        let arguments = doctor::Arguments::of_host(config, root.clone());
        let report = doctor::Report::of(&arguments)?;
        let well = report.is_well();
        if *json {
            self.line.doctor = Some(serde_json::to_value(report.as_json(well))?);
        } else {
            out::data(&report.in_words())?;
        }
        if !well {
            self.left("Mend what doctor has found", Some("mobileidctl doctor".to_owned()));
        }
        Ok(())
    }

    /// What was copied is not to stay.
    pub(super) fn simulated(&mut self, files: impl IntoIterator<Item = PathBuf>) {
        let what = "THIS IS THE SIMULATOR, not Swisscom: every user of this machine can press its phones' buttons. \
                    Before the real service these go";
        let words = ["rm".into()].into_iter().chain(files.into_iter().map(PathBuf::into_os_string));
        let command = folders::command_line(words);
        self.line.next.push(ToDo { what: what.to_owned(), command: Some(command) });
    }

    fn heading(&self, verb: &str) -> anyhow::Result<()> {
        if self.arguments.json { Ok(()) } else { out::data(&format!("\n--- {verb} ---")) }
    }

    fn left(&mut self, what: &str, command: Option<String>) {
        self.line.left.push(ToDo { what: what.to_owned(), command });
    }

    fn setup(&self, more: &[&str]) -> String {
        let mut words: Vec<OsString> = vec!["mobileidctl".into(), "setup".into()];
        if self.arguments.folder != Path::new(home::DEFAULT) {
            words.extend(["--folder".into(), self.arguments.folder.clone().into_os_string()]);
        }
        words.extend(more.iter().map(OsString::from));
        folders::command_line(words.into_iter())
    }

    /// The command with this verb on the configuration.
    fn on_config(&self, verb: &str) -> String {
        let mut words: Vec<OsString> = vec!["mobileidctl".into()];
        words.extend(verb.split(' ').map(OsString::from));
        if self.arguments.folder != Path::new(home::DEFAULT) {
            words.extend(["--config".into(), self.config.clone().into_os_string()]);
        }
        folders::command_line(words.into_iter())
    }

    /// Says what is left, last.
    ///
    /// # Errors
    /// As [`out::data`] has them.
    pub(super) fn end(mut self) -> anyhow::Result<Exit> {
        let well = self.line.left.is_empty();
        self.line.verdict = if well { "well" } else { "left" };
        if well {
            self.on_with_people();
        }
        if self.arguments.json {
            out::json(&self.line)?;
        } else {
            out::data(&self.in_words(well))?;
        }
        Ok(Exit::of(well))
    }

    fn on_with_people(&mut self) {
        let login = self.on_config("login alice");
        if self.arguments.simulator.is_none() {
            let enrol = format!("{} --msisdn \"+41 79 123 45 67\"", self.on_config("enrol alice"));
            self.line
                .next
                .push(ToDo { what: "Enter people and their phones".to_owned(), command: Some(enrol) });
        }
        let what = "Try one login, with PAM not involved".to_owned();
        self.line.next.push(ToDo { what, command: Some(login) });
    }

    fn in_words(&self, well: bool) -> String {
        let mut text = self.line.for_swisscom.as_ref().map(ForSwisscom::in_words).unwrap_or_default();
        let (heading, todo) =
            if well { ("All is well. Next", &self.line.next) } else { ("Left to do", &self.line.left) };
        text.push_str(&format!("\n{heading}:\n"));
        todo.iter().for_each(|todo| text.push_str(&todo.in_words()));
        if !well {
            // What a simulator leaves behind is said in any case.
            self.line.next.iter().for_each(|todo| text.push_str(&todo.in_words()));
        }
        text
    }
}

impl ForSwisscom {
    fn in_words(&self) -> String {
        let Self { certificate, sha256, ap_id, dtbd_prefix, .. } = self;
        format!(
            "\nFor Swisscom; the key stays here:\n  \
             certificate  {}\n  SHA-256      {sha256}\n  AP_ID        {}\n  prefix       \"{}\"\n  \
             address      the public one from which this host's requests come: their firewall drops others\n",
            escaped(certificate, 400),
            escaped(ap_id, 200),
            escaped(dtbd_prefix, 100),
        )
    }
}

impl ToDo {
    fn in_words(&self) -> String {
        let command = self.command.as_ref().map_or_else(String::new, |command| format!("      {command}\n"));
        let colon = if command.is_empty() { "." } else { ":" };
        format!("  - {}{colon}\n{command}", self.what)
    }
}
