//! First serial numbers are kept before anybody is let in, on this node.

use std::{fs, os::unix::fs::PermissionsExt};

use mobileid::{
    driver::pins::Pins,
    outcome::{Reason, Verdict},
    verify::Refusal,
};
use mobileid_simulator::Behaviour;

use super::{
    accepted,
    site::{Mode, Site, World},
};

fn first_use(config: String) -> String {
    config.replace("serial = \"if-known\"", "serial = \"first-use\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_serial_number_is_kept_and_another_one_refused() {
    let world = World::shared();
    for mode in [Mode::Synch, Mode::Asynch] {
        let site = Site::of(&world, "first-use", Behaviour::Approve, mode, first_use);
        let first = site.login().await;
        accepted(&first);
        assert!(first.audit.first_use);
        let again = site.login().await;
        accepted(&again);
        assert!(!again.audit.first_use);

        let pins = Pins::at(&site.serials());
        let kept = pins.get("u").unwrap().unwrap();
        assert_eq!(Some(kept.serial.as_str()), first.audit.serial.as_deref());
        let (user, entry) =
            ("u".parse().unwrap(), mobileid::subscriber::Entry { id: "u".into(), ..Default::default() });
        pins.set(&user, &entry, &"MIDCHE0000000000".parse().unwrap(), std::time::SystemTime::now()).unwrap();
        let denied = site.login().await;
        assert_eq!(denied.verdict, Verdict::Denied(Reason::Refused(Refusal::SerialMismatch)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_kept_no_phone_is_asked() {
    let world = World::shared();
    let site = Site::of(&world, "open-serials", Behaviour::Approve, Mode::Synch, first_use);
    fs::create_dir(site.serials()).unwrap();
    fs::set_permissions(site.serials(), fs::Permissions::from_mode(0o777)).unwrap();
    let denied = site.login().await;
    assert_eq!(denied.verdict, Verdict::Denied(Reason::PinFailed));
    assert!(denied.audit.detail.unwrap().contains("serials"));
    assert_eq!(world.pushes(&site.msisdn), 0);
}
