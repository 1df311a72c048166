//! `mobileid-radiusd` side by side with FreeRADIUS, in one run on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use lexopt::prelude::*;
use mobileid_benches::parts::{Bench, instant, rate, waiting};
use mobileid_benches::process::more_descriptors;
use mobileid_benches::table::{Book, say};
use mobileid_benches::{clock, freeradius, machine};
use serde_json::json;

const HELP: &str = "Measures mobileid-radiusd and FreeRADIUS side by side, on this machine alone.

Usage: bench-radius [OPTION]...

  --part LETTERS     only these parts (abc): a rate without phones, b people waiting, c instant phones
  --quick            in a minute or two: to see that it works, the numbers mean little
  --without-peer     leave FreeRADIUS out
  --without-ours     leave mobileid-radiusd out
  --programs FOLDER  where mobileid-radiusd and mobileid-simulator are (beside this program)
  --out FOLDER       where files go (bench, beside the folder of this program)
";

/// The simulator and the responder each take one per waiting person in synchronous mode.
const DESCRIPTORS: u64 = 65_536;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench-radius: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let own = std::env::current_exe()?;
    let beside = own.parent().context("this program is in a folder")?;
    let mut programs = beside.to_owned();
    let mut out = beside.parent().unwrap_or(beside).join("bench");
    let mut parts = "abc".to_owned();
    let (mut quick, mut peer, mut ours) = (false, true, true);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("part") => parts = parser.value()?.string()?,
            Long("quick") => quick = true,
            Long("without-peer") => peer = false,
            Long("without-ours") => ours = false,
            Long("programs") => programs = PathBuf::from(parser.value()?),
            Long("out") => out = PathBuf::from(parser.value()?),
            Short('h') | Long("help") => {
                say(HELP);
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if peer && freeradius::version().is_none() {
        bail!("FreeRADIUS is not installed: `make deps` installs it, --without-peer leaves it out");
    }
    let bench = Bench {
        responder: if ours { Some(program(&programs, "mobileid-radiusd")?) } else { None },
        simulator: program(&programs, "mobileid-simulator")?,
        folder: out.join("work"),
        quick,
        peer,
        connections: u32::try_from(more_descriptors(DESCRIPTORS)?)?.saturating_sub(200),
    };
    fs::create_dir_all(&bench.folder)?;
    measure(&bench, &parts, &out)
}

fn measure(bench: &Bench, parts: &str, out: &Path) -> Result<()> {
    let began = Instant::now();
    let head = json!({
        "at": clock::wall().as_secs(), "cores": std::thread::available_parallelism()?.get(),
        "processor": machine::processor(), "freeradius": freeradius::version(), "quick": bench.quick,
        "connections": bench.connections,
    });
    say(&format!("{head}\n"));
    let mut book = Book::default();
    if parts.contains('a') {
        rate::run(bench, &mut book)?;
    }
    if parts.contains('b') {
        waiting::run(bench, &mut book)?;
    }
    if parts.contains('c') {
        instant::run(bench, &mut book)?;
    }
    book.close(head, &out.join("radius.json"))?;
    say(&format!("in {:.0} s\n", began.elapsed().as_secs_f64()));
    Ok(())
}

fn program(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    if !path.exists() {
        bail!("{} is not there: build it first, as `make bench-radius` does", path.display());
    }
    Ok(path)
}
