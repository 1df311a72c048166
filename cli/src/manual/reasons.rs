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

#[test]
fn the_guide_says_what_an_administrator_did() {
    let source = read("cli/src/audit.rs");
    let (_, events) = source.split_once("pub(crate) enum Event<'a> {\n").unwrap();
    let (events, _) = events.split_once("\n}\n").unwrap();
    let variants = events.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(" {"));
    let kebab = |name: &str| {
        let dashed =
            |c: char| if c.is_uppercase() { format!("-{}", c.to_lowercase()) } else { c.to_string() };
        name.chars().map(dashed).collect::<String>().trim_start_matches('-').to_owned()
    };
    let names: Vec<String> = variants.map(|(name, _)| kebab(name)).collect();
    let guide = read("docs/troubleshooting.md");
    let (_, section) = guide.split_once("\n## What an administrator did\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let told: Vec<&str> = rows.map(|(name, _)| name).collect();
    assert!(names.len() >= 7, "{names:?}");
    assert_eq!(told, names);
}
