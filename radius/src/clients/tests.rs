use std::{collections::HashSet, time::Duration};

use super::*;
use crate::{
    authenticator::SharedSecret,
    config::{FirstFactor, HostFrom, MessageAuthenticator, Mode, ProxyState},
    identity::RealmRules,
};

fn client(name: &str) -> Arc<Client> {
    Arc::new(Client {
        name: name.into(),
        group: name.to_owned(),
        secret: SharedSecret::new(b"0123456789abcdef"),
        mode: Mode::Wait,
        nas_timeout: Duration::from_secs(60),
        deadline: Duration::from_secs(60),
        message_authenticator: MessageAuthenticator::Required,
        proxy_state: ProxyState::Guarded,
        first_factor: FirstFactor::Ignored,
        service: "VPN".to_owned(),
        host_from: HostFrom::Name,
        realms: RealmRules::default(),
        accept: Vec::new(),
        groups: Vec::new(),
        reject_delay: Duration::ZERO,
    })
}

/// A table of clients, each named after its networks.
fn table(entries: &[&str]) -> Clients {
    let mut clients = Clients::default();
    for networks in entries {
        clients.enter(client(networks), networks.split(' ').map(|network| network.parse().unwrap()));
    }
    clients
}

fn found<'a>(clients: &'a Clients, address: &str) -> &'a str {
    clients.find(address.parse().unwrap()).map_or("nobody", |client| &*client.name)
}

#[test]
fn the_longest_prefix_decides() {
    let clients = table(&[
        "10.0.0.0/8",
        "10.1.0.0/16 192.0.2.0/25",
        "10.1.2.3/32",
        "2001:db8::/32",
        "2001:db8:1::/48",
        "2001:db8:1::1/128",
        "::ffff:198.51.100.0/120",
    ]);
    for (address, name) in [
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.4", "10.1.0.0/16 192.0.2.0/25"),
        ("192.0.2.127", "10.1.0.0/16 192.0.2.0/25"),
        ("192.0.2.128", "nobody"),
        ("10.2.2.3", "10.0.0.0/8"),
        ("11.0.0.0", "nobody"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("::10.1.2.3", "nobody"),
        ("198.51.100.200", "::ffff:198.51.100.0/120"),
        ("::ffff:198.51.100.1", "::ffff:198.51.100.0/120"),
        ("2001:db8:1::1", "2001:db8:1::1/128"),
        ("2001:db8:1::2", "2001:db8:1::/48"),
        ("2001:db8:2::1", "2001:db8::/32"),
        ("2001:db9::1", "nobody"),
    ] {
        assert_eq!(found(&clients, address), name, "{address}");
    }
}

#[test]
fn everything_is_one_family_only() {
    let clients = table(&["0.0.0.0/0", "192.0.2.1/32"]);
    assert_eq!(found(&clients, "203.0.113.9"), "0.0.0.0/0");
    assert_eq!(found(&clients, "::ffff:203.0.113.9"), "0.0.0.0/0");
    assert_eq!(found(&clients, "192.0.2.1"), "192.0.2.1/32");
    assert_eq!(found(&clients, "2001:db8::1"), "nobody");
    // Nor does an IPv6 network have IPv4 addresses in it, however wide it is.
    assert_eq!(found(&table(&["::/0"]), "203.0.113.9"), "nobody");
    assert_eq!(found(&table(&["::/0"]), "2001:db8::1"), "::/0");
    assert_eq!(found(&table(&[]), "203.0.113.9"), "nobody");
}

/// Twenty thousand networks of all lengths, each address held against a search through all of them.
#[test]
fn a_large_table_finds_what_a_search_finds() {
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 32).unwrap()
    };
    let mut networks = HashSet::new();
    let mut clients = Clients::default();
    for count in 0..20_000_u32 {
        let length = u8::try_from(next() % 24).unwrap();
        let network: IpNet = match count % 2 {
            0 => ipnet::Ipv4Net::new(next().into(), 8 + length).unwrap().trunc().into(),
            _ => {
                let bits = (0x2001_0db8_u128 << 96) | (u128::from(next()) << 64);
                ipnet::Ipv6Net::new(bits.into(), 32 + length).unwrap().trunc().into()
            }
        };
        if networks.insert(network) {
            clients.enter(client(&network.to_string()), [network]);
        }
    }
    assert!(networks.len() > 15_000);
    let mut nobody = 0;
    for network in networks.iter().step_by(97) {
        let address = match network.addr() {
            IpAddr::V4(address) => IpAddr::from((address.to_bits() ^ (next() & 0x3ff)).to_be_bytes()),
            IpAddr::V6(address) => {
                IpAddr::from((address.to_bits() ^ (u128::from(next()) << 64)).to_be_bytes())
            }
        };
        let searched =
            networks.iter().filter(|network| network.contains(&address)).max_by_key(|n| n.prefix_len());
        let searched = searched.map_or("nobody".to_owned(), ToString::to_string);
        assert_eq!(found(&clients, &address.to_string()), searched, "{address}");
        nobody += usize::from(searched == "nobody");
    }
    assert!(nobody < 100, "{nobody}");
}
