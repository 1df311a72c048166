use std::{fs, net::Ipv4Addr};

use super::*;
use crate::{config::AuditTo, testing::Folder};

fn scribe(folder: &Folder) -> Scribe {
    let sink = Sink::open(&AuditTo::File(folder.join("audit"))).unwrap();
    Scribe::start(sink, Book::read(folder.path()).unwrap(), Log::to_stderr(Level::Error)).unwrap()
}

fn proof() -> Box<Proof> {
    Box::new(Proof { ap_trans_id: "mid-1".into(), text: "Log in?".into(), signature: "c2ln".into() })
}

#[test]
fn all_is_written_in_order_before_the_end() {
    let folder = Folder::new("scribe");
    let mut scribe = scribe(&folder);
    for number in 0..5_000 {
        scribe.note(Entry::Line(number.to_string()));
        if number % 7 == 0 {
            scribe.end_round();
        }
    }
    scribe.note(Entry::Learnt("vpn".into(), Ipv4Addr::LOCALHOST.into()));
    scribe.note(Entry::Keep(proof(), folder.path().into()));
    scribe.note(Entry::Turn(Sink::open(&AuditTo::File(folder.join("rotated"))).unwrap()));
    scribe.note(Entry::Line("after the rotation".into()));
    assert_eq!(scribe.losses(), Losses::default());
    scribe.finish();

    let expected: String = (0..5_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(fs::read_to_string(folder.join("audit")).unwrap(), expected);
    assert_eq!(fs::read_to_string(folder.join("rotated")).unwrap(), "after the rotation\n");
    assert_eq!(fs::read_to_string(folder.join("mid-1.txt")).unwrap(), "Log in?");
    assert_eq!(Book::read(folder.path()).unwrap().entries().count(), 1);
}

#[test]
fn a_line_that_is_handed_over_is_written_without_a_next_one() {
    let folder = Folder::new("scribe-idle");
    let mut scribe = scribe(&folder);
    scribe.note(Entry::Line("alone".into()));
    scribe.end_round();
    // Waits for the thing itself; the test's runner ends a wait in vain.
    while fs::read_to_string(folder.join("audit")).unwrap() != "alone\n" {
        thread::yield_now();
    }
}

#[test]
fn what_cannot_be_written_is_counted() {
    let folder = Folder::new("scribe-trouble");
    let sink = Sink::open(&AuditTo::File(folder.join("audit"))).unwrap();
    let book = Book::read(folder.path()).unwrap();
    let mut scribe = Scribe::start(sink, book, Log::to_stderr(Level::Error)).unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    scribe.note(Entry::Turn(Sink::File { file: full, torn: false }));
    scribe.note(Entry::Line("lost".into()));
    scribe.note(Entry::Keep(proof(), folder.join("no-such-folder")));
    scribe.end();
    assert_eq!(scribe.losses(), Losses { audit: 1, evidence: 1, ..Losses::default() });
}

#[test]
fn learnt_addresses_are_not_tried_again_with_every_line() {
    let folder = Folder::new("scribe-learnt");
    let sink = Sink::open(&AuditTo::File(folder.join("audit"))).unwrap();
    let book = Book::read(&folder.join("no-such-folder")).unwrap();
    let mut scribe = Scribe::start(sink, book, Log::to_stderr(Level::Error)).unwrap();
    scribe.note(Entry::Learnt("vpn".into(), Ipv4Addr::LOCALHOST.into()));
    let mut expected = String::new();
    for number in 0..10 {
        expected.push_str(&format!("{number}\n"));
        scribe.note(Entry::Line(number.to_string()));
        scribe.end_round();
        // One line, one rest.
        while fs::read_to_string(folder.join("audit")).unwrap() != expected {
            thread::yield_now();
        }
    }
    assert!(scribe.end());
    // At once, and once more at the end.
    assert_eq!(scribe.losses().learnt, 2);
}

#[test]
fn a_scribe_that_hangs_takes_no_more_memory_and_does_not_keep_the_end_from_coming() {
    let folder = Folder::new("scribe-stuck");
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let sink = Sink::File { file: writer.into(), torn: false };
    let mut scribe =
        Scribe::start(sink, Book::read(folder.path()).unwrap(), Log::to_stderr(Level::Error)).unwrap();
    // More than a pipe holds: the scribe waits for a reader that there is none of.
    scribe.note(Entry::Line("x".repeat(1 << 20)));
    scribe.end_round();
    for _ in 0..20 {
        for _ in 0..WAITING_MAX / 10 {
            scribe.note(Entry::Line(String::new()));
        }
        scribe.end_round();
    }
    let waiting = scribe.round.len() + scribe.unwritten.load(Ordering::Relaxed);
    assert_eq!(waiting, WAITING_MAX);
    assert!(scribe.losses().entries >= 100_000);
    assert!(!scribe.finish());
    // Not closed while the process lives: all these lines would go to the log, which here is the test's own output.
    std::mem::forget(reader);
}
