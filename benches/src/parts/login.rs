//! The CPU time of one whole login, beside curl and openssl doing what it takes at least.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use mobileid_simulator::Subscriber;
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::guests::{Guests, measured};
use crate::service::{FIRST_NUMBER, Service, signature_request};
use crate::table::{Book, milliseconds, ratio};

const PART: &str = "login";
const COLUMNS: &[(&str, usize)] = &[("one login", 40), ("CPU ms", 8), ("wall ms", 8)];

/// What PAM calls success.
const PAM_SUCCESS: i32 = 0;

#[derive(Clone, Copy)]
struct Spent {
    cpu: Duration,
    wall: Duration,
}

/// Logs in both ways, in turns, and shows medians.
///
/// # Errors
/// A login fails, or curl or openssl is not there.
pub fn run(book: &mut Book, guests: &Guests, module: &Path, service: &Service, rounds: usize) -> Result<()> {
    book.table(PART, "A whole login: mutual TLS, the request, the signature verified; medians", COLUMNS);
    let configuration = enrolled(service, guests.user())?;
    guests.service("login", module, &format!("config={}", configuration.display()))?;
    let (mut ours, mut theirs, mut nothing) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        nothing.push(by_pam(guests, "permit")?);
        ours.push(by_pam(guests, "login")?);
        theirs.push(by_tools(service, guests.folder(), &format!("Bench{round}"))?);
    }
    let rows = [
        ("a process that asks pam_permit", &nothing),
        ("the same process asking pam_mobileid", &ours),
        ("curl, then openssl cms -verify", &theirs),
    ];
    for (name, spent) in rows {
        let Spent { cpu, wall } = median(spent);
        let value = json!({"who": name, "cpu_us": cpu.as_micros(), "wall_us": wall.as_micros()});
        book.row(PART, COLUMNS, &[name.to_owned(), milliseconds(cpu), milliseconds(wall)], value);
    }
    let found = ratio(median(&ours).cpu, median(&theirs).cpu);
    book.note(
        "processes are counted from their start; decoding the answer for openssl is left out of its count",
    );
    book.goal(
        "CPU of a login",
        &format!("{found:.2} times curl's and openssl's"),
        "less than theirs",
        found < 1.0,
    );
    Ok(())
}

/// A configuration with the user enrolled as the first of the crowd, who confirms at once. The serial number is in it:
/// it is no first login that is measured, and a machine that was measured must not keep whose signature it was.
fn enrolled(service: &Service, user: &str) -> Result<std::path::PathBuf> {
    let table = service.file("bench-users.toml");
    let person = Subscriber::new(&FIRST_NUMBER.to_string())?;
    let serial = person.serial;
    fs::write(&table, format!("[{user}]\nmsisdn = \"+{FIRST_NUMBER}\"\nserial = \"{serial}\"\n"))?;
    fs::set_permissions(&table, Permissions::from_mode(0o600))?;
    let path = service.configuration("bench.toml", "")?;
    let text = fs::read_to_string(&path)?.replace("\"users.toml\"", "\"bench-users.toml\"");
    ensure!(text.contains("bench-users.toml"), "{} names another table", path.display());
    fs::write(&path, text)?;
    Ok(path)
}

fn by_pam(guests: &Guests, service: &str) -> Result<Spent> {
    let began = Instant::now();
    let cost = guests.ask(service)?;
    ensure!(cost.result == PAM_SUCCESS, "{service}: PAM answered {}", cost.result);
    Ok(Spent { cpu: cost.cpu, wall: began.elapsed() })
}

fn by_tools(service: &Service, folder: &Path, transaction: &str) -> Result<Spent> {
    let began = Instant::now();
    let instant = OffsetDateTime::now_utc().replace_nanosecond(0)?.format(&Rfc3339)?;
    let body = signature_request(&FIRST_NUMBER.to_string(), transaction, &instant).to_string();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--noproxy", "*", "--max-time", "100", "--cert"]);
    curl.arg(service.file("client.crt")).arg("--key").arg(service.file("client.key"));
    curl.arg("--cacert").arg(service.file("server-root.pem"));
    curl.args(["--header", "Content-Type: application/json", "--data", &body]);
    curl.arg(format!("https://{}/rest/service/sign", service.address()));
    let (answer, asking) = measured(&mut curl)?;
    let cms = folder.join("signature.cms.pem");
    fs::write(&cms, pem(&answer)?)?;
    let mut openssl = Command::new("openssl");
    openssl.args(["cms", "-verify", "-inform", "PEM", "-purpose", "any", "-in"]).arg(&cms);
    openssl.arg("-CAfile").arg(service.file("signer-anchors.pem"));
    let (text, verifying) = measured(&mut openssl)?;
    ensure!(text.contains(transaction), "openssl verified another text: {text}");
    Ok(Spent { cpu: asking + verifying, wall: began.elapsed() })
}

/// The signature of an answer, in the form that openssl reads without our decoding it.
fn pem(answer: &str) -> Result<String> {
    let answer: serde_json::Value = serde_json::from_str(answer)?;
    let signature = answer.pointer("/MSS_SignatureResp/MSS_Signature/Base64Signature");
    let signature = signature.and_then(|value| value.as_str()).context("no signature in the answer")?;
    let mut text = String::from("-----BEGIN CMS-----\n");
    let mut rest = signature;
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64.min(rest.len())).context("base64 is ASCII")?;
        text.extend([line, "\n"]);
        rest = more;
    }
    text.push_str("-----END CMS-----\n");
    Ok(text)
}

fn median(spent: &[Spent]) -> Spent {
    let of = |pick: &dyn Fn(&Spent) -> Duration| {
        let mut values: Vec<Duration> = spent.iter().map(pick).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    Spent { cpu: of(&|spent| spent.cpu), wall: of(&|spent| spent.wall) }
}
