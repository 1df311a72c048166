//! `mobileidctl doctor`: will sshd, sudo and PAM, as this host has them, do with the module what is meant?
//!
//! ```text
//!   /etc/pam.d ───> pam.rs ────┐  pam/file.rs reads, pam/walk.rs goes every way through a stack
//!   sshd -T ──────> sshd.rs ───┤
//!   sudoers ──────> sudo.rs ───┼──> findings: a closed list (finding.rs)
//!   accounts ─────> people.rs ─┤
//!   /sys ─────────> selinux.rs ┤
//!   mobileid.toml > own.rs ────┘
//!   (read.rs)       text in, findings out    (told.rs) words and JSON
//! ```
//!
//! Nothing is changed, and nobody is asked. What is not there or cannot be read is a finding too.

mod finding;
mod own;
mod pam;
mod people;
mod read;
mod selinux;
mod sshd;
mod sudo;
mod told;

use std::{
    io::ErrorKind::NotFound,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::bail;
use clap::Args;
use mobileid::{
    config::{DEFAULT_PATH, Unenrolled},
    load::Setup,
};

use crate::{
    Exit, out,
    progress::{Bound, Progress},
};
use finding::{Finding, Kind, Severity};
use own::{Need, Own};

/// Says what sshd, sudo and PAM will do wrong with the module
#[derive(Debug, Args)]
#[command(after_help = "\
Reads sshd's effective configuration (sshd -T), the PAM files, the sudoers
defaults, who is in the tables of users and SELinux's state, and says how to
mend what is wrong. Changes nothing and asks nobody. Run it as root.

Exit codes: 0 nothing wrong, 1 errors or warnings, 2 could not try.")]
pub(crate) struct Arguments {
    /// Instead of the one that sshd's PAM line names
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
    /// Also try sshd's Match blocks for this user
    #[arg(long, value_name = "NAME", value_parser = user_name)]
    user: Option<String>,
    /// Another configuration of sshd
    #[arg(long, value_name = "FILE")]
    sshd_config: Option<PathBuf>,
    /// The one folder of PAM files
    #[arg(long, value_name = "DIR")]
    pam_dir: Option<PathBuf>,
    /// Another sudoers file
    #[arg(long, value_name = "FILE")]
    sudoers: Option<PathBuf>,
    /// Look at the system below this folder
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Another sshd
    #[arg(long, value_name = "PROGRAM", hide = true)]
    sshd: Option<PathBuf>,
}

impl Arguments {
    /// What is examined where nothing else is said: this host, or another root with this configuration.
    pub(crate) fn of_host(config: Option<PathBuf>, root: Option<PathBuf>) -> Self {
        Self {
            config,
            json: false,
            user: None,
            sshd_config: None,
            pam_dir: None,
            sudoers: None,
            root: root.unwrap_or_else(|| "/".into()),
            sshd: None,
        }
    }
}

/// sshd takes the name in a list with commas.
fn user_name(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '$' | '+');
    if name.is_empty() || !name.chars().all(plain) {
        return Err("must be a user's name".to_owned());
    }
    Ok(name.to_owned())
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let report = Report::of(arguments)?;
    let well = report.is_well();
    if arguments.json {
        out::json(&report.as_json(well))?;
    } else {
        out::data(&report.in_words())?;
    }
    Ok(Exit::of(well))
}

#[derive(Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
    examined: Vec<String>,
}

impl Report {
    pub(crate) fn of(arguments: &Arguments) -> anyhow::Result<Self> {
        let mut report = Self::default();
        let sudoers = report.sudoers(arguments);
        let pam = report.pam(arguments, &sudoers)?;
        let line = pam.sshd.as_ref().and_then(|sshd| sshd.config.clone());
        let config = arguments.config.clone().or(line).unwrap_or_else(|| DEFAULT_PATH.into());
        let used = !pam.guarded.is_empty();
        let given = arguments.config.is_some();
        let need = match (used, given) {
            (true, _) => Need::Logins,
            (false, true) => Need::Named,
            (false, false) => Need::Nobody,
        };
        let own = report.own(&read_at(&arguments.root, &config, given), need);
        let root_by_sshd = pam.sshd.as_ref().is_some_and(|sshd| report.sshd(arguments, sshd, own.deadline));
        let of_sudo = |name: &String| name == "sudo" || name == "sudo-i" || sudoers.services.contains(name);
        if pam.guarded.iter().any(of_sudo) {
            report.findings.extend(sudoers.findings);
        }
        if used {
            report.selinux(arguments, own.port);
        }
        if let Some(setup) = own.setup.filter(|setup| used && setup.config.unenrolled == Unenrolled::Deny) {
            let services = pam.guarded.iter().filter(|name| *name == "sshd" || of_sudo(name));
            let services = services.map(String::as_str).collect();
            let doors = people::Doors { config: &config.to_string_lossy(), services, root_by_sshd };
            report.people(arguments, &setup, &doors);
        }
        report.findings.sort_by_key(|finding| finding.severity);
        Ok(report)
    }

    fn pam(&mut self, arguments: &Arguments, sudoers: &sudo::Sudoers) -> anyhow::Result<pam::Report> {
        let root = &arguments.root;
        let folders = match &arguments.pam_dir {
            Some(folder) => vec![folder.clone()],
            None => vec![read::below(root, "/etc/pam.d"), read::below(root, "/usr/lib/pam.d")],
        };
        let others = match folders.first().map(|folder| (folder, read::names(folder))) {
            Some((_, Ok(names))) => names.into_iter().filter(|name| !is_left_over(name)).collect(),
            Some((folder, Err(error))) => bail!("{}: {error}", folder.display()),
            None => Vec::new(),
        };
        let exists = |path: &Path| read::below(root, &path.to_string_lossy()).exists();
        let modules = pam::Modules { folder: read::module_folder(root), exists: &exists };
        let files = read::PamFiles { root: root.clone(), folders };
        let mut report = pam::examine(&files, &sudoers.services, &others, &modules);
        self.examined.extend(report.services.iter().map(|service| format!("PAM: {service}")));
        self.findings.append(&mut report.findings);
        Ok(report)
    }

    fn own(&mut self, config: &Path, need: Need) -> Own {
        let (own, finding) = Own::read(config, need);
        if own.setup.is_some() {
            self.examined.push(config.display().to_string());
        }
        self.findings.extend(finding);
        own
    }

    /// Also says whether root comes as far as PAM; what is not known is a finding of its own.
    fn sshd(&mut self, arguments: &Arguments, pam: &pam::Sshd, deadline: Duration) -> bool {
        let Some(program) = arguments.sshd.clone().or_else(read::sshd) else {
            let what = "there is no sshd on this host";
            self.find(Kind::NotInstalled, "sshd", what, "nothing, if that is meant");
            return false;
        };
        let real = arguments.root == Path::new("/");
        let below = (!real).then(|| read::below(&arguments.root, "/etc/ssh/sshd_config"));
        let config = arguments.sshd_config.clone().or(below);
        let mut configurations = Vec::new();
        for user in [None, Some("root")].into_iter().chain(arguments.user.as_deref().map(Some)) {
            let waiting = Progress::unless(arguments.json).wait("sshd -T", Bound::Of("sshd"));
            let effective = read::effective(&program, config.as_deref(), user);
            drop(waiting);
            match effective {
                Ok(text) => configurations.push(sshd::Effective::parse(user, &text)),
                Err(why) => {
                    let what = format!("not examined: {why}");
                    self.find(Kind::NotExamined, "sshd", &what, "run it as root, and mend what sshd says");
                    return false;
                }
            }
        }
        self.examined.push("sshd".to_owned());
        self.findings.extend(sshd::examine(&configurations, pam, deadline));
        sshd::root_comes_to_pam(&configurations)
    }

    fn sudoers(&mut self, arguments: &Arguments) -> sudo::Sudoers {
        let (root, path) = match &arguments.sudoers {
            // What it includes is this system's.
            Some(path) => (PathBuf::from("/"), std::path::absolute(path).unwrap_or_else(|_| path.clone())),
            None => (arguments.root.clone(), PathBuf::from("/etc/sudoers")),
        };
        let path = path.to_string_lossy();
        if !read::below(&root, &path).exists() {
            self.find(Kind::NotInstalled, "sudo", "there is no sudoers file", "nothing, if that is meant");
            return sudo::Sudoers::default();
        }
        let sudoers = sudo::examine(&read::SudoFiles { root }, &path);
        if sudoers.findings.iter().all(|finding| finding.kind != Kind::NotExamined) {
            self.examined.push("sudoers".to_owned());
        }
        sudoers
    }

    fn people(&mut self, arguments: &Arguments, setup: &Setup, doors: &people::Doors<'_>) {
        let [passwd, group] = ["/etc/passwd", "/etc/group"].map(|name| {
            let path = read::below(&arguments.root, name);
            match read::text(&path) {
                Ok(text) => text,
                Err(error) => {
                    if error.kind() != NotFound {
                        let what = format!("not examined: {error}");
                        self.find(Kind::NotExamined, name, &what, "run it as root, or look yourself");
                    }
                    String::new()
                }
            }
        });
        let accounts = people::Accounts::parse(&passwd, &group);
        self.findings.extend(people::examine(&setup.pam, &setup.directories, &accounts, doors));
    }

    fn selinux(&mut self, arguments: &Arguments, port: Option<u16>) {
        let folder = read::below(&arguments.root, "/sys/fs/selinux");
        let Ok(enforce) = read::text(&folder.join("enforce")) else { return };
        let boolean = read::text(&folder.join("booleans").join(selinux::BOOLEAN)).ok();
        self.examined.push("SELinux".to_owned());
        let policy = selinux::Policy::parse(&enforce, boolean.as_deref());
        self.findings.extend(selinux::examine(policy, port));
    }

    fn find(&mut self, kind: Kind, place: &str, what: &str, remedy: &str) {
        self.findings.push(Finding::new(kind, place, what, remedy));
    }

    /// Whether nothing is to be mended.
    pub(crate) fn is_well(&self) -> bool {
        !self.findings.iter().any(|finding| finding.severity < Severity::Note)
    }
}

/// What package managers and editors leave beside a service's file.
fn is_left_over(name: &str) -> bool {
    let ends = ["~", ".rpmnew", ".rpmsave", ".rpmorig", ".pam-old", ".bak"];
    name.contains(".dpkg-") || ends.iter().any(|end| name.ends_with(end))
}

/// A path that a PAM line names is the examined system's; one that the administrator names is this one's.
fn read_at(root: &Path, config: &Path, given: bool) -> PathBuf {
    if given { config.to_owned() } else { read::below(root, &config.to_string_lossy()) }
}
