//! What the responder asks of its loop, and what it is told: the whole surface between deciding and doing.
//!
//! ```text
//!           datagram, event, tick                      Action
//!  loop ─────────────────────────────> Server ─────────────────────────────> loop
//!        what came, what has become        sockets, login tasks, files, the log
//!        of a login, that time has come
//! ```
//!
//! The loop carries out each action once and in order, and promises two things: every [`Action::Start`] and
//! [`Action::Resume`] is followed by exactly one [`Event::Ended`] or [`Event::Broken`], also after
//! [`Action::Abandon`]; every [`Action::Upstream`] and [`Action::Judge`] by exactly one [`Event::Upstream`] or [`Event::Broken`].

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mobileid::{
    audit::AuditRecord,
    login::{Request, Ticket},
    notice::Notice,
    outcome::{Outcome, Proof},
    secret::Secret,
    subscriber::UserName,
};

use crate::{config::Settings, upstream};

/// Where a packet came from, and which of our doors it came in by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Peer {
    /// A number of the loop's own, for a socket and the address of ours that was written to. It means nothing here,
    /// and is never given to another door: also not after a reload that changes the listeners.
    pub listener: usize,
    /// What is asked for there.
    pub purpose: Purpose,
    /// The sender.
    pub remote: SocketAddr,
}

/// What a listener is for: `listen` or `accounting` of the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Logins, and Status-Server.
    Authentication,
    /// Accounting-Request, and Status-Server.
    Accounting,
}

/// One login, unique in the life of this process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LoginId(pub u64);

impl fmt::Display for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "login {}", self.0)
    }
}

/// What the loop is to do.
#[derive(Debug)]
pub enum Action {
    /// Send an answer.
    Send {
        /// To whom, and out of which socket.
        to: Peer,
        /// The finished packet.
        packet: Arc<[u8]>,
    },
    /// Begin a login.
    Start {
        /// Its name in every event about it.
        id: LoginId,
        /// The snapshot that it runs under.
        settings: Arc<Settings>,
        /// Who wants to log in, and where.
        request: Request,
    },
    /// Finish a login that another node began.
    Resume {
        /// Its name here.
        id: LoginId,
        /// The snapshot that it runs under.
        settings: Arc<Settings>,
        /// Who wants to log in, and where.
        request: Request,
        /// What the other node handed on.
        ticket: Ticket,
    },
    /// Ask the first factor's server.
    Upstream {
        /// The login that waits for it.
        id: LoginId,
        /// The snapshot that it runs under.
        settings: Arc<Settings>,
        /// What is asked.
        ask: upstream::Ask,
    },
    /// Ask a directory whether the password is the user's.
    Judge {
        /// The login that waits for it.
        id: LoginId,
        /// The snapshot that it runs under.
        settings: Arc<Settings>,
        /// What is asked.
        password: Password,
    },
    /// Nobody waits for this login any more: the driver answers `Cancelled` to its machine. Its end is reported all
    /// the same.
    Abandon {
        /// Which one.
        id: LoginId,
    },
    /// One audit line: a login has ended.
    Audit(Box<AuditRecord>),
    /// One line, in JSON, of an Accounting-Request.
    Account(String),
    /// A login that was accepted, with its proof, for the evidence folder.
    Keep(Box<Proof>, Arc<Settings>),
    /// An exact address has shown a valid Message-Authenticator: remember it across restarts.
    Learnt(String, IpAddr),
    /// A line for the administrator. Rate-limited already, by client and reason.
    Log(Level, String),
}

/// A password that a directory is to judge.
#[derive(Debug)]
pub struct Password {
    /// The name of the directory.
    pub directory: String,
    /// Whose it is to be.
    pub user: UserName,
    /// The password.
    pub password: Secret,
    /// How long an answer is of use.
    pub within: Duration,
}

/// How urgent a line for the administrator is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// What somebody who looks for a mistake wants to see.
    Debug,
    /// What happens in the ordinary course.
    Info,
    /// Somebody should look at this.
    Warning,
    /// A defect.
    Error,
}

/// What the loop reports.
#[derive(Debug)]
pub enum Event {
    /// The login's notice is known, with the code that the phone shows.
    Shown {
        /// The login.
        id: LoginId,
        /// Text for the person.
        notice: Notice,
    },
    /// The transaction is outstanding and can be finished elsewhere.
    Outstanding {
        /// The login.
        id: LoginId,
        /// What finishing it takes.
        ticket: Ticket,
    },
    /// The login has ended.
    Ended {
        /// The login.
        id: LoginId,
        /// How.
        outcome: Box<Outcome>,
    },
    /// Its task panicked, or could not be begun.
    Broken {
        /// The login.
        id: LoginId,
        /// For the log.
        detail: String,
    },
    /// What the first factor's server or directory said.
    Upstream {
        /// The login.
        id: LoginId,
        /// Its answer.
        answer: upstream::Answer,
    },
}
