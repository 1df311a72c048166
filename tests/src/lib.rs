//! The laboratory: a private world in which the real programs log people in.
//!
//! A [`Lab`] is a mount and a process namespace with an `/etc`, `/run`, `/home`, `/var/log` and `/dev` of
//! its own. In it run the machine's own sshd, ssh, sudo, su, login and pamtester, unchanged, so a test sees
//! what a user sees; and nothing of the machine is touched, so a test may break PAM as it likes.
//!
//! ```text
//!   test process                          the world (Lab)
//!   ------------                          ---------------
//!   Terminal  <---- pseudo-terminal ----> ssh, sudo, su, login        accounts: alice, bob, ...
//!   Sshd      <---- its log -------------- sshd, PAM service `sshd`   /etc/pam.d: what the test wrote
//!   Syslog    <---- /dev/log ------------- pam_syslog of the module   /etc/mobileid: the simulator's files
//!   Simulator <---- journal.jsonl -------- mobileid-simulator
//! ```
//!
//! One story, from beginning to end:
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use mobileid_tests::{Lab, Methods};
//!
//! let lab = Lab::new()?;
//! lab.pam_service("sshd", "auth required pam_unix.so")?;
//! let sshd = lab.sshd(&[])?;
//! let mut session = sshd.login("alice", Methods::Interactive)?;
//! session.expect("Password:")?;
//! session.send_line(mobileid_tests::PASSWORD)?;
//! session.expect("granted to alice")?;
//! # Ok(()) }
//! ```
//!
//! Nothing here sleeps in order to wait: whoever waits names what it waits for, and fails after
//! [`DEADLINE`] with everything that was seen until then. Dropping the `Lab` ends every process in it: the
//! kernel does so when the namespace's first process goes, and that one also goes when the test dies.

mod accounts;
mod artefacts;
mod host;
mod lab;
mod laps;
mod lines;
mod phone;
mod product;
pub mod radius;
mod simulator;
mod slapd;
mod sshd;
mod terminal;

use std::time::Duration;

pub use accounts::{PASSWORD, USERS};
pub use artefacts::Artefacts;
pub use host::{Conversation, Round, nothing_left};
pub use lab::Lab;
pub use laps::{Lap, Run, Stay};
pub use lines::Lines;
pub use simulator::Simulator;
pub use slapd::Slapd;
pub use sshd::{Methods, OpenSsh, Sshd, TALKATIVE};
pub use terminal::{Ended, Prompt, Terminal};

/// How long a test waits for something before it fails. Generous, because two cores carry many worlds.
pub const DEADLINE: Duration = Duration::from_secs(40);
