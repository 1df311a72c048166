//! `mobileid-radiusd`: reads its arguments and its configuration, and runs the loop on this thread.
#![forbid(unsafe_code)]

use std::{
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use mobileid_radius::{
    daemon::{Daemon, Order, Plan, Refused, Surroundings},
    log::Log,
    notify::Notifier,
    server::Level,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::{
    runtime,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

/// Where the configuration is if nobody says otherwise.
const CONFIG: &str = "/etc/mobileid/radiusd.toml";
const HELP: &str = "\
Usage: mobileid-radiusd [--config FILE] [--check | --debug]

Answers RADIUS requests once a phone has confirmed with Swisscom Mobile ID.

  --config FILE  the configuration; /etc/mobileid/radiusd.toml if absent
  --check        read everything, print every mistake and warning, and end
  --debug        say what becomes of each packet
  -h, --help     print this
  -V, --version  print the version

SIGHUP reads the configuration again, SIGTERM lets pending logins end.
Exit codes: 0 ended, or all is well; 1 a mistake in the configuration;
2 a mistake in these arguments. See mobileid-radiusd(8).
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    Run { config: PathBuf, log: Level },
    Check { config: PathBuf },
    Print(String),
}

impl Command {
    fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;

        let (mut config, mut check, mut log) = (PathBuf::from(CONFIG), false, Level::Info);
        let mut parser = lexopt::Parser::from_args(args);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("config") => config = parser.value()?.into(),
                Long("check") => check = true,
                Long("debug") => log = Level::Debug,
                Short('h') | Long("help") => return Ok(Self::Print(HELP.into())),
                Short('V') | Long("version") => {
                    return Ok(Self::Print(
                        concat!("mobileid-radiusd ", env!("CARGO_PKG_VERSION"), "\n").into(),
                    ));
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(if check { Self::Check { config } } else { Self::Run { config, log } })
    }
}

fn main() -> ExitCode {
    match Command::from_args(std::env::args_os().skip(1)) {
        Ok(Command::Print(text)) => print(&text),
        Ok(Command::Check { config }) => check(config),
        Ok(Command::Run { config, log }) => run(config, Log::to_stderr(log)),
        Err(usage) => {
            let _ = writeln!(io::stderr(), "mobileid-radiusd: {usage}; --help explains");
            ExitCode::from(2)
        }
    }
}

fn print(text: &str) -> ExitCode {
    io::stdout().write_all(text.as_bytes()).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS)
}

fn check(config: PathBuf) -> ExitCode {
    match Plan::check(&config) {
        Ok(warnings) => {
            let warnings: String = warnings.iter().map(|w| format!("warning: {w}\n")).collect();
            print(&format!("{warnings}{}: no mistakes\n", config.display()))
        }
        Err(refused) => {
            let _ = writeln!(io::stderr(), "{refused}");
            ExitCode::FAILURE
        }
    }
}

fn run(config: PathBuf, log: Log) -> ExitCode {
    say_where_it_panics(log);
    take_all_descriptors();
    match serve(config, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Refused(whys)) => {
            for why in &whys {
                log.write(Level::Error, why);
            }
            ExitCode::FAILURE
        }
    }
}

/// Two runtimes: logins and their cryptography have a thread per core, packets have this thread for themselves.
fn serve(config: PathBuf, log: Log) -> Result<(), Refused> {
    let system = |error: io::Error| Refused(vec![error.to_string()]);
    let workers =
        runtime::Builder::new_multi_thread().enable_all().thread_name("login").build().map_err(system)?;
    let packets = runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    // First of all: a SIGHUP that comes while the configuration is read would end us.
    let orders = packets.block_on(async { orders() }).map_err(system)?;
    let plan = Plan::read(&config)?;
    let notifier = Notifier::from_environment()
        .map_err(|error| Refused(vec![format!("NOTIFY_SOCKET, the way to the service manager: {error}")]))?;
    let ended = packets.block_on(async {
        let around = Surroundings { config, workers: workers.handle().clone(), notifier, log };
        Daemon::new(plan, around)?.run(orders).await
    });
    // What still hangs in a name look-up is not waited for.
    workers.shutdown_background();
    ended
}

/// Signals, as orders.
fn orders() -> io::Result<mpsc::Receiver<Order>> {
    let (sender, orders) = mpsc::channel(4);
    for (kind, order) in [
        (SignalKind::hangup(), Order::Reload),
        (SignalKind::terminate(), Order::Stop),
        (SignalKind::interrupt(), Order::Stop),
    ] {
        let (mut signals, sender) = (signal(kind)?, sender.clone());
        tokio::spawn(
            async move { while signals.recv().await.is_some() && sender.send(order).await.is_ok() {} },
        );
    }
    Ok(orders)
}

/// A panic ends one login, not the service, and its line says where it was. What it says of itself may quote what
/// somebody sent, and is left out.
fn say_where_it_panics(log: Log) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(|| "an unknown place".into(), ToString::to_string);
        log.write(Level::Error, &format!("a defect of this program: it panicked at {place}"));
    }));
}

/// A waiting login may take a descriptor. Where the system gives no more, fewer can wait at once.
fn take_all_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_say_what_is_done() {
        let run = |config: &str, log| Command::Run { config: config.into(), log };
        for (args, expected) in [
            (&[][..], run(CONFIG, Level::Info)),
            (&["--config", "r.toml", "--debug"], run("r.toml", Level::Debug)),
            (&["--check", "--config=r.toml"], Command::Check { config: "r.toml".into() }),
            (&["--check", "--help"], Command::Print(HELP.into())),
        ] {
            assert_eq!(Command::from_args(args.iter().map(OsString::from)).unwrap(), expected);
        }
        for args in [&["--config"][..], &["--insecure"], &["radiusd.toml"], &["--check=yes"]] {
            assert!(Command::from_args(args.iter().map(OsString::from)).is_err(), "{args:?}");
        }
    }

    #[test]
    fn the_help_fits_on_a_screen_and_the_manual_has_all_of_it() {
        assert!(HELP.lines().count() <= 24 && HELP.lines().all(|line| line.len() <= 80), "{HELP}");
        let page = include_str!("../../packaging/man/mobileid-radiusd.8").replace("\\-", "-");
        let options = HELP.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        let options: Vec<&str> = options.filter(|word| word.starts_with('-')).collect();
        assert!(options.contains(&"--check") && options.contains(&"-V"), "{options:?}");
        let signals = ["SIGHUP", "SIGTERM", "SIGINT"];
        let environment = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"];
        let codes = ["\n.B 0\n", "\n.B 1\n", "\n.B 2\n"];
        assert!(page.contains(&format!("\nDefault:\n.IR {CONFIG} .\n")), "the default is not in the manual");
        for said in options.into_iter().chain([CONFIG]).chain(signals).chain(environment).chain(codes) {
            assert!(page.contains(said), "{said} is not in the manual");
        }
    }

    #[test]
    fn the_guide_quotes_lines_that_there_are() {
        let guide = include_str!("../../docs/troubleshooting.md");
        let (_, section) = guide.split_once("\n## Other lines of mobileid-radiusd\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let sources = sources(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")))
            + &code(include_str!("../../src/driver/directories.rs"));
        let first_cells = section.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
        let quoted = first_cells.flat_map(|(cell, _)| cell.split('`').skip(1).step_by(2));
        let mut count = 0;
        for line in quoted {
            assert!(sources.contains(line), "nothing says: {line}");
            count += 1;
        }
        assert!(count >= 20, "{count}");
    }

    /// What can say something: no tests.
    fn sources(folder: &std::path::Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let said = entries.filter(|path| path.file_stem().is_none_or(|name| name != "tests"));
        let text = |path: PathBuf| {
            if path.is_dir() { sources(&path) } else { code(&std::fs::read_to_string(path).unwrap()) }
        };
        said.map(text).collect()
    }

    /// The code of a file, without its tests and comments.
    fn code(text: &str) -> String {
        let (code, _) = text.split_once("\nmod tests {").unwrap_or((text, ""));
        code.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|line| format!("{line}\n"))
            .collect()
    }
}
