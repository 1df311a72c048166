//! Writes the seeds of the RADIUS targets, which are not typed by hand: packets, and stories for an upstream.
#![forbid(unsafe_code)]

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    packets()?;
    stories()
}

fn write(target: &str, name: &str, seed: &[u8]) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), seed)
}

fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, value.len() as u8 + 2][..], value].concat()
}

fn vendor(vendor: u32, inner: &[u8]) -> Vec<u8> {
    attribute(26, &[&vendor.to_be_bytes()[..], inner].concat())
}

/// Targets/radius_packet.rs: the octets of a packet, with the length that they have.
fn packets() -> io::Result<()> {
    let packet = |code: u8, attributes: &[Vec<u8>]| {
        let attributes = attributes.concat();
        let length = (attributes.len() as u16 + 20).to_be_bytes();
        [&[code, 1][..], &length, &[7; 16], &attributes].concat()
    };
    let login = || vec![attribute(1, b"alice"), attribute(2, &[9; 16]), attribute(32, b"vpn")];
    let signature = || attribute(80, &[0; 16]);
    let with = |more: Vec<Vec<u8>>| [login(), more].concat();
    let seeds = [
        ("empty", packet(12, &[])),
        ("login", packet(1, &login())),
        ("signed", packet(1, &with(vec![signature()]))),
        ("signed-twice", packet(1, &with(vec![signature(), signature()]))),
        ("signed-short", packet(1, &with(vec![attribute(80, &[0; 15])]))),
        ("proxied", packet(1, &with(vec![attribute(33, b"p1"), attribute(33, b"p2")]))),
        ("padded", [packet(1, &login()), vec![0; 9]].concat()),
        ("accounting", packet(4, &[attribute(40, &[0, 0, 0, 1]), attribute(44, b"s1")])),
        (
            "ms-chap",
            packet(1, &[vendor(311, &attribute(11, &[1; 16])), vendor(311, &attribute(25, &[2; 50]))]),
        ),
        ("keys", packet(2, &[vendor(311, &attribute(16, &[0x80; 34])), attribute(69, &[0x80; 35])])),
        ("vendors-two", packet(2, &[vendor(9, &[attribute(1, b"a"), attribute(1, b"b")].concat())])),
        ("vendor-broken", packet(2, &[vendor(9, &[1, 9, 9])])),
        (
            "longest",
            packet(1, &[vec![attribute(25, &[5; 253]); 15], vec![attribute(25, &[5; 249])]].concat()),
        ),
        ("attribute-too-long", packet(1, &[vec![1, 40, b'a']])),
        ("attribute-too-short", packet(1, &[vec![1, 1]])),
    ];
    for (name, seed) in seeds {
        write("radius_packet", name, &seed)?;
    }
    let lines = [
        ("line-text", "Fortinet-Group-Name=vpn-admins"),
        ("line-octets", "Class=0x00ff"),
        ("line-number", "Session-Timeout=28800"),
        ("line-named", "Tunnel-Type:1=VLAN"),
        ("line-prefix", "Framed-IPv6-Prefix=2001:db8::/48"),
        ("line-address", "Framed-IP-Address=192.0.2.7"),
        ("line-unnamed", "Vendor-3845-16=0x61"),
        ("line-reserved", "Attr-80=0x00"),
    ];
    for (name, line) in lines {
        write("radius_packet", name, line.as_bytes())?;
    }
    write("radius_packet", "cut-off", &packet(1, &login())[..30])
}

/// Targets/radius_upstream.rs: what happens, in its octets.
fn stories() -> io::Result<()> {
    let piece = |octets: &[u8]| [&[octets.len() as u8][..], octets].concat();
    let answer = |code: u8, attributes: &[u8]| [&[5, code][..], &piece(attributes)].concat();
    let guess = |code: u8| [&[4][..], &piece(b"guess"), &[code], &piece(&[])].concat();
    let granted =
        [attribute(25, b"staff"), vendor(9, &attribute(1, b"a=1")), attribute(18, b"hello")].concat();
    let keys = [vendor(311, &attribute(16, &[0x80; 34])), attribute(69, &[0x81; 35])].concat();
    let code_and_length = [0, 2, 3, 20];
    let seeds = [
        ("accept", [vec![0], answer(2, &granted)].concat()),
        ("accept-keys", [vec![0], answer(2, &keys)].concat()),
        ("reject", [vec![0], answer(3, &attribute(18, b"no"))].concat()),
        (
            "challenge",
            [vec![1], answer(11, &[attribute(24, b"s"), attribute(18, b"code?")].concat())].concat(),
        ),
        ("other-code", [vec![0], answer(5, &[])].concat()),
        ("signed-twice", [vec![0], answer(2, &attribute(80, &[0; 16]))].concat()),
        ("other-secret", [vec![0], guess(2), answer(2, &[])].concat()),
        ("reflected", [vec![1, 3], piece(&code_and_length), piece(&[])].concat()),
        ("no-packet", [vec![1, 2], piece(b"garbage")].concat()),
        ("fail-over", vec![0, 1, 1, 1, 5, 2, 0]),
        ("silence", vec![0, 1, 1, 1, 1, 0, 1, 1]),
        ("many", [vec![0], [0; 40].to_vec(), answer(2, &[])].concat()),
    ];
    for (name, seed) in seeds {
        write("radius_upstream", name, &seed)?;
    }
    Ok(())
}
