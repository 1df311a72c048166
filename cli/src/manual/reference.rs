//! Keys of configuration files, from the samples in the administrator's guide: a comment, then the keys it is about.

use super::{hold_part, read, roff};

/// The samples of a document that begin like this, each once.
fn samples(document: &str, begin: &[&str]) -> Vec<String> {
    let text = read(document);
    let all: Vec<&str> =
        text.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```").map(|(s, _)| s)).collect();
    let found = |begin: &&str| {
        let mut fit = all.iter().filter(|sample| sample.starts_with(begin));
        let sample = fit.next().unwrap_or_else(|| panic!("{document}: no sample begins with {begin:?}"));
        (*sample).to_owned()
    };
    begin.iter().map(found).collect()
}

/// The configuration itself, and the user table.
pub(super) fn of_the_core() -> Vec<String> {
    samples("docs/configuration.md", &["[service]", "[alice]"])
}

/// A directory of each kind.
pub(super) fn of_directories() -> Vec<String> {
    let ldap = "[[directory]]\ntype = \"ldap\"\nname = \"ad\"\nunavailable";
    let begin = ["[[directory]]\n# The kind", ldap, "[[directory]]\ntype = \"command\""];
    samples("docs/directories.md", &begin)
}

/// A table of a sample.
pub(super) struct Table<'a> {
    pub(super) header: &'a str,
    /// What is said of the table itself.
    about: Vec<String>,
    pub(super) entries: Vec<Entry<'a>>,
}

/// Keys, and what is said of them together.
pub(super) struct Entry<'a> {
    pub(super) keys: Vec<(&'a str, &'a str)>,
    pub(super) about: String,
}

/// Takes a sample apart. A comment ends with an empty comment, which makes it the table's, or with the keys it is about.
pub(super) fn tables(sample: &str) -> Vec<Table<'_>> {
    let mut tables = vec![Table { header: "", about: Vec::new(), entries: Vec::new() }];
    let (mut comment, mut fresh) = (String::new(), true);
    for line in sample.lines().filter(|line| !line.is_empty()) {
        let table = tables.last_mut().unwrap();
        if let Some(said) = line.strip_prefix('#') {
            match said.strip_prefix(' ') {
                Some(said) => comment = format!("{comment}{said}\n"),
                None => table.about.push(std::mem::take(&mut comment)),
            }
            fresh = true;
        } else if line.starts_with('[') {
            let about = Some(std::mem::take(&mut comment)).filter(|c| !c.is_empty());
            tables.push(Table { header: line, about: about.into_iter().collect(), entries: Vec::new() });
            fresh = true;
        } else {
            let (key, value) = line.split_once(" = ").unwrap_or_else(|| panic!("no key: {line}"));
            if std::mem::take(&mut fresh) {
                table.entries.push(Entry { keys: Vec::new(), about: std::mem::take(&mut comment) });
            }
            table.entries.last_mut().unwrap().keys.push((key, value));
        }
    }
    tables
}

/// The tables as sections. What a later sample of the same table repeats without a word is left out.
fn sections(sample: &str, kind: &str) -> String {
    let mut merged: Vec<Table<'_>> = Vec::new();
    for mut table in tables(sample) {
        let Some(known) = merged.iter_mut().find(|known| known.header == table.header) else {
            merged.push(table);
            continue;
        };
        let is_known = |key: &str| known.entries.iter().any(|e| e.keys.iter().any(|(k, _)| *k == key));
        table.entries.retain(|entry| !entry.about.is_empty());
        table.entries.iter_mut().for_each(|entry| entry.keys.retain(|(key, _)| !is_known(key)));
        known.entries.append(&mut table.entries);
    }
    merged.iter().map(|table| section(table, kind)).collect()
}

fn section(table: &Table<'_>, kind: &str) -> String {
    let mut out = match table.header {
        "" if table.entries.is_empty() => return out_of_nothing(&table.about),
        "" => ".SS \"Before any table\"\n".to_owned(),
        header => format!(".SS \"{}{kind}\"\n", roff::literal(header).replace('"', "\\(dq")),
    };
    out.push_str(&table.about.iter().map(|about| paragraph(about)).collect::<Vec<_>>().join(".PP\n"));
    table.entries.iter().for_each(|entry| out.push_str(&tagged(entry)));
    out
}

fn out_of_nothing(about: &[String]) -> String {
    about.iter().map(|about| format!(".PP\n{}", paragraph(about))).collect()
}

fn paragraph(text: &str) -> String {
    text.lines().map(|line| roff::prose(line) + "\n").collect()
}

fn tagged(entry: &Entry<'_>) -> String {
    let tag = |(key, value): &(&str, &str)| format!("{} = {}", roff::bold(key), roff::literal(value));
    if entry.about.is_empty() {
        let lines: Vec<String> = entry.keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        return roff::example(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let tags: Vec<String> = entry.keys.iter().map(|key| tag(key) + "\n").collect();
    format!(".TP\n{}{}", tags.join(".TQ\n"), paragraph(&entry.about))
}

#[test]
fn the_pages_of_the_configuration_have_every_key() {
    let core = of_the_core();
    let places = of_directories();
    let kinds = [", tables", ", LDAP", ", programs"];
    let places: String = places.iter().zip(kinds).map(|(sample, kind)| sections(sample, kind)).collect();
    let [mobileid, users] = [0, 1].map(|at| sections(&core[at], ""));
    let people = ".SH \"THE USER TABLE\"\nOne table per user; all but the number may be left out.\n";
    hold_part("packaging/man/mobileid.toml.5", &format!("{mobileid}{places}{people}{users}"));
    let radius = samples("docs/radius.md", &["# The core's configuration."]);
    hold_part("packaging/man/radiusd.toml.5", &sections(&radius[0], ""));
}

#[test]
fn a_sample_becomes_tags_and_text() {
    let sample = "# Of the file.\nfirst = 1\n[a]\n# Of the table.\n#\n# Of both.\nx = \"1-2\"\ny = 2\n[b]\nz = 3\n[a]\nx = 4\n# New.\nw = 5\n";
    let written = "\
.SS \"Before any table\"
.TP
\\fBfirst\\fR = 1
Of the file.
.SS \"[a]\"
Of the table.
.TP
\\fBx\\fR = \"1\\-2\"
.TQ
\\fBy\\fR = 2
Of both.
.TP
\\fBw\\fR = 5
New.
.SS \"[b]\"
.RS 4
.nf
z = 3
.fi
.RE
";
    assert_eq!(sections(sample, ""), written);
}
