//! The daemon as a whole, in this process: real datagrams on loopback, the simulator's service, files and all.

mod house;

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        fs::{PermissionsExt as _, chown},
        net::UnixDatagram,
    },
    time::Duration,
};

use self::house::{House, Nas, PATIENCE, Running};
use super::*;
use crate::packet::{Code, attribute};

/// The user whose login panics.
const PANICS: &str = "panics";

/// The defect that a test asks for.
pub(super) fn may_panic(job: &crate::driver::Job) {
    if let crate::driver::Job::Start(request) = job {
        assert_ne!(request.user.as_str(), PANICS, "a defect that a test has asked for");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_is_answered_written_down_and_counted() {
    let house = House::new("login");
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let request = nas.login("alice").await;
    house.phone("alice").await.approve();
    let accept = nas.answer_to(&request).await;
    assert_eq!(
        (accept.code, accept.text(attribute::REPLY_MESSAGE)),
        (Code::ACCESS_ACCEPT, "Mobile ID: confirmed.".into())
    );

    let request = nas.login("bob").await;
    house.phone("bob").await.cancel();
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_REJECT);

    let lines = house.audit_lines(2).await;
    for (line, parts) in lines.iter().zip([
        ["\"verdict\":\"accepted\"", "\"user\":\"alice\"", "\"client\":\"vpn\"", "\"rhost\":\"203.0.113.9\""],
        ["\"verdict\":\"denied\"", "\"user\":\"bob\"", "\"reason\":\"user-cancel\"", "\"code\":401"],
    ]) {
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
    }
    let page = daemon.get("/metrics").await;
    for sample in [
        "mobileid_logins_total{verdict=\"accepted\",reason=\"verified\"} 1",
        "mobileid_packets_total{client=\"vpn\",fate=\"rejected\"} 1",
        "mobileid_logins_pending 0",
        "mobileid_service_exchange_duration_seconds_count{kind=\"signature\"} 2",
        "mobileid_certificate_expires_in_days{role=\"client\"",
        "mobileid_certificate_expires_in_days{role=\"anchor\"",
    ] {
        assert!(page.contains(&format!("\n{sample}")), "no {sample} in\n{page}");
    }
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_packet_of_a_login_rings_no_second_time() {
    let house = House::new("join");
    let daemon = house.start().await;
    let (mut nas, mut other_port) = (daemon.nas().await, daemon.nas().await);
    let first = nas.login("alice").await;
    let phone = house.phone("alice").await;
    nas.send_again(&first).await;
    let second = other_port.login("alice").await;
    // Its answer shows that the daemon has read what came before.
    other_port.status().await;
    nas.status().await;
    phone.approve();
    assert_eq!(nas.answer_to(&first).await.code, Code::ACCESS_ACCEPT);
    assert_eq!(other_port.answer_to(&second).await.code, Code::ACCESS_ACCEPT);
    nas.send_again(&first).await;
    assert_eq!(nas.answer_to(&first).await.code, Code::ACCESS_ACCEPT);
    assert_eq!(house.pushes("alice"), 1);
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_is_taken_up_by_the_next_request() {
    let house = House::new("challenge");
    house.write(|config| config.replace("mode = \"wait\"", "mode = \"challenge\""));
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let request = nas.login("alice").await;
    let challenge = nas.answer_to(&request).await;
    assert_eq!(challenge.code, Code::ACCESS_CHALLENGE);
    let phone = house.phone("alice").await;
    let code = phone.text().rsplit(' ').next().unwrap().to_owned();
    assert!(challenge.text(attribute::REPLY_MESSAGE).contains(&code), "{code}");
    let request = nas.login_with("alice", &[(attribute::STATE, challenge.first(attribute::STATE))]).await;
    phone.approve();
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_ACCEPT);
    assert_eq!(house.pushes("alice"), 1);
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_takes_all_of_a_new_configuration_or_nothing() {
    let house = House::new("reload");
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let pending = nas.login("alice").await;
    let phone = house.phone("alice").await;

    house.write(|config| config.replace("mode = \"wait\"", "mode = \"wiat\"").replace("s3cret", "other"));
    daemon.reload().await;
    daemon.metric("mobileid_reload_failures_total 1").await;
    daemon.metric("mobileid_config_last_reload_successful 0").await;
    nas.status().await;

    // Another secret, another audit file; the login that waits is answered with the secret that it came with.
    house.write(|config| config.replace("s3cret", "other").replace("audit.json", "moved.json"));
    daemon.reload().await;
    daemon.metric("mobileid_config_last_reload_successful 1").await;
    phone.approve();
    assert_eq!(nas.answer_to(&pending).await.code, Code::ACCESS_ACCEPT);
    let mut nas = daemon.nas_with("other").await;
    let request = nas.login("bob").await;
    house.phone("bob").await.approve();
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_ACCEPT);
    assert_eq!(house.lines_of("moved.json", 2).await.len(), 2);
    assert_eq!(house.lines_of("audit.json", 0).await.len(), 0);
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_waits_for_the_pending_logins_and_takes_no_new_ones() {
    let house = House::new("drain");
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let request = nas.login("alice").await;
    let phone = house.phone("alice").await;
    daemon.order(Order::Stop).await;
    daemon.metric("mobileid_draining 1").await;
    assert!(daemon.get("/health/ready").await.contains(" 503 "));
    assert!(daemon.get("/health/live").await.contains(" 200 "));
    nas.login("bob").await;
    daemon.metric("mobileid_packets_total{client=\"vpn\",fate=\"draining\"} 1").await;
    phone.approve();
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_ACCEPT);
    daemon.ended().await.unwrap();
    assert_eq!(house.audit_lines(1).await.len(), 1);
    assert_eq!(house.pushes("bob"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_hastened_denies_what_is_pending() {
    let house = House::new("hasten");
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let request = nas.login("alice").await;
    house.phone("alice").await;
    daemon.order(Order::Stop).await;
    daemon.order(Order::Stop).await;
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_REJECT);
    daemon.ended().await.unwrap();
    assert!(house.audit_lines(1).await[0].contains("\"reason\":\"cancelled\""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_denies_one_login_and_the_daemon_lives() {
    let house = House::new("panic");
    let daemon = house.start().await;
    let mut nas = daemon.nas().await;
    let request = nas.login(PANICS).await;
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_REJECT);
    let line = house.audit_lines(1).await.remove(0);
    assert!(line.contains("\"reason\":\"internal\""), "{line}");
    let request = nas.login("alice").await;
    house.phone("alice").await.approve();
    assert_eq!(nas.answer_to(&request).await.code, Code::ACCESS_ACCEPT);
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_hears_what_happens() {
    let house = House::new("notify");
    let path = house.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let notifier = Notifier::to(path.as_os_str(), Some(Duration::from_millis(20))).unwrap();
    let daemon = house.start_with(notifier).await;
    let heard = |beginning: &'static str| {
        let manager = manager.try_clone().unwrap();
        tokio::task::spawn_blocking(move || {
            let mut buffer = [0; 256];
            loop {
                let length = manager.recv(&mut buffer).unwrap();
                if buffer[..length].starts_with(beginning.as_bytes()) {
                    return String::from_utf8(buffer[..length].to_vec()).unwrap();
                }
            }
        })
    };
    heard("READY=1\nSTATUS=").await.unwrap();
    for _ in 0..3 {
        heard("WATCHDOG=1").await.unwrap();
    }
    house.write(|config| config.replace("mode = \"wait\"", "mode = \"wiat\""));
    daemon.reload().await;
    heard("RELOADING=1\nMONOTONIC_USEC=").await.unwrap();
    let refused = heard("READY=1").await.unwrap();
    assert!(refused.contains("refused"), "{refused}");
    daemon.order(Order::Stop).await;
    heard("STOPPING=1\n").await.unwrap();
    daemon.ended().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_learnt_is_known_after_a_restart() {
    let house = House::new("learn");
    house.write(|config| config.replace("# learn", "message_authenticator = \"learn\""));
    let daemon = house.start().await;
    let mut nas: Nas = daemon.nas().await;
    nas.status().await;
    daemon.stop().await.unwrap();
    let daemon: Running = house.start().await;
    let mut nas = daemon.nas().await;
    nas.unsigned_login("alice").await;
    daemon.metric("mobileid_packets_total{client=\"vpn\",fate=\"unsigned\"} 1").await;
    assert_eq!(house.pushes("alice"), 0);
    daemon.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_work_does_not_start() {
    let house = House::new("start");
    let learnt = house.path("message-authenticators");
    house::write_closed(&learnt, "rubbish\n");
    let plan = Plan::read(&house.config()).unwrap();
    let refused = Daemon::new(plan, house.around(Notifier::default())).err().unwrap();
    assert!(refused.to_string().contains("message-authenticators:1: "), "{refused}");
    assert!(Plan::check(&house.config()).is_err());
    house.write(|config| format!("{config}\nbogus = 1\n").replace("mode = \"wait\"", "mode = \"wiat\""));
    let Refused(mistakes) = Plan::read(&house.config()).unwrap_err();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
}

#[test]
fn root_checks_for_a_service_that_runs_as_somebody_else() {
    let house = House::new("anothers");
    let folder = house.path("state");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    // What remembers in it, and what is written to it: both are that user's to judge.
    house.write(|config| {
        let config =
            config.replace("state_dir = \".\"", "state_dir = \"state\"").replace("audit.json", "state/audit");
        config.replacen("[[client]]\n", "[[client]]\nmessage_authenticator = \"learn\"\n", 1)
    });
    let before = Plan::check(&house.config()).unwrap();
    match chown(&folder, Some(65534), None) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return,
        changed => changed.unwrap(),
    }
    let warnings = Plan::check(&house.config()).unwrap();
    let (said, left) = warnings.split_at(before.len());
    assert_eq!(said, before);
    assert!(
        left.len() == 2 && left.iter().all(|it| it.contains("belongs to the service's user")),
        "{left:?}"
    );
    // What is to run as root does not write there.
    let Refused(mistakes) = Plan::read(&house.config()).unwrap_err();
    assert!(mistakes.iter().any(|it| it.contains("\"learn\" needs it")), "{mistakes:?}");
}
