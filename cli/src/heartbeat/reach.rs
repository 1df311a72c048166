//! The first stages of the way: the name, and a connection to each of its addresses.

use std::{
    io,
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::{Duration, Instant},
};

use mobileid::config::Endpoint;

use super::Stage;

/// What a name resolves to.
pub(super) struct Resolved {
    pub(super) stage: Stage,
    pub(super) found: Vec<SocketAddr>,
}

/// What came of one address.
pub(super) struct Reached {
    pub(super) stage: Stage,
    pub(super) error: Option<io::ErrorKind>,
}

pub(super) fn resolve(target: &Endpoint) -> Result<Resolved, Stage> {
    let started = Instant::now();
    let found = (target.host.as_str(), target.port).to_socket_addrs();
    let ms = millis(started.elapsed());
    let stage = |ok, what| Stage { stage: "name", ok, ms, what };
    match found.map(Vec::from_iter) {
        Ok(found) if found.is_empty() => Err(stage(false, format!("{} has no address", target.host))),
        Ok(found) => {
            let addresses: Vec<_> = found.iter().map(|a| a.ip().to_string()).collect();
            let what = format!("{}: {}", target.host, addresses.join(", "));
            Ok(Resolved { stage: stage(true, what), found })
        }
        Err(error) => Err(stage(false, format!("{}: {error}", target.host))),
    }
}

/// Connects to every address, each within its share of the limit, and hangs up.
pub(super) fn connect(addresses: &[SocketAddr], limit: Duration) -> Vec<Reached> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    // A limit of no time at all is one that std refuses.
    let share = share.max(Duration::from_millis(1));
    addresses.iter().map(|address| connect_one(address, share)).collect()
}

fn connect_one(address: &SocketAddr, limit: Duration) -> Reached {
    let started = Instant::now();
    let connected = TcpStream::connect_timeout(address, limit);
    let ms = millis(started.elapsed());
    let (error, what) = match connected {
        Ok(_) => (None, format!("{address} accepts")),
        Err(error) => (Some(error.kind()), format!("{address}: {error}")),
    };
    Reached { stage: Stage { stage: "connect", ok: error.is_none(), ms, what }, error }
}

pub(super) fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}
