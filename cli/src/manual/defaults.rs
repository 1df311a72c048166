//! What the guide calls a default is what counts where the key is not there.

use mobileid::config::FileConfig;

use super::reference::{self, Entry};

/// What a sample of a directory stands below.
const CORE: &str = r#"
[service]
ap_id = "mid://acme.example"
dtbd_prefix = "ACME: "
client_cert = "client.crt"
client_key = "client.key"
[signature]
trust = "trust"
"#;

/// A word that is a value of TOML, without what a sentence puts around it.
fn literal(word: &str) -> Option<&str> {
    let word = word.trim_matches(['(', ')', ',', ';', ':', '.']);
    let is_literal = word.starts_with('"') || word.parse::<i64>().is_ok() || word.parse::<bool>().is_ok();
    is_literal.then_some(word)
}

/// The values that a comment calls defaults: `Defaults: 1 and 2.`, `Default: 1.`, `"a" (the default)`.
fn stated(about: &str) -> Vec<&str> {
    if let Some((_, list)) = about.split_once("Defaults: ") {
        return list.split_inclusive(' ').map(str::trim).filter_map(literal).collect();
    }
    if let Some((_, value)) = about.split_once("efault: ") {
        return value.split(' ').next().and_then(literal).into_iter().collect();
    }
    let places = about.match_indices("the default").filter_map(|(at, _)| about.get(..at));
    places.filter_map(|before| literal(before.trim_end_matches([' ', '(']).rsplit(' ').next()?)).collect()
}

/// A sample with another text for the value of some keys of a table, or, where there is none, without the key.
fn with(sample: &str, header: &str, exchanged: &[(&str, Option<&str>)]) -> String {
    let mut table = "";
    let mut lines = Vec::new();
    for line in sample.lines() {
        if line.starts_with('[') {
            table = line;
        }
        let key = line.split(" = ").next().unwrap_or_default();
        let found = exchanged.iter().find(|(exchanged, _)| table == header && *exchanged == key);
        lines.push(match found {
            Some((_, Some(value))) => format!("{key} = {value}"),
            Some((_, None)) => "#".to_owned(),
            None => line.to_owned(),
        });
    }
    lines.join("\n")
}

/// What a file means. That a value stands there may make the file a secret, which is no difference of the value.
fn meaning(text: &str) -> String {
    format!("{:?}", FileConfig::parse("f.toml", text)).replace("holds_secret: true", "holds_secret: false")
}

/// Holds the defaults that are stated of an entry against the code; how many there are.
fn hold(core: &str, sample: &str, header: &str, entry: &Entry<'_>) -> usize {
    let about = entry.about.replace('\n', " ");
    let mut values = stated(&about);
    values.truncate(entry.keys.len());
    // Of keys that are told together, those that have a default come last.
    let first = entry.keys.len() - values.len();
    let keys = entry.keys[first..].iter().map(|(key, _)| *key);
    let absent: Vec<_> = keys.clone().map(|key| (key, None)).collect();
    let written: Vec<_> = keys.zip(&values).map(|(key, value)| (key, Some(*value))).collect();
    let read =
        |exchanged: &[(&str, Option<&str>)]| meaning(&format!("{core}{}", with(sample, header, exchanged)));
    assert_eq!(read(&absent), read(&written), "{header}: {written:?} is not the default");
    values.len()
}

#[test]
fn what_the_guide_calls_a_default_is_one() {
    let core = reference::of_the_core().swap_remove(0);
    let samples = [(String::new(), core)].into_iter();
    let samples =
        samples.chain(reference::of_directories().into_iter().map(|sample| (CORE.to_owned(), sample)));
    let held = samples.map(|(core, sample)| {
        let tables = reference::tables(&sample);
        let entries = tables.iter().flat_map(|table| table.entries.iter().map(|entry| (table.header, entry)));
        entries.map(|(header, entry)| hold(&core, &sample, header, entry)).sum()
    });
    assert_eq!(held.collect::<Vec<usize>>(), [22, 1, 8, 1]);
}

#[test]
fn a_default_is_found_in_a_sentence() {
    for (about, found) in [
        ("Seconds. Defaults: 80 and 90 for the SIM.", &["80", "90"] as &[&str]),
        ("1 to 30; default: 5.", &["5"]),
        ("Default: \"a\". With it more.", &["\"a\""]),
        ("Default: none is kept.", &[]),
        ("\"a\" (the default), or \"b\".", &["\"a\""]),
        ("It is (\"a\", the default) or not.", &["\"a\""]),
    ] {
        assert_eq!(stated(about), found, "{about}");
    }
}
