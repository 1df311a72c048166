//! What the administrator has to say: by a flag, or asked for.

use std::str::FromStr;

use anyhow::bail;
use mobileid::{
    config::Endpoint,
    text::{escaped, is_unprintable},
};

use super::{Arguments, asked, client::Subject, found::Found, home::shown, sample, say};
use crate::{out, terminal};

/// Who we are at Mobile ID, and where that is.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) ap_id: String,
    pub(super) prefix: String,
    pub(super) url: Option<Endpoint>,
    pub(super) server_name: Option<String>,
    /// As it stands in the configuration.
    pub(super) server_trust: Option<&'static str>,
}

/// What was missing, and is known now.
#[derive(Debug)]
pub(super) struct Answers {
    /// None where a configuration is there.
    pub(super) service: Option<Service>,
    /// None where a certificate is there.
    pub(super) subject: Option<Subject>,
}

/// Part of a subject: X.520 has bounds for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named(pub(super) String);

impl FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 64 || text.chars().any(is_unprintable) {
            return Err("must be 1 to 64 printable characters");
        }
        Ok(Self(text.to_owned()))
    }
}

/// Where those are who have a contract with Swisscom.
const COUNTRY: &str = "CH";

/// A country's two letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Country(pub(super) String);

impl FromStr for Country {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim() {
            text if text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Ok(Self(text.to_ascii_uppercase()))
            }
            _ => Err("must be two letters, such as CH"),
        }
    }
}

/// All that is needed for what is not there yet.
///
/// # Errors
/// Names every flag that is missing, where nobody can be asked; or how the questions ended.
pub(super) fn all(arguments: &Arguments, found: &Found) -> anyhow::Result<Answers> {
    let service = found.config.is_none();
    let subject = found.lacks_certificate();
    said_well(arguments, service)?;
    let missing = missing(arguments, service, subject);
    let is_dialogue = !missing.is_empty();
    if is_dialogue {
        if !asked::somebody() {
            bail!("no terminal to ask on, and this is missing: {}", missing.join(", "));
        }
        let about = match (service, subject) {
            (true, true) => "Two words of your contract with Swisscom, and whom your certificate names.",
            (true, false) => "Two words of your contract with Swisscom.",
            (false, _) => "Whom your certificate names.",
        };
        say(arguments, about);
        say(arguments, "Ctrl-C ends it: nothing is written before all is answered.");
    }
    let answers = Answers {
        service: service.then(|| ask_service(arguments)).transpose()?,
        subject: subject.then(|| ask_subject(arguments)).transpose()?,
    };
    if is_dialogue {
        answers.show(arguments);
        if !asked::agreed("Write this? [Y/n]: ", true)? {
            bail!("nothing was written");
        }
    }
    Ok(answers)
}

impl Answers {
    /// Says what comes of them, before it does.
    fn show(&self, arguments: &Arguments) {
        out::say(&format!("\nTo be written, in {}:", shown(&arguments.folder)));
        let line = |name: &str, value: &str| out::say(&format!("  {name:<13}{}", escaped(value, 300)));
        if let Some(service) = &self.service {
            line("AP_ID", &service.ap_id);
            line("prefix", &format!("\"{}\"", service.prefix));
            line("service", &sample::url(service));
        }
        if let Some(Subject { name, organisation, country }) = &self.subject {
            line("certificate", &format!("C={}, O={}, CN={}", country.0, organisation.0, name.0));
        }
    }
}

/// What looks like a slip in an AP_ID.
fn doubt_ap_id(ap_id: &str) -> Option<String> {
    (!ap_id.starts_with("mid://")).then(|| "AP_IDs usually begin with mid://".to_owned())
}

/// What looks like a slip in a prefix: nothing stands between it and the text.
fn doubt_prefix(prefix: &str) -> Option<String> {
    let is_apart = prefix.ends_with(|last: char| last.is_whitespace() || "|/)]>".contains(last));
    (!is_apart).then(|| format!("phones will show: {}", beginning(prefix)))
}

/// How a text on a phone begins.
fn beginning(prefix: &str) -> String {
    format!("{}Log in as alice ...", escaped(prefix, 100))
}

/// An answer that came by a flag is taken; what looks like a slip is said.
fn flagged(arguments: &Arguments, flag: &str, value: &str, doubt: fn(&str) -> Option<String>) -> String {
    if let Some(doubt) = doubt(value) {
        say(arguments, &format!("warning: {flag} {}: {doubt}", escaped(value, 200)));
    }
    value.to_owned()
}

/// The flags that must be there where nobody can be asked.
fn missing(arguments: &Arguments, service: bool, subject: bool) -> Vec<&'static str> {
    [
        (service && arguments.ap_id.is_none(), "--ap-id"),
        (service && arguments.prefix.is_none(), "--prefix"),
        (subject && arguments.organisation.is_none(), "--organisation"),
        (subject && arguments.name.is_none() && full_name().is_none(), "--name"),
    ]
    .into_iter()
    .filter_map(|(is_missing, flag)| is_missing.then_some(flag))
    .collect()
}

/// Judges the flags as a login will judge the configuration.
fn said_well(arguments: &Arguments, service: bool) -> anyhow::Result<()> {
    let said = [
        ("--ap-id", "ap_id", &arguments.ap_id),
        ("--prefix", "dtbd_prefix", &arguments.prefix),
        ("--server-name", "server_name", &arguments.server_name),
    ];
    for (flag, key, value) in said {
        if let Some(Err(why)) = value.as_ref().filter(|_| service).map(|value| sample::judge(key, value)) {
            bail!("{flag}: {why}");
        }
    }
    Ok(())
}

fn ask_service(arguments: &Arguments) -> anyhow::Result<Service> {
    let judged = |key: &'static str| move |text: &str| sample::judge(key, text).map(|()| text.to_owned());
    let ap_id = match &arguments.ap_id {
        Some(ap_id) => flagged(arguments, "--ap-id", ap_id, doubt_ap_id),
        None => {
            let doubt = |ap_id: &String| doubt_ap_id(ap_id).map(|doubt| format!("{doubt}; keep this one?"));
            let question = "AP_ID, such as mid://acme.example";
            asked::ask_surely(question, |text| judged("ap_id")(text.trim()), doubt)?
        }
    };
    let prefix = match &arguments.prefix {
        Some(prefix) => flagged(arguments, "--prefix", prefix, doubt_prefix),
        None => {
            let doubt = |prefix: &String| doubt_prefix(prefix).map(|doubt| format!("{doubt}; keep it?"));
            let question = "Prefix of every text on the phone, such as \"ACME: \"";
            asked::ask_surely(question, |text| judged("dtbd_prefix")(unquoted(text)), doubt)?
        }
    };
    if doubt_prefix(&prefix).is_none() {
        say(arguments, &format!("  phones will show: {}", beginning(&prefix)));
    }
    Ok(Service {
        ap_id,
        prefix,
        url: arguments.url.clone(),
        server_name: arguments.server_name.clone(),
        server_trust: sample::server_trust(arguments),
    })
}

fn ask_subject(arguments: &Arguments) -> anyhow::Result<Subject> {
    let organisation = match &arguments.organisation {
        Some(organisation) => organisation.clone(),
        None => asked::ask("Company, for the certificate, such as ACME AG", None, parsed)?,
    };
    // Who is asked for the company is shown what the others would be.
    let is_asked = arguments.organisation.is_none();
    let country = match &arguments.country {
        Some(country) => country.clone(),
        None if is_asked => asked::ask("Its country, two letters", Some(COUNTRY), parsed)?,
        None => Country(COUNTRY.to_owned()),
    };
    let name = match (&arguments.name, full_name()) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) if !is_asked => name,
        (None, name) => {
            let default = name.as_ref().map(|Named(name)| name.as_str());
            asked::ask("The certificate's name, such as mobileid.acme.example", default, parsed)?
        }
    };
    Ok(Subject { name, organisation, country })
}

fn parsed<T: FromStr<Err = &'static str>>(text: &str) -> Result<T, String> {
    text.parse().map_err(str::to_owned)
}

/// A blank at the end is part of a prefix; quotes around it, which show the blank, are not.
fn unquoted(text: &str) -> &str {
    let inside = text.trim().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.unwrap_or(text)
}

/// This host's name, with its domain where /etc/hosts knows it; None where no certificate can have it.
fn full_name() -> Option<Named> {
    let short = terminal::host_name();
    let hosts = std::fs::read("/etc/hosts").unwrap_or_default();
    let full = of_hosts(&String::from_utf8_lossy(&hosts), &short);
    usable(full, &short)
}

fn usable(full: Option<String>, short: &str) -> Option<Named> {
    full.and_then(|full| full.parse().ok()).or_else(|| short.parse().ok())
}

fn of_hosts(hosts: &str, short: &str) -> Option<String> {
    if short.contains('.') {
        return None;
    }
    let lines = hosts.lines().filter_map(|line| line.split('#').next());
    let mut names = lines.map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>());
    let known = names.find(|names| names.contains(&short))?;
    known
        .into_iter()
        .find(|name| name.strip_prefix(short).is_some_and(|rest| rest.starts_with('.')))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_full_name_stands_in_hosts() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tweb1.acme.example web1 # web1.comment\n";
        for (short, full) in [
            ("web1", Some("web1.acme.example")),
            ("web2", None),
            ("localhost", None),
            ("web1.acme.example", None),
        ] {
            assert_eq!(of_hosts(hosts, short).as_deref(), full, "{short}");
        }
    }

    #[test]
    fn a_name_that_no_certificate_can_have_is_not_offered() {
        let named = |name: &str| Some(Named(name.to_owned()));
        let long = format!("web1.{}.example", "x".repeat(60));
        for (full, short, offered) in [
            (Some("web1.acme.example"), "web1", named("web1.acme.example")),
            (None, "web1", named("web1")),
            (Some(long.as_str()), "web1", named("web1")),
            (None, long.as_str(), None),
            (None, "web\u{1b}[31m", None),
            (None, "", None),
        ] {
            assert_eq!(usable(full.map(str::to_owned), short), offered, "{full:?} {short:?}");
        }
    }

    #[test]
    fn quotes_show_the_blank_and_are_not_part_of_it() {
        for (typed, meant) in [
            ("ACME: ", "ACME: "),
            ("\"ACME: \"", "ACME: "),
            ("ACME:", "ACME:"),
            ("\"", "\""),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(unquoted(typed), meant);
        }
    }

    #[test]
    fn what_looks_like_a_slip_is_asked_about() {
        for (ap_id, is_doubted) in [
            ("mid://acme.example", false),
            ("acme.example", true),
            ("http://acme.example", true),
            ("MID://acme.example", true),
        ] {
            assert_eq!(doubt_ap_id(ap_id).is_some(), is_doubted, "{ap_id}");
        }
        for (prefix, is_doubted) in [
            ("ACME: ", false),
            ("ACME\u{a0}", false),
            ("ACME|", false),
            ("[ACME]", false),
            ("ACME:", true),
            ("ACME", true),
            ("Bank ACME", true),
        ] {
            assert_eq!(doubt_prefix(prefix).is_some(), is_doubted, "{prefix}");
        }
    }

    #[test]
    fn a_subject_has_bounds() {
        for wrong in ["", "  ", "a\u{1b}[2J", &"x".repeat(65)] {
            assert!(wrong.parse::<Named>().is_err(), "{wrong:?}");
        }
        assert_eq!(" ACME AG ".parse(), Ok(Named("ACME AG".to_owned())));
        for wrong in ["", "C", "CHE", "C1", "çh", "ü"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong:?}");
        }
        assert_eq!("ch".parse(), Ok(Country("CH".to_owned())));
    }
}
