//! A program that is asked: what it is told, and what its answer means.
//!
//! ```text
//!   /usr/local/libexec/phone-of --site zurich alice
//!
//!   exit 0   {"msisdn": "+41791234567", "language": "de"}  ──> found
//!   exit 0   anything else on standard output              ──> unusable: the program has to be mended
//!   exit 1   not a word                                    ──> not enrolled
//!   a word on standard error, any other exit, a signal     ──> away
//! ```
//!
//! Exit 1 is also what an interpreter makes of a mistake in a script, and what many a tool ends with that had no memory
//! or no descriptors left. They say so on standard error. So a program that complains is not believed, whatever it ends
//! with, and being in trouble is never taken for not knowing somebody.

use std::{path::PathBuf, str::FromStr, time::Duration};

use serde::Deserialize;

use super::{Answer, GROUPS_MAX, is_group};
use crate::{
    subscriber::{Entry, Msisdn, Subscriber, UserName},
    text,
};

/// A program, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is, by its real path.
    pub path: PathBuf,
    /// What stands before the user's name.
    pub arguments: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

/// What every program is started by: the first makes one identity out of two and ends it with its host, the second puts
/// it into the folder `/`. Each with the package that brings it.
pub const STARTERS: [(&str, &str); 2] = [("/usr/bin/setpriv", "util-linux"), ("/usr/bin/env", "coreutils")];

/// The most that a program may write, to each of its outputs.
pub const OUTPUT_MAX: usize = 64 << 10;

/// A program that has ended by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub how: How,
    /// Its standard output.
    pub output: Vec<u8>,
    /// Its standard error.
    pub complaint: Vec<u8>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With this status.
    Exit(i32),
    /// By the signal of this name.
    Signal(&'static str),
}

const FOUND: i32 = 0;
const NOT_ENROLLED: i32 = 1;

/// The user's name as an argument; none where it begins with a dash, which programs take for an option.
#[must_use]
pub fn argument(user: &UserName) -> Option<&str> {
    Some(user.as_str()).filter(|name| !name.starts_with('-'))
}

/// What the program says of the user.
#[must_use]
pub fn read(user: &UserName, ended: &Ended) -> Answer {
    if !ended.complaint.is_empty() {
        let complaint = String::from_utf8_lossy(&ended.complaint);
        let (status, words) = (status(ended.how), text::foreign(complaint.trim(), 200));
        return Answer::Away(format!("the program {status} and complains: {words}"));
    }
    let is_silent = ended.output.iter().all(u8::is_ascii_whitespace);
    match ended.how {
        How::Exit(FOUND) => person(user, &ended.output).map_or_else(unusable, Answer::Found),
        How::Exit(NOT_ENROLLED) if is_silent => Answer::NotEnrolled,
        How::Exit(NOT_ENROLLED) => {
            Answer::Away("the program ends with 1, which means nobody, and yet says something".to_owned())
        }
        how => Answer::Away(format!("the program {}", status(how))),
    }
}

fn status(how: How) -> String {
    match how {
        How::Exit(code) => format!("ends with {code}"),
        How::Signal(name) => format!("was ended by {name}"),
    }
}

fn unusable(why: String) -> Answer {
    Answer::Unusable(format!("the program's answer: {why}"))
}

/// The answer as written. A field that nobody knows may be one that somebody relies on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    msisdn: String,
    language: Option<String>,
    serial: Option<String>,
    profile: Option<String>,
    groups: Option<Vec<String>>,
    id: Option<String>,
}

fn person(user: &UserName, output: &[u8]) -> Result<Subscriber, String> {
    // The words of the reader repeat what stands there, which may be somebody's number.
    let read: Person = serde_json::from_slice(output).map_err(|why| text::foreign(&why.to_string(), 200))?;
    let groups = read.groups.unwrap_or_default();
    if groups.len() > GROUPS_MAX {
        return Err(format!("groups: more than {GROUPS_MAX}"));
    }
    if !groups.iter().all(|group| is_group(group)) {
        return Err("groups: a group has 1 to 256 bytes of printable characters".to_owned());
    }
    let id = read.id.unwrap_or_else(|| by_name(user));
    if !(1..=ID_MAX).contains(&id.len()) || id.chars().any(text::is_unprintable) {
        return Err(format!("id: must have 1 to {ID_MAX} bytes of printable characters"));
    }
    Ok(Subscriber {
        msisdn: number(&read.msisdn)?,
        language: value("language", read.language)?,
        serial: value("serial", read.serial)?,
        profile: value("profile", read.profile)?,
        groups,
        entry: Entry { directory: String::new(), id },
    })
}

/// Who has no name of its own there. A program may know ALICE and "alice " for alice, as databases do: were each remembered
/// as itself, whoever took her number over would begin anew with another spelling.
fn by_name(user: &UserName) -> String {
    user.as_str().trim().to_lowercase()
}

/// The longest name that anything is remembered under.
const ID_MAX: usize = 1024;

/// A number whose country is not guessed.
fn number(text: &str) -> Result<Msisdn, String> {
    let is_international = text.starts_with('+') || text.starts_with("00");
    let number = text.parse().ok().filter(|_| is_international);
    number.ok_or_else(|| "msisdn: must be a phone number with its country code, like +41791234567".to_owned())
}

fn value<T: FromStr<Err: std::fmt::Display>>(name: &str, text: Option<String>) -> Result<Option<T>, String> {
    let parsed = text.map(|text| text.parse()).transpose();
    parsed.map_err(|why| format!("{name}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alice() -> UserName {
        "alice".parse().unwrap()
    }

    fn says(how: How, output: &[u8], complaint: &[u8]) -> Answer {
        read(&alice(), &Ended { how, output: output.to_vec(), complaint: complaint.to_vec() })
    }

    fn told(answer: Answer) -> String {
        match answer {
            Answer::Found(found) => format!("found {}", found.msisdn.digits()),
            Answer::NotEnrolled => "not enrolled".to_owned(),
            Answer::Barred(why) => format!("barred: {why}"),
            Answer::Unusable(why) => format!("unusable: {why}"),
            Answer::Away(why) => format!("away: {why}"),
        }
    }

    #[test]
    fn a_full_answer_is_read_to_the_last_field() {
        let full =
            br#"{"msisdn": "0041 79 123 45 67", "language": "de", "serial": "MIDCHE1", "profile": "app",
                        "groups": ["vpn", "a b"], "id": "4711"}
"#;
        let Answer::Found(found) = says(How::Exit(0), full, b"") else { panic!("not found") };
        assert_eq!(found.msisdn.digits(), "41791234567");
        assert_eq!(found.language, Some(crate::subscriber::Language::De));
        assert_eq!(found.serial.unwrap().as_str(), "MIDCHE1");
        assert_eq!(found.profile, Some(crate::subscriber::Profile::App));
        assert_eq!(found.groups, ["vpn", "a b"]);
        assert_eq!(found.entry.id, "4711");
        // Who has no other name there is called as asked for.
        let short = br#"{"msisdn": "+41791234567", "language": null}"#;
        let Answer::Found(found) = says(How::Exit(0), short, b"") else { panic!("not found") };
        assert_eq!((found.entry.id.as_str(), found.language, found.groups.len()), ("alice", None, 0));
    }

    #[test]
    fn whoever_has_no_id_is_one_person_in_whatever_spelling() {
        let number = br#"{"msisdn":"+41791234567"}"#;
        let ended = Ended { how: How::Exit(0), output: number.to_vec(), complaint: Vec::new() };
        for name in ["alice", "ALICE", " Alice "] {
            let Answer::Found(found) = read(&name.parse().unwrap(), &ended) else {
                panic!("{name}: not found")
            };
            assert_eq!(found.entry.id, "alice", "{name}");
        }
        assert!(matches!(read(&" ".parse().unwrap(), &ended), Answer::Unusable(_)), "nobody's name");
    }

    #[test]
    fn only_a_silent_exit_1_says_that_nobody_is_known() {
        let number = br#"{"msisdn":"+41791234567"}"#;
        for (how, output, complaint, expected) in [
            (How::Exit(1), &b""[..], &b""[..], "not enrolled"),
            (How::Exit(1), b" \n", b"", "not enrolled"),
            (How::Exit(1), b"", b"Traceback\n", "away: the program ends with 1 and complains: Traceback"),
            (
                How::Exit(1),
                number,
                b"",
                "away: the program ends with 1, which means nobody, and yet says something",
            ),
            (How::Exit(0), number, b"", "found 41791234567"),
            (How::Exit(0), number, b"warning", "away: the program ends with 0 and complains: warning"),
            (How::Exit(0), number, b"\n", "away: the program ends with 0 and complains: "),
            (How::Exit(2), b"", b"", "away: the program ends with 2"),
            (
                How::Exit(127),
                b"",
                b"no file\xff\x1b[2J",
                "away: the program ends with 127 and complains: no file\u{fffd}\\u{1b}[2J",
            ),
            (
                How::Exit(3),
                b"",
                b"+41791234567 is odd",
                "away: the program ends with 3 and complains: +41*******67 is odd",
            ),
            (How::Signal("SIGSEGV"), number, b"", "away: the program was ended by SIGSEGV"),
        ] {
            assert_eq!(told(says(how, output, complaint)), expected);
        }
    }

    #[test]
    fn an_answer_that_is_not_the_agreed_one_is_nobodys() {
        let many =
            format!(r#"{{"msisdn":"+41761112233","groups":[{}]}}"#, vec!["\"g\""; GROUPS_MAX + 1].join(","));
        let long = format!(r#"{{"msisdn":"+41761112233","id":"{}"}}"#, "i".repeat(ID_MAX + 1));
        let deep = "[".repeat(60_000);
        for (output, expected) in [
            ("", "EOF while parsing"),
            ("+41761112233", "expected value at line 1"),
            ("{}", "missing field `msisdn`"),
            (r#"{"msisdn": 41761112233}"#, "invalid type: integer `41*******33`"),
            (r#"{"msisdn": null}"#, "invalid type: null"),
            (r#"{"msisdn": "41761112233"}"#, "msisdn: must be a phone number with its country code"),
            (r#"{"msisdn": "076 111 22 33"}"#, "msisdn: must be a phone number with its country code"),
            (r#"{"msisdn": "+4179"}"#, "msisdn: must be a phone number with its country code"),
            (r#"{"msisdn": "+41761112233", "mobile": "x"}"#, "unknown field `mobile`"),
            (r#"{"msisdn": "+41761112233", "msisdn": "+41761112234"}"#, "duplicate field `msisdn`"),
            (r#"{"msisdn": "+41761112233"} {"msisdn": "+41761112234"}"#, "trailing characters"),
            (r#"{"msisdn": "+41761112233", "language": "rm"}"#, "language: a language is one of"),
            (r#"{"msisdn": "+41761112233", "serial": "a b"}"#, "serial: a serial number has"),
            (r#"{"msisdn": "+41761112233", "profile": "sms"}"#, "profile: a signature profile is one of"),
            (r#"{"msisdn": "+41761112233", "groups": "vpn"}"#, "invalid type: string"),
            (r#"{"msisdn": "+41761112233", "groups": ["a\u0000"]}"#, "groups: a group has"),
            (r#"{"msisdn": "+41761112233", "id": ""}"#, "id: must have 1 to 1024 bytes"),
            (r#"{"msisdn": "+41761112233", "id": "a\nb"}"#, "id: must have 1 to 1024 bytes"),
            (&many, "groups: more than 1024"),
            (&long, "id: must have 1 to 1024 bytes"),
            (&deep, "invalid type: sequence"),
        ] {
            let told = told(says(How::Exit(0), output.as_bytes(), b""));
            assert!(
                told.starts_with("unusable: the program's answer: ") && told.contains(expected),
                "{expected}: {told}"
            );
            assert!(!told.contains("1112233"), "{told}");
        }
        assert!(told(says(How::Exit(0), b"\xff", b"")).starts_with("unusable: "));
    }

    #[test]
    fn a_name_is_no_option() {
        for (name, fits) in [("alice", true), ("$(id)", true), ("a b'\"", true), ("-v", false), ("--", false)]
        {
            assert_eq!(argument(&name.parse().unwrap()).is_some(), fits, "{name}");
        }
    }
}
