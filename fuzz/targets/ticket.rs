//! Any bytes as a ticket: what is read is what was written, and nothing else is. A ticket arrives sealed, so only a
//! node of ours can have written it; that is no reason to trust its lengths.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mobileid::login::Ticket;
use mobileid_fuzz::assert_one_plain_line;

fuzz_target!(|bytes: &[u8]| {
    let Some(ticket) = Ticket::decode(bytes) else { return };
    assert_eq!(ticket.encode(), bytes, "two ways to write one ticket");
    assert_eq!(Ticket::decode(&ticket.encode()).as_ref(), Some(&ticket));
    assert!(ticket.started() <= ticket.ends());
    assert!(!ticket.text().is_empty() && ticket.text().len() <= 478);
    assert_one_plain_line(ticket.text());
});
