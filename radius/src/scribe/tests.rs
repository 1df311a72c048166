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
    scribe.note(Entry::Turn(Sink::File { path: "/dev/full".into(), file: full }));
    scribe.note(Entry::Line("lost".into()));
    scribe.note(Entry::Keep(proof(), folder.join("no-such-folder")));
    scribe.end();
    assert_eq!(scribe.losses(), Losses { audit: 1, evidence: 1, ..Losses::default() });
}
