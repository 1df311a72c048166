//! The configuration that setup writes: the packaged sample with the answers in it, so that the two never differ.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use mobileid::config::FileConfig;

use super::{Arguments, answers::Service, home::shown, roots};

const SAMPLE: &str = include_str!("../../../packaging/examples/mobileid.toml");

/// A table with nobody in it.
pub(super) const USERS: &str = "\
# Who has which phone; mobileid.toml(5) has every key. It holds phone numbers: chmod 600.
#
#   mobileidctl enrol alice --msisdn \"+41 79 123 45 67\"
";

/// The copy of what --server-trust names.
pub(super) const SERVER_ROOTS: &str = "server-roots.pem";

/// The configuration with these answers.
///
/// # Errors
/// It would not say what it should.
pub(super) fn written(service: &Service) -> anyhow::Result<String> {
    let url = service.url.as_ref().map(|url| format!("https://{url}"));
    let text = filled(&[
        ("ap_id", Some(&service.ap_id)),
        ("dtbd_prefix", Some(&service.prefix)),
        ("url", url.as_deref()),
        ("server_name", service.server_name.as_deref()),
        ("server_trust", service.server_trust),
    ]);
    let file = FileConfig::parse("mobileid.toml", &text)?;
    if file.ap.ap_id != service.ap_id || file.prefix.to_string() != service.prefix {
        bail!("mobileid.toml would not say what it should: nothing was written");
    }
    Ok(text)
}

/// Which service that configuration asks.
pub(super) fn url(service: &Service) -> String {
    let of_sample = || FileConfig::parse("mobileid.toml", SAMPLE).map(|file| file.url).ok();
    service.url.clone().or_else(of_sample).map(|url| format!("https://{url}")).unwrap_or_default()
}

/// Whether a login could use this value of a key in `[service]`.
///
/// # Errors
/// Why it could not.
pub(super) fn judge(key: &str, value: &str) -> Result<(), String> {
    match FileConfig::parse("", &filled(&[(key, Some(value))])) {
        Ok(_) => Ok(()),
        Err(mistakes) => Err(mistakes.0.into_iter().next().map(|mistake| mistake.what).unwrap_or_default()),
    }
}

/// How the configuration names the server's roots.
pub(super) fn server_trust(arguments: &Arguments) -> Option<&'static str> {
    arguments.server_trust.as_deref().filter(|path| *path != Path::new("system")).map(|_| SERVER_ROOTS)
}

/// The text of the copy, where other roots than the system's were named.
///
/// # Errors
/// Names the file.
pub(super) fn server_roots(arguments: &Arguments) -> anyhow::Result<Option<String>> {
    let path = arguments.server_trust.as_ref().filter(|_| server_trust(arguments).is_some());
    let read = |path: &PathBuf| {
        let read = roots::bytes(path).and_then(|bytes| roots::all_certificates(&bytes));
        read.with_context(|| format!("--server-trust {}", shown(path)))
    };
    path.map(read).transpose()
}

/// The sample, with these values in `[service]`; a key that it lacks goes to the end of that table.
fn filled(values: &[(&str, Option<&str>)]) -> String {
    // A string of JSON is one of TOML as well, but for one character.
    let quoted = |value: &str| serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007f");
    let line =
        |(key, value): &(&str, Option<&str>)| value.map(|value| format!("{key} = {}\n", quoted(value)));
    let begins = |text: &str, key: &str| text.strip_prefix(key).is_some_and(|rest| rest.starts_with(" = "));
    let (mut text, mut in_service) = (String::new(), false);
    let mut left: Vec<_> = values.iter().collect();
    for old in SAMPLE.lines() {
        if in_service && old.is_empty() {
            left.drain(..).filter_map(line).for_each(|line| text.push_str(&line));
            in_service = false;
        }
        in_service |= old == "[service]";
        let at = left.iter().position(|(key, _)| in_service && begins(old, key));
        match at.and_then(|at| line(left.remove(at))) {
            Some(new) => text.push_str(&new),
            None => {
                text.push_str(old);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_answers_it_is_the_sample() {
        assert_eq!(filled(&[]), SAMPLE);
        assert!(FileConfig::parse("sample", SAMPLE).is_ok());
    }

    #[test]
    fn answers_stand_where_the_sample_has_its_own() {
        let text = filled(&[
            ("ap_id", Some("mid://\"x\\")),
            ("dtbd_prefix", Some("Bank: ")),
            ("url", Some("https://192.0.2.1")),
            ("server_name", None),
        ]);
        assert!(text.contains("ap_id = \"mid://\\\"x\\\\\"\ndtbd_prefix = \"Bank: \"\n"), "{text}");
        assert!(
            text.contains("client_key = \"client.key\"\nurl = \"https://192.0.2.1\"\n\n[signature]"),
            "{text}"
        );
        assert_eq!(FileConfig::parse("", &text).unwrap().ap.ap_id, "mid://\"x\\");
        // The answers' lines, and no other, differ.
        let same = text.lines().filter(|line| SAMPLE.lines().any(|old| old == *line)).count();
        assert_eq!((same, text.lines().count()), (SAMPLE.lines().count() - 2, SAMPLE.lines().count() + 1));
    }

    #[test]
    fn answers_are_judged_by_the_rules_of_a_login() {
        for (key, value, says) in [
            ("ap_id", "", "1 to 200"),
            ("ap_id", "a\u{1b}[2J", "1 to 200"),
            ("dtbd_prefix", " ", "empty"),
            ("dtbd_prefix", &"x".repeat(51), "longer than 50"),
            ("dtbd_prefix", "a\u{7f}", "control"),
            ("server_name", "a b", "host"),
        ] {
            let why = judge(key, value).unwrap_err();
            assert!(why.contains(says), "{key} {value:?}: {why}");
        }
        assert_eq!(judge("dtbd_prefix", "ACME: "), Ok(()));
    }
}
