use mobileid::mss::{FaultReply, fault::Status, profile::Certificate};

use super::*;

fn device(method: Method, state: &State, blocked: bool, serial: Option<&str>) -> Device {
    let certificate = Certificate {
        algorithm: Some("EC".to_owned()),
        state: Some(state.clone()),
        serial: serial.map(|serial| serial.parse().unwrap()),
    };
    Device { method, state: Some(state.clone()), pin_blocked: Some(blocked), certificates: vec![certificate] }
}

fn sim(state: &State, blocked: bool) -> Device {
    device(Method::Sim, state, blocked, Some("MIDCHE1"))
}

fn app(state: &State, blocked: bool) -> Device {
    device(Method::App, state, blocked, Some("MIDCHE2"))
}

fn account(devices: &[Device]) -> Account {
    Account { devices: devices.to_vec(), ..Account::default() }
}

fn judged(account: Account, wanted: Profile) -> Readiness {
    judge(&ProfileReply::Account(account), wanted, None).unwrap()
}

#[test]
fn somebody_can_sign_with_an_active_device_of_the_wanted_method() {
    let (active, inactive) = (&State::Active, &State::Inactive);
    for (devices, wanted, expected) in [
        (vec![sim(active, false)], Profile::AuthProfile1, Readiness::Ready),
        (vec![app(active, false)], Profile::Any, Readiness::Ready),
        (vec![sim(inactive, false), app(active, false)], Profile::Any, Readiness::Ready),
        (vec![sim(active, true), app(active, false)], Profile::AuthProfile1, Readiness::Ready),
        (vec![sim(active, true), app(active, false)], Profile::Sim, Readiness::Not(Obstacle::PinBlocked)),
        (vec![app(active, false)], Profile::Sim, Readiness::Not(Obstacle::OtherMethod(Method::App))),
        (vec![sim(active, false)], Profile::App, Readiness::Not(Obstacle::OtherMethod(Method::Sim))),
        (vec![sim(inactive, false)], Profile::Any, Readiness::Not(Obstacle::NotActive)),
        (vec![sim(&State::Registered, false)], Profile::Any, Readiness::Not(Obstacle::NotActive)),
        (vec![sim(&State::Unknown("ODD".into()), false)], Profile::Any, Readiness::Not(Obstacle::NotActive)),
        (vec![sim(inactive, false), app(inactive, false)], Profile::App, Readiness::Not(Obstacle::NotActive)),
        (vec![sim(active, true)], Profile::Any, Readiness::Not(Obstacle::PinBlocked)),
        (vec![], Profile::Any, Readiness::Not(Obstacle::NotActive)),
    ] {
        let shown = format!("{devices:?} {wanted:?}");
        assert_eq!(judged(account(&devices), wanted), expected, "{shown}");
    }
}

#[test]
fn a_sim_that_is_not_active_is_activated_where_the_service_does_that() {
    let activating = |devices: &[Device]| Account { auto_activation: Some(true), ..account(devices) };
    let inactive = sim(&State::Inactive, false);
    assert_eq!(judged(activating(std::slice::from_ref(&inactive)), Profile::Any), Readiness::Activates);
    assert_eq!(
        judged(activating(&[app(&State::Inactive, false)]), Profile::Any),
        Readiness::Not(Obstacle::NotActive),
        "an App is never"
    );
    assert_eq!(
        judged(activating(&[inactive]), Profile::App),
        Readiness::Not(Obstacle::NotActive),
        "and no SIM where the App is asked for"
    );
    assert_eq!(
        judged(activating(&[sim(&State::Inactive, true)]), Profile::Sim),
        Readiness::Not(Obstacle::PinBlocked)
    );
}

#[test]
fn what_is_offered_counts_where_anything_is_said_of_it() {
    let offering = |profiles: &[Profile], devices: &[Device]| Account {
        profiles: profiles.iter().copied().map(Offer::Known).collect(),
        ..account(devices)
    };
    let active = [sim(&State::Active, false)];
    assert_eq!(judged(offering(&[Profile::Any], &active), Profile::Any), Readiness::Ready);
    assert_eq!(
        judged(offering(&[Profile::AuthProfile1], &active), Profile::Any),
        Readiness::Not(Obstacle::NotOffered(Profile::Any))
    );
    assert_eq!(judged(offering(&[Profile::Sim], &[]), Profile::Sim), Readiness::Ready, "no device was named");
    assert_eq!(judged(offering(&[Profile::Sim], &[]), Profile::Any), Readiness::Not(Obstacle::NotActive));
}

#[test]
fn a_known_serial_number_must_be_among_those_that_would_sign() {
    let known: SerialNumber = "midche1".parse().unwrap();
    let with = |devices: &[Device], wanted| {
        judge(&ProfileReply::Account(account(devices)), wanted, Some(&known)).unwrap()
    };
    let (sim, app) = (sim(&State::Active, false), app(&State::Active, false));
    let other = Readiness::Not(Obstacle::OtherSerial(known.clone()));
    assert_eq!(with(std::slice::from_ref(&sim), Profile::Any), Readiness::Ready);
    assert_eq!(with(&[sim.clone(), app.clone()], Profile::Any), Readiness::Ready);
    assert_eq!(with(std::slice::from_ref(&app), Profile::Any), other);
    assert_eq!(with(&[sim, app], Profile::App), other);
    // Where no serial number is told, the signature will.
    assert_eq!(with(&[device(Method::Sim, &State::Active, false, None)], Profile::Any), Readiness::Ready);
    let bare = Device { certificates: vec![], ..device(Method::Sim, &State::Active, false, None) };
    assert_eq!(with(&[bare], Profile::Any), Readiness::Ready);
}

#[test]
fn a_fault_says_something_of_the_number_or_of_us() {
    for (fault, name) in [
        (Fault::UnknownClient, Some("unknown-client")),
        (Fault::PinBlocked, Some("pin-nr-blocked")),
        (Fault::CardBlocked, Some("card-blocked")),
        (Fault::NoKeyFound, Some("not-active")),
        (Fault::NoCertFound, Some("not-active")),
        (Fault::UnauthorizedAccess, None),
        (Fault::InternalError, None),
        (Fault::UserCancel, None),
        (Fault::Unknown(777), None),
    ] {
        let reply = ProfileReply::Fault(FaultReply { fault, detail: String::new() });
        let found = match judge(&reply, Profile::Any, None) {
            Some(Readiness::Not(obstacle)) => Some(obstacle.name()),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(found, name, "{fault:?}");
    }
    assert_eq!(judge(&ProfileReply::NotOk(Status::RevokedCertificate), Profile::Any, None), None);
}
