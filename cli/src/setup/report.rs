//! What setup has done, what the other verbs say of it, and what is left to do.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::bail;
use mobileid::{
    directory::Kind,
    load::{self, ConfigFile},
    verify::Anchor,
};
use serde::Serialize;

use super::{
    Arguments,
    found::{Existing, Found},
    home::{self, Home, Mode, OpenHome, is_there, shown},
    roots, say,
    send::ForSwisscom,
    simulator,
    todo::{Commands, ToDo},
};
use crate::{
    Exit,
    check::{self, anchors::Published},
    doctor, heartbeat, out,
};

/// The fault for a certificate that the service does not know.
const UNAUTHORIZED: u16 = 104;

/// The story of one run.
pub(super) struct Report<'a> {
    arguments: &'a Arguments,
    config: PathBuf,
    commands: Commands,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    simulated: Option<ToDo>,
}

/// A file, and what became of it.
#[derive(Serialize)]
struct Step {
    file: String,
    state: &'static str,
}

impl<'a> Report<'a> {
    pub(super) fn new(arguments: &'a Arguments, home: &Home) -> Self {
        Self {
            arguments,
            config: home.path("mobileid.toml"),
            commands: Commands::of(&arguments.folder),
            line: Line::default(),
            vouched: Vec::new(),
        }
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
            bail!("{} is there, and is another: move it away", shown(file));
        }
        self.made_or_kept(home, file, bytes, mode)
    }

    pub(super) fn kept(&mut self, file: &Path) {
        self.step("kept", file);
    }

    fn step(&mut self, state: &'static str, file: &Path) {
        let file = shown(file).to_string();
        say(self.arguments, &format!("{state}  {file}"));
        self.line.files.push(Step { file, state });
    }

    /// The administrator has vouched for these roots.
    pub(super) fn vouched(&mut self, sha256: &[[u8; 32]]) {
        self.vouched.extend_from_slice(sha256);
    }

    /// What was copied of a simulator's is not to stay. In the table of `people`, where it was kept, some may be
    /// the simulator's, too: their numbers are anybody's at Swisscom.
    pub(super) fn simulated(&mut self, files: Vec<PathBuf>, people: Option<&Path>) {
        let words = ["rm".into()].into_iter().chain(files.into_iter().map(PathBuf::into_os_string));
        let mut what = "This is the SIMULATOR, not Swisscom: every user of this machine can confirm every login. Before \
                        the real service the serial numbers of trials are forgotten (mobileidctl serial forget USER), \
                        and this goes"
            .to_owned();
        if let Some(table) = people {
            what.push_str(&format!(", and in {} everybody with a simulated number", shown(table)));
        }
        self.line.simulated = Some(ToDo::new(what, Some(crate::folders::command_line(words))));
    }

    /// Has the other verbs look, as far as there is something to look at.
    ///
    /// # Errors
    /// A file cannot be used that was just there.
    pub(super) fn examine(&mut self) -> anyhow::Result<()> {
        let found = Found::at(&Home::at(&self.arguments.folder)?)?;
        let Some(existing) = &found.config else { return Ok(()) };
        let places = found.places();
        let anchors = roots::there(&places.trust)?;
        if self.line.simulated.is_none() && simulator::is_at_work(existing, &anchors) {
            let people = places.users.as_deref().filter(|table| is_there(table));
            self.simulated(simulator::files(&found), people);
        }
        if self.line.simulated.is_none() {
            self.line.for_swisscom = Some(ForSwisscom::of(&places.cert, &existing.file)?);
        }
        self.judge_roots(existing, &anchors);
        if anchors.is_empty() {
            say(self.arguments, "check, heartbeat and doctor wait for the roots");
            self.must_send();
            return Ok(());
        }
        if self.check()? {
            let healthy = self.heartbeat()?;
            self.doctor()?;
            // Before the service knows us nobody can be enrolled.
            if healthy {
                self.judge_people(places.users.as_deref())?;
            }
        }
        Ok(())
    }

    fn judge_roots(&mut self, existing: &Existing, anchors: &[(PathBuf, Anchor)]) {
        if !existing.is_swisscom() {
            self.judge_roots_of_others(existing, anchors);
            return;
        }
        // Who was activated since June 2022 has a certificate below it: by now that is everybody.
        let has_current = anchors.iter().any(|(_, a)| Published::of(a).is_some_and(|root| root.is_current));
        if !has_current {
            let (ca_4, ca_2) = ("Swisscom_Root_CA_4.crt", "Swisscom_Root_CA_2.crt");
            let both = ["--trust", ca_4, "--trust", ca_2];
            let command = self.commands.setup(if anchors.is_empty() { &both } else { &both[..2] });
            let what = "Get the roots of the signers from Swisscom, www.swissdigicert.ch; without Root CA 4 nobody can \
                        log in. Setup holds them against the published fingerprints";
            self.line.left.push(ToDo::new(what, Some(command)));
        }
        for (file, anchor) in anchors {
            if Published::of(anchor).is_none() && !self.vouched.contains(&anchor.fingerprint()) {
                let what = format!(
                    "{} has {}, which is none of Swisscom's published roots: whoever has its key can confirm every \
                     login. Take it out, unless it is meant",
                    shown(file),
                    anchor.subject()
                );
                self.line.left.push(ToDo::new(what, None));
            }
        }
    }

    fn judge_roots_of_others(&mut self, existing: &Existing, anchors: &[(PathBuf, Anchor)]) {
        if anchors.is_empty() {
            let what = "Get the roots of the signers from whoever runs the service, which is not Swisscom's, and name \
                        each with its fingerprint";
            let command = self.commands.setup(&["--trust", "ROOT.crt", "--trust-sha256", "SHA-256"]);
            self.line.left.push(ToDo::new(what, Some(command)));
        } else if self.line.simulated.is_none() {
            // A simulator's files bring a louder word.
            let what = "is not Swisscom's: whoever has the key of its root can confirm every login";
            say(self.arguments, &format!("warning: the service {} {what}", existing.file.url));
        }
    }

    fn must_send(&mut self) {
        if self.line.for_swisscom.is_some() {
            let what = "Send Swisscom what stands above, unless they have it, and wait for their word";
            self.line.left.insert(0, ToDo::new(what, None));
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
            let again = self.commands.setup(&[]);
            self.line.left.push(ToDo::new("Mend what check has found, and go on", Some(again)));
        }
        Ok(sound)
    }

    /// A directory that is asked may know people. A table knows nobody before they are in it.
    fn judge_people(&mut self, table: Option<&Path>) -> anyhow::Result<()> {
        let directories = load::load(&self.config)?.directories;
        let is_empty = |kind: &Kind| matches!(kind, Kind::File(table) if table.is_empty());
        if !directories.iter().all(|directory| is_empty(&directory.kind)) {
            return Ok(());
        }
        self.line.left.push(match (&self.arguments.simulator, table) {
            (Some(state), Some(table)) => {
                let what = format!(
                    "Nobody is entered, and nobody can log in. The simulator's people are in {}: move {} away and run \
                     this again",
                    shown(&state.join("users.toml")),
                    shown(table)
                );
                ToDo::new(what, Some(self.commands.setup(&["--simulator", &state.display().to_string()])))
            }
            _ => ToDo::new("Enter somebody: nobody is, and nobody can log in", Some(self.enrol())),
        });
        Ok(())
    }

    fn enrol(&self) -> String {
        format!("{} --msisdn \"+41 79 123 45 67\"", self.commands.verb("enrol alice"))
    }

    /// Whether the service is well.
    fn heartbeat(&mut self) -> anyhow::Result<bool> {
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
            return Ok(true);
        }
        let (what, more) = match (&self.arguments.simulator, code) {
            (Some(state), _) => {
                let what = "The simulator does not answer as it should. Started anew it has another port, unless \
                            --listen names one: start it, take away what was copied, and go on";
                (what, vec!["--simulator".to_owned(), state.display().to_string()])
            }
            (None, _) if self.line.simulated.is_some() => (
                "The simulator does not answer as it should: start it again, with the same --listen, and go on",
                Vec::new(),
            ),
            (None, Some(UNAUTHORIZED)) => {
                let what = "Swisscom does not know the certificate yet, or not with this AP_ID. When they say that they \
                            do, go on";
                (what, Vec::new())
            }
            (None, _) => ("Mend what heartbeat has found, and go on", Vec::new()),
        };
        self.must_send();
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        self.line.left.push(ToDo::new(what, Some(self.commands.setup(&more))));
        Ok(false)
    }

    fn doctor(&mut self) -> anyhow::Result<()> {
        let Arguments { root, folder, json, .. } = self.arguments;
        if root.is_none() && folder != Path::new(home::DEFAULT) {
            say(self.arguments, &format!("doctor looks at what reads {}: not run", home::DEFAULT));
            return Ok(());
        }
        self.heading("doctor")?;
        let config = root.is_some().then(|| self.config.clone());
        let well = match doctor::Report::of(&doctor::Arguments::of_host(config, root.clone())) {
            Ok(report) => {
                let well = report.is_well();
                if *json {
                    self.line.doctor = Some(serde_json::to_value(report.as_json(well))?);
                } else {
                    out::data(&report.in_words())?;
                }
                well
            }
            Err(why) => {
                out::say(&format!("{why:#}"));
                false
            }
        };
        if !well {
            let again = "mobileidctl doctor".to_owned();
            self.line.left.push(ToDo::new("Mend what doctor has found", Some(again)));
        }
        Ok(())
    }

    fn heading(&self, verb: &str) -> anyhow::Result<()> {
        if self.arguments.json { Ok(()) } else { out::data(&format!("\n--- {verb} ---")) }
    }

    /// Says what is left, last.
    ///
    /// # Errors
    /// As [`out::data`] has them.
    pub(super) fn end(mut self) -> anyhow::Result<Exit> {
        let well = self.line.left.is_empty();
        self.line.verdict = if well { "well" } else { "left" };
        if well {
            self.go_on();
        }
        if self.arguments.json {
            out::json(&self.line)?;
        } else {
            out::data(&self.in_words())?;
        }
        Ok(Exit::of(well))
    }

    /// What comes after setup.
    fn go_on(&mut self) {
        if self.line.simulated.is_none() {
            self.line.next.push(ToDo::new("Enter people and their phones", Some(self.enrol())));
        }
        let login = self.commands.verb("login alice");
        self.line.next.push(ToDo::new("Try one login, without PAM", Some(login)));
        let root = self.arguments.root.as_deref().unwrap_or(Path::new("/"));
        self.line.next.push(ToDo::pam(root));
    }

    fn in_words(&self) -> String {
        let Line { for_swisscom, left, next, simulated, .. } = &self.line;
        let mut text = for_swisscom.as_ref().map(ForSwisscom::in_words).unwrap_or_default();
        text.push_str(if left.is_empty() { "\nAll is well. Next:\n" } else { "\nLeft to do:\n" });
        left.iter().chain(next).for_each(|todo| text.push_str(&todo.in_words()));
        if let Some(simulated) = simulated {
            text.push_str(&format!("\n{}", simulated.in_words()));
        }
        text
    }
}
