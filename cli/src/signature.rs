//! `mobileidctl signature verify`: checks a signature that was kept, as a login checks one that comes.
//!
//! The files are the caller's own, so they are read as they are: who may change them is for the caller to know.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use mobileid::{
    load::is_certificate_file,
    subscriber::SerialNumber,
    verify::{self, Refusal, Refused, Signer, TrustAnchors},
};
use serde::Serialize;

use crate::{Exit, out, when};

/// Looks at signatures that were kept as evidence
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Verify(Arguments),
}

/// Checks that a text was signed, and by whom
#[derive(Debug, Args)]
#[command(
    override_usage = "mobileidctl signature verify --cms <FILE> --text <TEXT> --trust <PATH>",
    after_help = "\
A folder of evidence has a pair of files per login. To check one:
  mobileidctl signature verify --cms ID.p7s --text \"$(cat ID.txt)\" \\
    --trust trust.d --at TIME

Exit codes: 0 accepted, 1 refused, 2 unusable arguments."
)]
pub(crate) struct Arguments {
    /// The CMS signature, binary or base64
    #[arg(long, value_name = "FILE")]
    cms: PathBuf,
    /// The text that must have been signed, with its prefix
    #[arg(long, allow_hyphen_values = true)]
    text: String,
    /// A root, PEM or DER, or a folder of them; repeatable
    #[arg(long, value_name = "PATH", required = true)]
    trust: Vec<PathBuf>,
    /// The serial number that the signer must have
    #[arg(long)]
    serial: Option<SerialNumber>,
    /// When it was: 2024-07-02T08:30:00Z [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = when::parse_rfc3339)]
    at: Option<SystemTime>,
    /// Print one line of JSON instead of text
    #[arg(long)]
    json: bool,
}

/// The verdict, with its fields in the order in which they are printed.
#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
enum Verdict {
    Accepted { serial: String, subject: String, not_after: String, key: String },
    Refused { reason: &'static str, detail: String },
}

pub(crate) fn run(verb: &Verb) -> anyhow::Result<Exit> {
    let Verb::Verify(arguments) = verb;
    let file = read(&arguments.cms)?;
    let anchors = anchors(&arguments.trust)?;
    let at = arguments.at.unwrap_or_else(SystemTime::now);
    let checked = check(&file, &arguments.text, &anchors, arguments.serial.as_ref(), at);
    let exit = Exit::of(checked.is_ok());
    let verdict = Verdict::from(checked);
    if arguments.json {
        out::json(&verdict)?
    } else {
        out::data(&verdict.in_words())?
    }
    Ok(exit)
}

fn check(
    file: &[u8],
    text: &str,
    anchors: &TrustAnchors,
    serial: Option<&SerialNumber>,
    at: SystemTime,
) -> Result<Signer, Refused> {
    let cms = verify::decode_file(file)?;
    let signer = verify::check_signature(&cms, text, anchors, at)?;
    match serial {
        Some(expected) if *expected != signer.serial => Err(Refused {
            refusal: Refusal::SerialMismatch,
            detail: format!("the signer has the serial number {}, not {expected}", signer.serial),
        }),
        _ => Ok(signer),
    }
}

impl From<Result<Signer, Refused>> for Verdict {
    fn from(checked: Result<Signer, Refused>) -> Self {
        match checked {
            Ok(signer) => Self::Accepted {
                serial: signer.serial.to_string(),
                subject: signer.subject,
                not_after: when::rfc3339(signer.not_after),
                key: signer.key,
            },
            Err(refused) => Self::Refused { reason: refused.refusal.name(), detail: refused.detail },
        }
    }
}

impl Verdict {
    fn in_words(&self) -> String {
        match self {
            Self::Accepted { serial, subject, not_after, key } => format!(
                "accepted\n  serial     {serial}\n  subject    {subject}\n  not after  {not_after}\n  key        {key}"
            ),
            Self::Refused { reason, detail } => format!("refused: {reason}: {detail}"),
        }
    }
}

/// The anchors of all files and folders; one that cannot be used makes the arguments unusable.
fn anchors(paths: &[PathBuf]) -> anyhow::Result<TrustAnchors> {
    let mut anchors = TrustAnchors::default();
    for path in paths {
        let files = if path.is_dir() { folder(path)? } else { vec![path.clone()] };
        for file in files {
            let read = anchors_of(&read(&file)?);
            anchors.extend(read.with_context(|| file.display().to_string())?);
        }
    }
    Ok(anchors)
}

fn anchors_of(file: &[u8]) -> anyhow::Result<TrustAnchors> {
    /// What DER starts with, and PEM never does.
    const SEQUENCE: u8 = 0x30;
    if file.first() == Some(&SEQUENCE) {
        return Ok(TrustAnchors::from_der(file.to_vec())?);
    }
    Ok(TrustAnchors::from_pem(std::str::from_utf8(file).context("neither PEM nor DER")?)?)
}

/// The certificate files of a folder, by name.
fn folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let shown = || folder.display().to_string();
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(shown)? {
        let path = entry.with_context(shown)?.path();
        if is_certificate_file(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        bail!("{}: no .pem, .crt or .cer file in it", shown());
    }
    files.sort();
    Ok(files)
}

/// Reads a whole file, which may be a pipe, but not an endless one.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    const MAX: u64 = 16 << 20;
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX + 1).read_to_end(&mut bytes))
        .with_context(|| path.display().to_string())?;
    ensure!(u64::try_from(bytes.len())? <= MAX, "{}: is larger than 16 MiB", path.display());
    Ok(bytes)
}
