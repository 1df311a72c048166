//! Who may ask: a table of clients by address, the longest prefix first.
//!
//! ```text
//!  10.1.2.3 ──> /32 ─ no ─> /24 ─ no ─> /16 ─ 10.1.0.0 ─> the client of 10.1.0.0/16
//! ```
//!
//! One hash table per prefix length that is in use, so a lookup takes as many steps as the administrator has written
//! different lengths, however many clients there are. An IPv4 address that came in over an IPv6 socket
//! (`::ffff:10.1.2.3`) is the IPv4 address.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use ipnet::IpNet;
use mobileid::config::values::canonical;

use crate::config::Client;

/// The clients by address.
#[derive(Debug, Default)]
pub struct Clients {
    all: Vec<Arc<Client>>,
    v4: Lengths,
    v6: Lengths,
}

/// Networks by prefix length, the longest first; in each an index into [`Clients::all`].
type Lengths = Vec<(u8, HashMap<IpAddr, usize>)>;

impl Clients {
    /// The client of an address: the one with the longest prefix.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Client>> {
        let address = address.to_canonical();
        let lengths = if address.is_ipv4() { &self.v4 } else { &self.v6 };
        let index = lengths.iter().find_map(|(length, networks)| {
            let network = IpNet::new(address, *length).ok()?.network();
            networks.get(&network)
        });
        self.all.get(*index?)
    }

    /// Whether an address is configured itself, and not only a network that it is in.
    #[must_use]
    pub fn is_exact(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let (lengths, whole) = if address.is_ipv4() { (&self.v4, 32) } else { (&self.v6, 128) };
        lengths.iter().any(|(length, networks)| *length == whole && networks.contains_key(&address))
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.all.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Enters a client with its networks. Two clients of the same network are a mistake that the configuration has
    /// refused before.
    pub(crate) fn enter(&mut self, client: Arc<Client>, networks: impl IntoIterator<Item = IpNet>) {
        let index = self.all.len();
        self.all.push(client);
        for network in networks {
            let network = canonical(network);
            let lengths = if network.addr().is_ipv4() { &mut self.v4 } else { &mut self.v6 };
            let length = network.prefix_len();
            let at = match lengths.binary_search_by(|(other, _)| length.cmp(other)) {
                Ok(at) => at,
                Err(at) => {
                    lengths.insert(at, (length, HashMap::new()));
                    at
                }
            };
            if let Some((_, networks)) = lengths.get_mut(at) {
                networks.insert(network.network(), index);
            }
        }
    }
}

#[cfg(test)]
mod tests;
