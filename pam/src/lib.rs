//! `pam_mobileid.so`: the Mobile ID second factor as a PAM module, for sshd, sudo, su and login.
//!
//! ```text
//!  sshd, sudo, ...                                                      crate mobileid
//!       │ pam_sm_authenticate                                                 │
//!       v                                                                     v
//!     ffi ──> authenticate: options ─> facts ─> load ─> gate ─> run ─> report ─> codes
//!      │            │ asks libpam through Host      │ asks the world through System
//!      └── Host ────┴───────────────────────────────┴── system::Live
//! ```
//!
//! `authenticate` is the story of one login and where to start reading; `attempt` is its middle, from whose phone it
//! is to what was decided, and `recall` what it finds of earlier logins and leaves for later ones. They are written
//! against two traits: `host::Host` is what they need of libpam, `system::System` what they need of everything else. Only
//! `ffi` speaks to libpam; unsafe code is there and in `wiping`, the allocator, and nowhere else.
//!
//! The module is a guest in a process that runs as root. It writes to no stream, reads no environment
//! variable, starts no thread or child, touches no signal, and leaves nothing open. It keeps no
//! configuration between two calls, and wipes the memory that it gives back. A panic ends in a denial, in the log
//! and not on the terminal.

#[cfg(panic = "abort")]
compile_error!("a panic must end in a denial, not in the death of sshd: build with panic = \"unwind\"");

mod attempt;
mod authenticate;
mod codes;
mod command;
mod facts;
mod ffi;
mod host;
mod openssh;
mod options;
mod panics;
mod person;
mod presence;
mod process;
mod recall;
mod system;
mod wiping;
