//! What the generator is to do.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// When the next login begins.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// All at once.
    Burst,
    /// As soon as fewer than so many are open.
    Closed(usize),
    /// So many per second, whatever becomes of them.
    Rate(f64),
}

/// A load, from the first login to the last.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server; on loopback.
    pub target: SocketAddr,
    /// What is shared with it.
    pub secret: Vec<u8>,
    /// Logins to begin.
    pub count: u32,
    /// When they begin.
    pub pace: Pace,
    /// The User-Name; `{}` in it stands for the login's number.
    pub user: String,
    /// After so many users it begins with the first again; 0 is a user for each login.
    pub users: u32,
    /// The User-Password; empty sends none.
    pub password: Vec<u8>,
    /// How long an answer may take before the packet is sent again, or given up.
    pub timeout: Duration,
    /// How often the same packet is sent again.
    pub retries: u32,
    /// After so long a second request for the same login, under an identifier of its own.
    pub rejoin: Option<Duration>,
    /// After so long an Access-Challenge is answered, with its State. Without it, a challenge is an end.
    pub confirm: Option<Duration>,
    /// Whether two Proxy-States are sent, and expected back.
    pub proxied: bool,
    /// Whether requests are signed with another secret than the server's.
    pub wrong_secret: bool,
    /// How long stray answers are waited for after the last login has ended.
    pub linger: Duration,
    /// Most requests that wait at a time, where the pace does not say it.
    pub most_waiting: usize,
}

impl Plan {
    /// So many logins at this pace against the server on this port of 127.0.0.1.
    #[must_use]
    pub fn new(port: u16, count: u32, pace: Pace) -> Plan {
        Plan {
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            secret: b"testing123".to_vec(),
            count,
            pace,
            user: "user{}".to_owned(),
            users: 0,
            password: b"password".to_vec(),
            timeout: Duration::from_secs(10),
            retries: 0,
            rejoin: None,
            confirm: None,
            proxied: false,
            wrong_secret: false,
            linger: Duration::from_millis(200),
            most_waiting: 4096,
        }
    }

    /// Source ports that it takes, with a quarter to spare so that identifiers are not used again at once.
    pub(super) fn ports(&self) -> usize {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let waiting = match self.pace {
            Pace::Burst => count,
            Pace::Closed(limit) => limit,
            Pace::Rate(_) => self.most_waiting.min(count),
        };
        let requests = if self.rejoin.is_some() { waiting.saturating_mul(2) } else { waiting };
        requests.saturating_mul(5).div_ceil(4 * 256).clamp(2, 1024)
    }

    pub(super) fn write_user(&self, login: u32, name: &mut Vec<u8>) {
        let number = if self.users == 0 { login } else { login % self.users };
        name.clear();
        match self.user.split_once("{}") {
            // Writing to a vector does not fail.
            Some((before, after)) => drop(write!(name, "{before}{number}{after}")),
            None => name.extend_from_slice(self.user.as_bytes()),
        }
    }
}
