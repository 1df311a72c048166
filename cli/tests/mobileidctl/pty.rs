//! The binary with a person before it: standard error is a terminal, and where questions are asked standard input too.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

use nix::pty::openpty;

use crate::support::Run;

/// A program that runs, and what is on its screen so far.
pub(crate) struct Watched {
    pub(crate) child: Child,
    keyboard: File,
    written: Receiver<Vec<u8>>,
    screen: Vec<u8>,
}

impl Watched {
    /// Starts it; what the terminal can do is for `term` to say.
    pub(crate) fn start(mut command: Command, term: &str) -> Self {
        let pty = openpty(None, None).unwrap();
        command.stderr(pty.slave);
        Self::of(command, term, pty.master)
    }

    /// Starts the binary with a terminal of its own, at whose keyboard somebody sits: Ctrl-C there is a signal.
    pub(crate) fn asked(arguments: &[&str]) -> Self {
        let pty = openpty(None, None).unwrap();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait", env!("CARGO_BIN_EXE_mobileidctl")]).args(arguments);
        command.stdin(pty.slave.try_clone().unwrap()).stderr(pty.slave);
        Self::of(command, "xterm", pty.master)
    }

    fn of(mut command: Command, term: &str, terminal: OwnedFd) -> Self {
        let child = command.env("TERM", term).stdout(Stdio::piped()).spawn().unwrap();
        // The command holds our end of the terminal, which is over when nobody has it any more.
        drop(command);
        let mut screen = File::from(terminal);
        let keyboard = screen.try_clone().unwrap();
        let (writes, written) = channel();
        std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut some) {
                let _ = writes.send(some[..length].to_vec());
            }
        });
        Self { child, keyboard, written, screen: Vec::new() }
    }

    /// Types something.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for a question, and answers it.
    pub(crate) fn answers(&mut self, question: &str, answer: &str) {
        self.wait_for(question);
        self.screen.clear();
        self.types(&format!("{answer}\n"));
    }

    /// Waits until a text has been written.
    pub(crate) fn wait_for(&mut self, text: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while !String::from_utf8_lossy(&self.screen).contains(text) {
            let left = until.saturating_duration_since(Instant::now());
            match self.written.recv_timeout(left) {
                Ok(more) => self.screen.extend(more),
                Err(_) => panic!("{text:?} is missing: {:?}", String::from_utf8_lossy(&self.screen)),
            }
        }
    }

    /// How it ended; in place of standard error, all that was written to the screen.
    pub(crate) fn ended(mut self) -> Run {
        let run = Run::of(self.child.wait_with_output().unwrap());
        self.written.iter().for_each(|more| self.screen.extend(more));
        Run { stderr: String::from_utf8(self.screen).unwrap(), ..run }
    }
}
