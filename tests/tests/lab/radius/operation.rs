//! What an operator does to it while people wait: new configuration, the end of a node, a second node.

use anyhow::{Context, Result, ensure};
use mobileid_tests::radius::packet::{Draft, attribute, code};
use mobileid_tests::radius::{Nas, Responder, SECRET, free_port};
use mobileid_tests::{Lab, Simulator};
use nix::sys::signal::Signal;

use crate::radius::support::{client, waiting};

/// A socket that nobody reads holds some 190 answers; what comes after them the machine throws away.
const PER_SOCKET: usize = 100;

/// How many people wait while the configuration changes.
const WAITING: usize = 2000;

/// Begins a login for each of so many users, and returns once every phone has been asked.
fn begin(radiusd: &Responder<'_>, mobile_id: &Simulator<'_>, count: usize) -> Result<Vec<(Nas, Vec<Draft>)>> {
    let mut begun = Vec::new();
    for first in (0..count).step_by(PER_SOCKET) {
        let nas = radiusd.nas()?;
        let mut logins = Vec::new();
        for user in first..count.min(first + PER_SOCKET) {
            logins.push(nas.login(u8::try_from(user - first)?, &format!("user{user}"), "any")?);
            if user % 50 == 49 {
                nas.hears_nothing()?;
            }
        }
        begun.push((nas, logins));
    }
    mobile_id.wait_pushes(count)?;
    Ok(begun)
}

fn all_accepted(radiusd: &Responder<'_>, begun: &[(Nas, Vec<Draft>)]) -> Result<()> {
    let mut accepted = 0;
    for (nas, logins) in begun {
        let replies = nas.answers(logins)?;
        accepted += replies.iter().filter(|reply| reply.code == code::ACCESS_ACCEPT).count();
    }
    let denied = radiusd.audit_log().containing("\"verdict\":\"denied\"");
    ensure!(denied.is_empty(), "{} were denied, such as {:#?}", denied.len(), denied.first());
    let begun: usize = begun.iter().map(|(_, logins)| logins.len()).sum();
    ensure!(accepted == begun, "{accepted} of {begun} were accepted");
    Ok(())
}

#[test]
fn a_reload_loses_nobody_of_two_thousand_who_wait() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator_with_crowd(WAITING, 25_000)?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let begun = begin(&radiusd, &mobile_id, WAITING)?;
    ensure!(radiusd.audited() == 0, "somebody did not wait");

    // A broken file changes nothing, and the log says what is wrong with it.
    radiusd.reload("no_such_key = true", &waiting("vpn", "127.0.0.1"))?;
    radiusd.log().wait_for("no_such_key")?;
    radiusd.log().wait_for("the old one stays in use")?;
    // With a good one there is a second client.
    let two = format!("{}\n{}", waiting("vpn", "127.0.0.1"), waiting("new", "127.0.0.2"));
    ensure!(!radiusd.nas_at("127.0.0.2")?.finds_a_server()?, "it is a client before the reload");
    radiusd.reload("", &two)?;
    radiusd.log().wait_for("the new configuration is in use")?;
    radiusd.nas_at("127.0.0.2")?.hears_nothing()?;

    all_accepted(&radiusd, &begun)?;
    radiusd.drain()?;
    ensure!(
        radiusd.audited() == WAITING && mobile_id.all_pushes() == WAITING,
        "{} pushes",
        mobile_id.all_pushes()
    );
    Ok(())
}

#[test]
fn whoever_waits_at_the_end_still_gets_an_answer_and_nobody_new_is_asked() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let mut radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let (nas, late) = (radiusd.nas()?, radiusd.nas()?);
    let login = nas.login(1, "carol", "any")?;
    mobile_id.wait_pushes(1)?;
    radiusd.signal(Signal::SIGTERM)?;
    radiusd.log().wait_for("no new logins")?;
    let refused = late.login(1, "alice", "any")?;
    mobile_id.confirm("carol")?;
    ensure!(nas.answer(&login)?.code == code::ACCESS_ACCEPT);
    let status = radiusd.ended()?;
    ensure!(status.success(), "{status}: {:#?}", radiusd.log().all());
    if let Some(octets) = late.datagram(std::time::Duration::from_millis(1))? {
        ensure!(octets.first() != Some(&code::ACCESS_ACCEPT), "{refused:?}: {octets:02x?}");
    }
    ensure!(mobile_id.all_pushes() == 1, "somebody new was asked");
    Ok(())
}

#[test]
fn another_node_with_the_same_key_finishes_what_the_first_began() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    mobile_id.asynchronous()?;
    lab.write("/etc/mobileid/state.key", 0o600, &"5a".repeat(32))?;
    let keys = "state_key_file = \"state.key\"";
    let challenging = client("vpn", "127.0.0.1", "mode = \"challenge\"");
    let mut first = lab.responder_named("first", keys, &challenging)?;
    let second = lab.responder_named("second", keys, &challenging)?;

    let nas = first.nas()?;
    let challenge = nas.answer(&nas.login(1, "carol", "any")?)?;
    ensure!(challenge.code == code::ACCESS_CHALLENGE, "{challenge:?}");
    let state = challenge.all(attribute::STATE).first().context("a State")?.to_vec();
    first.signal(Signal::SIGKILL)?;
    first.ended()?;

    mobile_id.confirm("carol")?;
    // The NAS fails over with what it has: the State, from the address and port it had.
    nas.turn_to(second.port())?;
    let mut state = state;
    for identifier in 2..200 {
        let follow_up = Draft::login(identifier, "carol", "", SECRET).with(attribute::STATE, &state);
        nas.send(&follow_up.signed(SECRET))?;
        let reply = nas.answer(&follow_up)?;
        match reply.code {
            code::ACCESS_CHALLENGE => {
                state = reply.all(attribute::STATE).first().context("a State")?.to_vec()
            }
            code::ACCESS_ACCEPT => break,
            _ => anyhow::bail!("{reply:?}\n{:#?}", second.log().all()),
        }
    }
    second.audit("carol")?;
    ensure!(mobile_id.all_pushes() == 1, "one login is one push, on however many nodes");
    Ok(())
}

#[test]
fn a_node_with_another_key_refuses_and_asks_nobody() -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    let challenging = client("vpn", "127.0.0.1", "mode = \"challenge\"");
    let first = lab.responder_named("first", "", &challenging)?;
    let mut second = lab.responder_named("second", "", &challenging)?;
    let nas = first.nas()?;
    let challenge = nas.answer(&nas.login(1, "carol", "any")?)?;
    let state = challenge.all(attribute::STATE).first().context("a State")?.to_vec();
    nas.turn_to(second.port())?;
    let follow_up = Draft::login(2, "carol", "", SECRET).with(attribute::STATE, state);
    nas.send(&follow_up.signed(SECRET))?;
    let reply = nas.answer(&follow_up)?;
    ensure!(reply.code == code::ACCESS_REJECT, "{reply:?}");
    second.drain()?;
    mobile_id.confirm("carol")?;
    ensure!(mobile_id.all_pushes() == 1, "{} pushes", mobile_id.all_pushes());
    Ok(())
}

#[test]
fn it_tells_whether_it_lives_and_counts_what_it_does() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let radiusd = lab.responder(&waiting("vpn", "127.0.0.1"))?;
    let health = radiusd.page("/health")?;
    ensure!(health.starts_with("HTTP/1.1 200 "), "{health}");
    let nas = radiusd.nas()?;
    nas.answer(&nas.login(1, "alice", "any")?)?;
    nas.answer(&nas.login(2, "bob", "any")?)?;
    radiusd.audit("bob")?;
    let page = radiusd.page("/metrics")?;
    ensure!(page.contains("verdict=\"accepted\"") && page.contains("verdict=\"denied\""), "{page}");
    // Nothing in it names a person or a number.
    ensure!(!page.contains("alice") && !page.contains("4179"), "{page}");
    Ok(())
}

#[test]
fn accounting_is_acknowledged_and_written_down() -> Result<()> {
    let lab = Lab::new()?;
    let _mobile_id = lab.simulator()?;
    let port = free_port()?;
    let keys = format!("accounting = [\"127.0.0.1:{port}\"]");
    let radiusd = lab.responder_named("radiusd", &keys, &waiting("vpn", "127.0.0.1"))?;
    let asked = "User-Name=alice,Acct-Status-Type=Start,Acct-Session-Id=\"s1\"";
    let answer = lab.radclient_account(port, asked)?.finish()?;
    ensure!(answer.said.contains("Received Accounting-Response"), "{answer:#?}");
    let line = radiusd.audit("alice")?;
    let field = |name: &str| line.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    ensure!(field("event") == "accounting" && field("status") == "start", "{line:#}");
    ensure!(field("session") == "s1" && field("client") == "vpn", "{line:#}");
    Ok(())
}
