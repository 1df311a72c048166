//! Reads subscribers from a file, which replaces the built-in table (the test numbers of the live service stay):
//!
//! ```toml
//! [[subscriber]]
//! msisdn = "+41791234567"
//! user = "alice"           # optional: a user name, written to users.toml
//! method = "sim"           # sim (the default), app or both
//! key = "ec"               # ec (the default) or rsa
//! behaviour = "approve"    # approve is the default
//! after_ms = 200           # how long the person takes, where the behaviour acts by itself
//! serial = "MIDCHE0123456789"   # optional: follows from the number otherwise
//! ```

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::behaviour::Behaviour;
use crate::keys::KeyKind;
use crate::subscribers::{BUILT_IN_DELAY, Methods, Subscriber};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscribersFile {
    #[serde(default)]
    subscriber: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    msisdn: String,
    user: Option<String>,
    method: Option<Methods>,
    key: Option<KeyKind>,
    behaviour: Option<Behaviour>,
    after_ms: Option<u64>,
    serial: Option<String>,
}

/// Reads a subscribers file.
///
/// # Errors
/// The file cannot be read, has a key that is not known, a number twice, or a value that is no such thing.
pub fn read_file(path: &Path) -> Result<Vec<Subscriber>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    parse_file(&text).with_context(|| path.display().to_string())
}

fn parse_file(text: &str) -> Result<Vec<Subscriber>> {
    let file: SubscribersFile = toml::from_str(text)?;
    let mut seen = HashSet::new();
    let mut subscribers = Vec::new();
    for entry in file.subscriber {
        let mut subscriber = Subscriber::new(&entry.msisdn)?;
        if let Some(user) = &entry.user
            && !user.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        {
            bail!("{}: {user:?} is no plain user name", entry.msisdn);
        }
        if let Some(serial) = entry.serial {
            let ten = serial.strip_prefix("MIDCHE").unwrap_or_default();
            if ten.len() != 10 || !ten.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            {
                bail!("{}: a serial is MIDCHE and ten letters or digits, not {serial:?}", entry.msisdn);
            }
            subscriber.serial = serial;
        }
        subscriber.user = entry.user;
        subscriber.methods = entry.method.unwrap_or(subscriber.methods);
        subscriber.key = entry.key.unwrap_or(subscriber.key);
        subscriber.behaviour = entry.behaviour.unwrap_or(subscriber.behaviour);
        subscriber.after = entry.after_ms.map_or(BUILT_IN_DELAY, Duration::from_millis);
        if !seen.insert(subscriber.msisdn.clone()) {
            bail!("{} is there twice", entry.msisdn);
        }
        subscribers.push(subscriber);
    }
    Ok(subscribers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_with_its_defaults() {
        let file = "[[subscriber]]\nmsisdn = '+41791234567'\nmethod = 'both'\nbehaviour = 'half-body'\n";
        let subscribers = parse_file(file).unwrap();
        assert_eq!(subscribers[0].msisdn, "41791234567");
        assert_eq!(subscribers[0].methods, Methods::Both);
        assert_eq!(subscribers[0].behaviour, Behaviour::HalfBody);
        assert_eq!(subscribers[0].serial.len(), 16);
    }

    #[test]
    fn a_file_with_a_mistake_is_refused_by_name() {
        let refusal =
            |line: &str| format!("{:#}", parse_file(&format!("[[subscriber]]\n{line}")).unwrap_err());
        assert!(refusal("msisdn = '+41791234567'\nbehavior = 'approve'").contains("behavior"));
        assert!(refusal("msisdn = '+41791234567'\nbehaviour = 'aprove'").contains("aprove"));
        assert!(refusal("msisdn = '079 123 45 67'").contains("079 123 45 67"));
        assert!(refusal("msisdn = '+41791234567'\nserial = 'MIDCHE1'").contains("MIDCHE1"));
        assert!(refusal("msisdn = '+41791234567'\nuser = 'a]b'").contains("a]b"));
        let twice = "msisdn = '+41791234567'\n[[subscriber]]\nmsisdn = '41791234567'";
        assert!(refusal(twice).contains("twice"));
        assert!(parse_file("subscribers = []").is_err());
    }
}
