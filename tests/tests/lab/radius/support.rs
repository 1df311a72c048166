//! What several stories need: clients of the responder in its own configuration's words, and checks.

use anyhow::{Context, Result, ensure};
use mobileid_tests::Simulator;
use mobileid_tests::radius::{Responder, SECRET};
use serde_json::Value;

/// eapol_test with a password in a tunnel.
pub(crate) const TTLS_PAP: &str = "eap=TTLS\nidentity=\"alice\"\nanonymous_identity=\"somebody\"\n\
     password=\"correct horse\"\nphase2=\"auth=PAP\"";

/// The same with MS-CHAPv2.
pub(crate) const TTLS_MSCHAPV2: &str = "eap=TTLS\nidentity=\"alice\"\nanonymous_identity=\"somebody\"\n\
     password=\"correct horse\"\nphase2=\"auth=MSCHAPV2\"";

/// A NAS that has checked the password itself and waits for the one answer.
pub(crate) fn waiting(name: &str, address: &str) -> String {
    client(name, address, "mode = \"wait\"")
}

/// A NAS that has checked the password itself, with further keys.
pub(crate) fn client(name: &str, address: &str, keys: &str) -> String {
    let none = "first_factor = \"none\"\npassword = \"ignored\"";
    let name = format!("[[client]]\nname = \"{name}\"\naddress = [\"{address}\"]\nsecret = \"{SECRET}\"");
    format!("{name}\n{none}\n{keys}\n")
}

/// Checks a user's only audit line: its verdict, and its reason where one is given.
pub(crate) fn audited(radiusd: &Responder<'_>, user: &str, verdict: &str, reason: &str) -> Result<Value> {
    radiusd.audit(user)?;
    let audits = radiusd.audits(user)?;
    let [audit] = audits.as_slice() else {
        anyhow::bail!("one audit line was to be written for {user}: {audits:#?}");
    };
    let field = |name: &str| audit.get(name).and_then(Value::as_str).unwrap_or_default();
    ensure!(field("verdict") == verdict, "not {verdict}: {audit:#}");
    ensure!(reason.is_empty() || field("reason") == reason, "not for {reason}: {audit:#}");
    Ok(audit.clone())
}

/// The code at the end of the only text on a user's phone.
pub(crate) fn code_on_phone(mobile_id: &Simulator<'_>, user: &str) -> Result<String> {
    let text = crate::support::one_push(mobile_id, user)?;
    Ok(text.rsplit(' ').next().context("the text ends with the code")?.to_owned())
}
