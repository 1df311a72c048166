#![allow(clippy::disallowed_methods, reason = "the installed sshd is asked who it is")]

use std::{io, process::Command};

use super::*;

fn is(major: u16, minor: u16) -> Option<Version> {
    Some(Version { major, minor })
}

/// A reader that gives so many bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn the_newest_name_counts() {
    for (image, expected) in [
        (&b"OpenSSH_2.5.3*,OpenSSH_3.*\0OpenSSH_9.2p1 Debian-2\0OpenSSH_7.0*,OpenSSH_7.1*"[..], is(9, 2)),
        (b"OpenSSH_10.3", is(10, 3)),
        (b"OpenSSH_9.9\0OpenSSH_10.0p2", is(10, 0)),
        (b"OpenSSH_10.10\0OpenSSH_10.9", is(10, 10)),
        (b"OpenSSH_OpenSSH_8.7", is(8, 7)),
        (b"OOOpenSSH_8.7", is(8, 7)),
        (b"", None),
        (b"OpenSSH_", None),
        (b"OpenSSH_for_Windows_9.5", None),
        (b"OpenSSH_3.*", None),
        (b"OpenSSH_.3", None),
        (b"OpenSSH_10", None),
        (b"OpenSSH_10.", None),
        (b"OpenSSH_9999.1", None),
        (b"openssh_10.3", None),
        (b"dropbear_2022.83", None),
    ] {
        let name = String::from_utf8_lossy(image);
        assert_eq!(newest(image), expected, "{name}");
        assert_eq!(newest(Drops(image, 1)), expected, "byte by byte: {name}");
    }
}

#[test]
fn a_name_across_a_border_is_found() {
    let name = b"OpenSSH_123.456";
    assert_eq!(name.len(), LONGEST);
    for before in 0..=name.len() {
        let image = |border: usize| {
            let before_it = vec![b'O'; border - before];
            [&before_it[..], name, &[0; 40]].concat()
        };
        assert_eq!(newest(&image(CHUNK + LONGEST)[..]), is(123, 456), "{before} bytes");
        assert_eq!(newest(Drops(&image(CHUNK), CHUNK)), is(123, 456), "{before} bytes");
    }
}

#[test]
fn an_image_that_breaks_off_names_nothing() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::Other.into())
        }
    }
    assert_eq!(newest(b"OpenSSH_9.2".chain(Broken)), None);
}

#[test]
fn the_installed_sshd_is_known() {
    let sshd = Command::new("/usr/sbin/sshd").arg("-V").output().unwrap();
    let said = String::from_utf8_lossy(&sshd.stderr).into_owned();
    let expected = said.split("OpenSSH_").nth(1).and_then(|text| version(text.as_bytes()));
    assert!(expected.is_some(), "{said}");
    assert_eq!(newest_in(Path::new("/usr/sbin/sshd")), expected);
}

#[test]
fn what_cannot_be_read_is_unknown() {
    for path in ["/nonexistent", "/proc/self", "/dev/null"] {
        assert_eq!(newest_in(Path::new(path)), None, "{path}");
    }
}

#[test]
fn information_is_seen_from_10_3_on() {
    for (version, expected) in
        [(is(9, 2), false), (is(10, 2), false), (is(10, 3), true), (is(11, 0), true), (None, false)]
    {
        assert_eq!(shows_at_once(version), expected, "{version:?}");
    }
}
