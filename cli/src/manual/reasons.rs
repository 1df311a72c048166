//! What a line in the log means, from docs/troubleshooting.md: each table there is a section, each row an entry.

use super::{hold_part, read, roff};

fn written(document: &str) -> String {
    let (mut out, mut heading, mut head) = (String::new(), "", true);
    for line in document.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        } else if !line.starts_with('|') {
            head = true;
        } else if std::mem::take(&mut head) {
            out.push_str(&format!(".SS \"{}\"\n", roff::prose(heading)));
        } else if !line.starts_with("|-") {
            out.push_str(&row(line));
        }
    }
    out
}

/// The name of what is seen, what it means, and what to do.
fn row(line: &str) -> String {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [seen, means, what_to_do] = cells[..] else { panic!("not three cells: {line}") };
    format!(".TP\n{}\n{}\n.br\n{}\n", roff::prose(seen), roff::prose(means), roff::prose(what_to_do))
}

#[test]
fn the_page_of_the_log_has_every_reason() {
    hold_part("packaging/man/mobileid-log.5", &written(&read("docs/troubleshooting.md")));
}
