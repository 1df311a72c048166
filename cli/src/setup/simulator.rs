//! Without a contract: takes what mobileid-simulator has laid out in its folder.
//!
//! The files come into the configuration's folder as setup's own do, and none takes another's place: what is there must
//! be the same, but for the table of people, which is kept.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use mobileid::{
    config::Mistakes,
    load::{ConfigFile, guarded_folder},
    secret::Secret,
    verify::Anchor,
};

use super::{
    found::{Existing, Found, Pair},
    home::{Home, Mode, is_there, shown},
    report::Report,
};
use crate::{
    check::anchors::Published,
    progress::{Bound, Progress},
};

/// How long a simulator may take to lay out its files.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// A file of the simulator's.
struct File {
    name: &'static str,
    mode: Mode,
}

const CLIENT_KEY: &str = "client.key";
const CLIENT_CERT: &str = "client.crt";
const USERS: &str = "users.toml";

/// What is copied, the configuration last: what it names is there then.
const FILES: [File; 7] = [
    File { name: CLIENT_KEY, mode: Mode::Private },
    File { name: CLIENT_CERT, mode: Mode::Readable },
    File { name: "server-root.pem", mode: Mode::Readable },
    File { name: "signer-anchors.pem", mode: Mode::Readable },
    File { name: "srs-client-secret", mode: Mode::Private },
    File { name: USERS, mode: Mode::Private },
    // It holds AP_PWD, like every configuration of the simulator.
    File { name: "mobileid.toml", mode: Mode::Private },
];

/// What a configuration of the simulator's begins with.
pub(super) const MARK: &str = "# Written by mobileid-simulator";

/// Whom its client's certificate names.
const CLIENT: &str = "mobileid.simulator.example";

/// Whether it is the simulator that is asked, whoever took its files. Swisscom's service may be reached through this
/// host, and its root may come into a configuration that the simulator wrote: neither is the simulator any more.
pub(super) fn is_at_work(existing: &Existing, anchors: &[(PathBuf, Anchor)]) -> bool {
    existing.is_simulators() && anchors.iter().all(|(_, anchor)| Published::of(anchor).is_none())
}

/// Which of its files are there, beside that configuration, and are sure to be its: people may have been entered in
/// their table, and the key may be one that Swisscom knows.
pub(super) fn files(found: &Found) -> Vec<PathBuf> {
    let is_its_client =
        matches!(&found.client, Pair::Both(certificate) if certificate.common_name() == CLIENT);
    let names = FILES.iter().map(|file| file.name).filter(|name| match *name {
        USERS => false,
        CLIENT_KEY | CLIENT_CERT => is_its_client,
        _ => true,
    });
    let config = found.places().config;
    names.map(|name| config.with_file_name(name)).filter(|path| is_there(path)).collect()
}

/// Copies the simulator's files.
///
/// # Errors
/// A file of the simulator's is missing or may be changed by others, or another one has its name here: each is named.
pub(super) fn copy(
    state: &Path,
    home: Home,
    progress: Progress,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    await_start(state, progress)?;
    let from = guarded_folder(state).map_err(anyhow::Error::msg).context("--simulator")?;
    let mut mistakes = Mistakes::default();
    let mut new: Vec<(&File, Secret)> = Vec::new();
    let (mut taken, mut people) = (Vec::new(), None);
    for file in &FILES {
        let text = ConfigFile::read(&from.join(file.name))?.text;
        let here = home.path(file.name);
        if !is_there(&here) {
            new.push((file, text));
            taken.push(here);
        } else if ConfigFile::read(&here)?.text.expose() == text.expose() {
            report.kept(&here);
            taken.push(here);
        } else if file.name == USERS {
            report.kept(&here);
            people = Some(here);
        } else {
            let what = "is another than the simulator's, and is kept: move it away. A simulator that was started anew \
                        has another port, unless --listen says one";
            mistakes.add(&here.display().to_string(), None, "", what);
        }
    }
    mistakes.or(Some(()))?;
    let home = home.open(progress)?;
    for (file, text) in new {
        report.made(&home, &home.path(file.name), text.expose().as_bytes(), file.mode)?;
    }
    report.simulated(taken, people.as_deref());
    Ok(())
}

/// Whoever types the simulator's start and setup in one go is not to lose: its first start makes keys, and lays out the
/// configuration last.
fn await_start(state: &Path, progress: Progress) -> anyhow::Result<()> {
    let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    let _waiting = progress.wait(format!("a simulator in {}", shown(state)), Bound::AtMost(PATIENCE));
    while !is_there(&state.join("mobileid.toml")) {
        if Instant::now() >= until {
            bail!(
                "--simulator {0}: nothing is laid out there: mobileid-simulator --state {0} does it",
                shown(state)
            );
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}
