//! The kernel's table of TCP connections, as text in the form of proc_net_tcp: the second way, which reads all
//! of it for one row.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the kernel's table of connections is a file")]

use std::{
    fs::File,
    io::{BufRead, BufReader, ErrorKind, Read},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{Connection, Identity, Look, Socket};

/// Two million rows.
const MOST_BYTES: u64 = 300 << 20;

/// What both tables say.
pub(super) fn look(connection: &Connection) -> Look {
    let mut look = Look::Absent;
    for path in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        look = match File::open(path) {
            Ok(table) => match look_in(BufReader::with_capacity(1 << 16, table.take(MOST_BYTES)), connection)
            {
                Look::Absent => look,
                other => return other,
            },
            // Where IPv6 is switched off there is no such table.
            Err(error) if error.kind() == ErrorKind::NotFound => look,
            Err(_) => return Look::Unknown,
        };
    }
    look
}

fn look_in(mut table: impl BufRead, connection: &Connection) -> Look {
    let mut row = String::new();
    loop {
        row.clear();
        match table.read_line(&mut row) {
            Ok(0) => return Look::Absent,
            Ok(_) => {}
            Err(_) => return Look::Unknown,
        }
        if let Some(socket) = socket_in(&row, connection) {
            return Look::Found(socket);
        }
    }
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...`; 01 is ESTABLISHED.
fn socket_in(row: &str, connection: &Connection) -> Option<Socket> {
    let mut columns = row.split_ascii_whitespace().skip(1);
    let ends = (columns.next().and_then(end_of)?, columns.next().and_then(end_of)?);
    if ends != (connection.local, connection.remote) {
        return None;
    }
    let is_established = columns.next()? == "01";
    // A socket that no process holds has the inode 0.
    let inode = columns.nth(5).and_then(|column| column.parse().ok()).filter(|inode| *inode != 0);
    Some(Socket { is_established, identity: inode.map(Identity::Inode) })
}

/// `0100007F:0016`: each 32-bit word of the address as the CPU has it, and the port. An IPv4 address that an
/// IPv6 socket serves is given as the IPv4 address, as SSH_CONNECTION has it.
fn end_of(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let word = |at: usize| u32::from_str_radix(address.get(at..at.checked_add(8)?)?, 16).ok();
    let octets = |at| word(at).map(u32::to_ne_bytes);
    let address = match address.len() {
        8 => IpAddr::V4(Ipv4Addr::from(octets(0)?)),
        32 => {
            let [a, b, c, d] = [octets(0)?, octets(8)?, octets(16)?, octets(24)?];
            let mut all = [0; 16];
            all.iter_mut().zip([a, b, c, d].concat()).for_each(|(to, from)| *to = from);
            Ipv6Addr::from(all).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(address, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_read_as_the_kernel_writes_them() {
        if cfg!(target_endian = "little") {
            assert_eq!(end_of("0100007F:0016"), "127.0.0.1:22".parse().ok());
            assert_eq!(end_of("00000000000000000000000001000000:0016"), "[::1]:22".parse().ok());
            assert_eq!(end_of("0000000000000000FFFF00000100007F:0016"), "127.0.0.1:22".parse().ok());
        }
        for odd in ["", ":", "0100007F", "0100007F:", "0100007:0016", "0100007G:0016", "é100007F:0016"] {
            assert_eq!(end_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_row_is_found_by_its_ends() {
        let address = |text: &str| {
            text.parse::<Ipv4Addr>().map(|a| format!("{:08X}", u32::from_ne_bytes(a.octets()))).unwrap()
        };
        let row = |state: &str, inode: &str| {
            let (local, remote) = (address("192.0.2.1"), address("192.0.2.7"));
            format!(
                "   7: {local}:0016 {remote}:1267 {state} 00000000:00000000 02:00000A 00000000     0        0 {inode}\n"
            )
        };
        let header = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        let connection = Connection::parse("192.0.2.7 4711 192.0.2.1 22").unwrap();
        let found =
            |is_established, identity: Option<Identity>| Look::Found(Socket { is_established, identity });
        for (row, expected) in [
            (row("01", "4321"), found(true, Some(Identity::Inode(4321)))),
            (row("08", "4321"), found(false, Some(Identity::Inode(4321)))),
            (row("06", "0"), found(false, None)),
            (row("01", "x"), found(true, None)),
            (row("01", "1").replace(":1267", ":1268"), Look::Absent),
            ("\u{0}".to_owned(), Look::Absent),
        ] {
            let table = format!("{header}{row}");
            assert_eq!(look_in(table.as_bytes(), &connection), expected, "{row}");
        }
        assert_eq!(look_in(&b"\xff\n"[..], &connection), Look::Unknown);
    }
}
