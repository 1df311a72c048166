//! Measures `mobileid-radiusd` and `pam_mobileid.so` and their peers side by side, on this machine, in one run.
//!
//! ```text
//!  bin/bench-radius ── parts/ ──┬── freeradius  the peer, with a users file or with a script that waits
//!       |                       ├── responder   mobileid-radiusd
//!       v                       ├── service     mobileid-simulator, with as many phones as wanted
//!    table                      ├── load        a NAS with many source ports; checks every answer
//!                               ├── watch       what a process costs: CPU, memory, threads, children
//!                               └── bare        what the cryptography alone costs
//! ```
//!
//! `bin/bench-pam` measures `pam_mobileid.so`: the same service, `parts/loading` and `parts/login`, and `guests`, the
//! modules of a host that a small C program asks.
//!
//! Everything listens on loopback and is started and ended here. The load generator has its own reading of
//! RADIUS: it shares no line with the responder that it measures.
#![forbid(unsafe_code)]

pub mod bare;
pub mod clock;
pub mod freeradius;
pub mod guests;
pub mod load;
pub mod machine;
pub mod parts;
pub mod process;
pub mod responder;
pub mod service;
pub mod table;
pub mod watch;
