//! The PAM module side by side with other modules, and with curl and openssl, in one run on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use mobileid_benches::guests::Guests;
use mobileid_benches::parts::{loading, login};
use mobileid_benches::service::{Crowd, Service, Signing};
use mobileid_benches::table::{Book, say};
use mobileid_benches::{clock, machine};
use serde_json::json;

const HELP: &str =
    "Measures pam_mobileid beside pam_permit, pam_duo and pam_google_authenticator, and a login beside
curl and openssl, on this machine alone.

Usage: bench-pam [OPTION]...

  --rounds NUMBER    how often each is asked, in turns (200)
  --programs FOLDER  where libpam_mobileid.so and mobileid-simulator are (beside this program)
  --out FOLDER       where files go (bench, beside the folder of this program)
";

/// An account that every machine has. The simulator does not enrol it.
const USER: &str = "root";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench-pam: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let own = std::env::current_exe()?;
    let beside = own.parent().context("this program is in a folder")?;
    let mut programs = beside.to_owned();
    let mut out = beside.parent().unwrap_or(beside).join("bench");
    let mut rounds = 200;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("rounds") => rounds = parser.value()?.parse()?,
            Long("programs") => programs = PathBuf::from(parser.value()?),
            Long("out") => out = PathBuf::from(parser.value()?),
            Short('h') | Long("help") => {
                say(HELP);
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if rounds == 0 {
        bail!("--rounds is 1 or more");
    }
    // A module that the program's own folder has may be seen by it alone, as by whoever runs this.
    measure(&fs::canonicalize(programs)?, &out, rounds)
}

fn measure(programs: &Path, out: &Path, rounds: usize) -> Result<()> {
    let work = out.join("pam");
    fs::create_dir_all(&work)?;
    let work = fs::canonicalize(work)?;
    let module = programs.join("libpam_mobileid.so");
    let simulator = programs.join("mobileid-simulator");
    for built in [&module, &simulator] {
        if !built.exists() {
            bail!("{} is not there: build it first, as `make bench-pam` does", built.display());
        }
    }
    let head = json!({
        "at": clock::wall().as_secs(), "cores": std::thread::available_parallelism()?.get(),
        "processor": machine::processor(), "rounds": rounds,
    });
    say(&format!("{head}\n"));
    let crowd = Crowd { size: 1, delay: std::time::Duration::ZERO, signing: Signing::Ec };
    let service = Service::start(&simulator, &work.join("service"), crowd)?;
    let guests = Guests::new(&work.join("services"), USER)?;
    let mut book = Book::default();
    loading::run(&mut book, &guests, &module, &service, rounds)?;
    login::run(&mut book, &guests, &module, &service, rounds)?;
    book.close(head, &out.join("pam.json"))
}
