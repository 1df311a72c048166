//! The simulator as a program: one line on stdout when it is ready, then nothing until it is told to end.

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Result;
use mobileid_simulator::{Command, Simulator};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "mobileid-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (options, exit_with_stdin) = match Command::from_args(std::env::args_os().skip(1))? {
        Command::Serve { options, exit_with_stdin } => (options, exit_with_stdin),
        Command::Print(text) => return Ok(std::io::stdout().write_all(text.as_bytes())?),
        // The library may grow commands that this program does not have.
        _ => anyhow::bail!("not a command of this program"),
    };
    take_all_descriptors();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before the ready line: whoever reads it may send a signal at once.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        let simulator = Simulator::start(*options)?;
        let mut stdout = std::io::stdout();
        stdout.write_all(simulator.ready_line().as_bytes())?;
        stdout.flush()?;
        let stdin_ended = stdin_ended(exit_with_stdin);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            () = stdin_ended => {}
        }
        simulator.stop();
        Ok(())
    })
}

/// A crowd of clients takes a descriptor each. Where the system gives no more, fewer can wait at once.
fn take_all_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// Resolves when standard input ends, if that is to matter. The thread that reads it dies with the process.
async fn stdin_ended(matters: bool) {
    let (ended, end) = oneshot::channel::<()>();
    if !matters {
        return std::future::pending().await;
    }
    std::thread::spawn(move || {
        let mut scrap = [0; 1024];
        while let Ok(1..) = std::io::stdin().read(&mut scrap) {}
        drop(ended);
    });
    let _ = end.await;
}
