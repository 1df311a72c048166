//! Every way to log in times every way that it goes, on the real programs: one row for each.
//!
//! A row says how the program ends, how many times a phone rang, which audit lines were written, and words that
//! the person saw. Each is a test of its own: `matrix::sshd::password::refuse`.

mod sshd;
mod su;
mod sudo;

use anyhow::{Result, ensure};
use mobileid_tests::{Lab, Simulator, Terminal};

use crate::support::{same_code, verdicts};

/// What a user who runs a setuid program would have the module believe.
const HOSTILE: &[(&str, &str)] = &[
    ("SUDO_COMMAND", "/bin/true harmless"),
    ("SUDO_USER", "dave"),
    ("SSH_CONNECTION", "10.1.2.3 1 10.1.2.4 22"),
    ("SSH_AUTH_INFO_0", "publickey ssh-ed25519 AAAA"),
    ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ("ALL_PROXY", "http://127.0.0.1:1"),
    ("SSL_CERT_FILE", "/dev/null"),
    ("SSLKEYLOGFILE", "/run/lab/keys"),
    ("RUST_LOG", "trace"),
    ("RUST_BACKTRACE", "full"),
    ("TMPDIR", "/nowhere"),
    ("XDG_RUNTIME_DIR", "/nowhere"),
];

/// How it ends for the person at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// They get what they wanted.
    In,
    /// They do not.
    Out,
    /// They did not stay to see.
    Away,
}

/// What a row expects.
#[derive(Debug)]
struct Expected {
    end: End,
    /// How many times the simulator wrote that a phone rang: anybody's.
    pushes: usize,
    /// The audit lines, in order: `VERDICT REASON, VERDICT REASON`, or `3x VERDICT REASON`.
    audits: &'static str,
    /// What the terminal showed, in order.
    seen: &'static [&'static str],
}

/// One test for each row of a table: `STORY: END, PUSHES, AUDIT LINES, [WORDS SEEN];`. The attribute in brackets,
/// where there is one, is for each of the tests.
macro_rules! rows {
    ($way:ident { $($rows:tt)* }) => { rows! { [cfg(all())] $way { $($rows)* } } };
    ($attribute:tt $way:ident {
        $($story:ident: $end:ident, $pushes:literal, $audits:literal, [$($seen:literal),*];)*
    }) => {
        mod $way {
            use crate::matrix::{End, Expected};
            $(
                #$attribute
                #[test]
                fn $story() -> anyhow::Result<()> {
                    let (end, pushes, audits) = (End::$end, $pushes, $audits);
                    let expected = Expected { end, pushes, audits, seen: &[$($seen),*] };
                    super::play(super::$way(), super::$story(), &expected)
                }
            )*
        }
    };
}
use rows;

impl Expected {
    /// Checks what is left of a login once its program has ended. `user` is whom the audit lines are about.
    fn check(
        &self,
        lab: &Lab,
        mobile_id: &Simulator<'_>,
        user: &str,
        session: Terminal,
        granted: &str,
    ) -> Result<()> {
        let shown = match self.end {
            End::Away => session.shown().to_owned(),
            End::In | End::Out => {
                let ended = session.finish()?;
                let succeeded = ended.status.success() && ended.shown.contains(granted);
                ensure!(
                    succeeded == (self.end == End::In),
                    "{}, not {:?}:\n{}",
                    ended.status,
                    self.end,
                    ended.shown
                );
                ended.shown
            }
        };
        let audits = self.audits(lab, user)?;
        let pushes = mobile_id.all_pushes();
        // Whoever is killed in the wait leaves at least this.
        let announced = lab.syslog().containing("request sent: ").len();
        ensure!(
            announced >= pushes,
            "a phone rang and nothing said so before:\n{}",
            lab.syslog().all().join("\n")
        );
        if let [phone] = mobile_id.pushes(user).unwrap_or_default().as_slice()
            && shown.contains("code ")
        {
            same_code(&shown, phone)?;
        }
        let seen = in_order(&shown, self.seen);
        ensure!(
            audits == self.audits && pushes == self.pushes && seen,
            "not {self:?}, but {pushes} pushes, {audits:?}, and this was seen:\n{shown}\n{}",
            lab.syslog().all().join("\n")
        );
        Ok(())
    }

    /// The audit lines as a row writes them, once there are as many as it expects.
    fn audits(&self, lab: &Lab, user: &str) -> Result<String> {
        let many = self.audits.split_terminator(", ").map(times).sum();
        // Where they do not come, what there is instead tells more than that.
        let _ = lab.syslog().wait_for_many(&format!("\"user\":\"{user}\""), many);
        let lines = verdicts(lab, user)?;
        let runs = lines.chunk_by(|one, next| one == next).filter_map(|run| Some((run.len(), run.first()?)));
        let written =
            runs.map(|(many, line)| if many == 1 { line.clone() } else { format!("{many}x {line}") });
        Ok(written.collect::<Vec<_>>().join(", "))
    }
}

/// How many audit lines stand for one word of a row.
fn times(line: &str) -> usize {
    line.split_once("x ").and_then(|(times, _)| times.parse().ok()).unwrap_or(1)
}

fn in_order(shown: &str, words: &[&str]) -> bool {
    let mut rest = Some(shown);
    for word in words {
        rest = rest.and_then(|text| text.split_once(word)).map(|(_, after)| after);
    }
    rest.is_some()
}
