//! Against servers that answer anything but what they should ([`fake`]), and against OpenLDAP's slapd ([`slapd`]).

mod fake;
mod slapd;
mod writes;

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use super::*;
use crate::{
    config::Endpoint,
    directory::ldap::{Attributes, Resting, Security, Server},
    driver::TickVerdict,
};

fn patient() -> Tick {
    Arc::new(|| TickVerdict::Continue)
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn server(address: SocketAddr, security: Security) -> Server {
    let endpoint = Endpoint { host: address.ip().to_string(), port: address.port() };
    Server { endpoint, security, name: "localhost".to_owned() }
}

/// People by their uid, and their numbers.
fn ldap(servers: Vec<Server>) -> Ldap {
    let name = |text: &str| Some(text.to_owned());
    Ldap {
        servers,
        resting: Resting::default(),
        roots: Vec::new(),
        bind: Bind::Anonymous,
        base: "ou=people,dc=acme,dc=example".to_owned(),
        scope: Scope::Subtree,
        filter: "(&(objectClass=inetOrgPerson)(uid={user}))".parse().unwrap(),
        timeout: Duration::from_secs(10),
        attributes: Attributes {
            user: name("uid"),
            msisdn: vec!["mobile".to_owned()],
            language: name("preferredLanguage"),
            serial: name("labSerial"),
            profile: None,
            groups: None,
        },
        groups: None,
        active_directory: false,
        write_serial: false,
        default_country: None,
    }
}

/// What is found, in words.
fn asked(ldap: &Ldap, user: &str) -> String {
    let user = user.parse().unwrap();
    match lookup(ldap, &user, &patient(), in_a_minute(), SystemTime::now()) {
        Ok(Answer::Found(subscriber)) => {
            let groups: Vec<_> = subscriber.groups.iter().map(|group| format!(" {group}")).collect();
            format!("{}{}", subscriber.msisdn.digits(), groups.concat())
        }
        Ok(Answer::NotEnrolled) => "not enrolled".to_owned(),
        Ok(Answer::Barred(why)) => format!("barred: {why}"),
        Ok(Answer::Unusable(why)) => format!("unusable: {why}"),
        Ok(Answer::Away(why)) => format!("away: {why}"),
        Err(GivenUp) => "given up".to_owned(),
    }
}

/// A port that refuses.
fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
