//! Text as man(7) wants it.

/// Running text, of which what stands in backquotes is bold.
pub(super) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (at, piece) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out.push_str(&bold(piece));
        } else {
            out.push_str(&words(piece));
        }
    }
    line(out)
}

/// A literal, in bold.
pub(super) fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", literal(text))
}

/// What is to be typed as it stands.
pub(super) fn literal(text: &str) -> String {
    escaped(text).replace('-', "\\-").replace('\'', "\\(aq")
}

/// Lines that are not filled, below what came before.
pub(super) fn example(lines: &[&str]) -> String {
    let body: String = lines.iter().map(|l| line(literal(l)) + "\n").collect();
    format!(".RS 4\n.nf\n{body}.fi\n.RE\n")
}

/// A hyphen between letters may end a line; any other is to be typed as it stands.
fn words(text: &str) -> String {
    let word = |word: &str| {
        let plain = |c: char| c.is_alphanumeric() || "-,;:.()!?".contains(c);
        let is_plain = !word.starts_with('-') && word.trim_end_matches('.').chars().all(plain);
        if is_plain { escaped(word) } else { escaped(word).replace('-', "\\-") }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\e").replace('`', "\\(ga").replace('^', "\\(ha").replace('~', "\\(ti")
}

/// What begins like a request is none.
fn line(text: String) -> String {
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[test]
fn what_troff_would_obey_is_text() {
    assert_eq!(prose(".so it's `--json \\`"), "\\&.so it's \\fB\\-\\-json \\e\\fR");
    assert_eq!(prose("a first-use, of \"first-use\" --all"), "a first-use, of \"first\\-use\" \\-\\-all");
    assert_eq!(literal("~'-"), "\\(ti\\(aq\\-");
}
