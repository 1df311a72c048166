//! What ended the way to the service, in words, and what to look at: the experience of others who stood here.

use std::{io::ErrorKind, time::Duration};

use mobileid::{
    config::Endpoint,
    load::Connection,
    mss::{FaultReply, fault::Fault},
    outcome::{Reason, Unreachable, Unreadable},
    text::escaped,
};

use crate::advice::{self, Us};

/// What ended the walk.
pub(super) struct Trouble {
    /// A stable name, as in the audit record of a login that would fail for it.
    pub(super) reason: &'static str,
    /// The fault or HTTP status behind it.
    pub(super) code: Option<u16>,
    pub(super) what: String,
    pub(super) hints: Vec<String>,
}

impl Trouble {
    pub(super) fn of(reason: Reason, what: String) -> Self {
        Self { reason: reason.name(), code: reason.code(), what: escaped(&what, 400), hints: Vec::new() }
    }

    fn unreachable(why: Unreachable, what: String) -> Self {
        Self::of(Reason::Unreachable(why), what)
    }

    /// The reason with its number, e.g. `unauthorized-access (104)`.
    pub(super) fn name(&self) -> String {
        self.code.map_or_else(|| self.reason.to_owned(), |code| format!("{} ({code})", self.reason))
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    fn hints(mut self, hints: Vec<String>) -> Self {
        self.hints.extend(hints);
        self
    }
}

pub(super) fn no_name(target: &Endpoint) -> Trouble {
    Trouble::unreachable(Unreachable::Name, format!("the name {} does not resolve", target.host))
        .hint("look at /etc/resolv.conf, and at the name in service.url or service.proxy")
        .hint("LAN-I has no names: there service.url has the address, and service.server_name the name")
}

pub(super) fn no_connection(target: &Endpoint, is_proxy: bool, errors: &[ErrorKind]) -> Trouble {
    let all = |kind: ErrorKind| errors.iter().all(|error| *error == kind);
    let trouble = |what: &str| Trouble::unreachable(Unreachable::Connect, format!("{target} {what}"));
    let refused = all(ErrorKind::ConnectionRefused);
    let timed_out = all(ErrorKind::TimedOut);
    match (refused, timed_out) {
        (true, _) if is_proxy => trouble("refuses the connection: the proxy does not run, or not at this port"),
        (true, _) if target.is_loopback() => {
            trouble("refuses the connection").hint("is the simulator running, and on this port?")
        }
        (true, _) => trouble("refuses the connection")
            .hint("a firewall on the way, or Swisscom's because our public address is not on its allow-list")
            .hint("is the port in service.url right? Mobile ID has 443"),
        (_, true) => trouble("does not answer: the connection timed out")
            .hint("routing, or a firewall that drops packets; Swisscom's may drop what is not on its allow-list")
            .hint("is a proxy needed to leave this network? Then name it in service.proxy"),
        _ => trouble("cannot be connected to").hint("look at the routes and firewall of this host"),
    }
}

pub(super) fn unreachable(connection: &Connection, why: Unreachable, detail: &str) -> Trouble {
    match why {
        Unreachable::Tls => tls(connection, Trouble::unreachable(why, detail.to_owned()), detail),
        Unreachable::Proxy => Trouble::unreachable(why, detail.to_owned())
            .hint("407 wants user and password in service.proxy; 403 does not allow CONNECT to the service")
            .hint("service.proxy must be an HTTP proxy that knows CONNECT, without TLS to the proxy itself"),
        Unreachable::TooSlow => {
            let limit = connection.timeouts.connect.as_secs();
            let it = if connection.proxy.is_some() { "the proxy" } else { "it" };
            let what = format!("{detail}: {it} accepted the connection, but no TLS came up within {limit} s");
            Trouble::unreachable(why, what)
                .hint("does what listens there speak TLS? A firewall that inspects TLS stalls it too")
        }
        Unreachable::Local => Trouble::unreachable(why, detail.to_owned())
            .hint("this host has no descriptor, memory, port or permission left for a connection"),
        Unreachable::Name | Unreachable::Connect => Trouble::unreachable(why, detail.to_owned())
            .hint("it could be reached a moment ago: a connection that comes and goes"),
    }
}

pub(super) fn lost(connection: &Connection, detail: &str) -> Trouble {
    let trouble =
        Trouble::of(Reason::AnswerLost, format!("the connection broke off before the answer: {detail}"));
    // In TLS 1.3 a server refuses our certificate when the request is already on its way.
    if detail.contains("received fatal alert: ") {
        return tls(connection, trouble, detail);
    }
    trouble.hint("try again; if it stays so, something on the way ends connections: a firewall or a proxy")
}

pub(super) fn silent(connection: &Connection, limit: Duration) -> Trouble {
    let what = format!("{} gave no answer within {} s", connection.service, limit.as_secs());
    Trouble::of(Reason::TimedOut, what).hint("the service may be in trouble: try again in a few minutes")
}

fn tls(connection: &Connection, trouble: Trouble, detail: &str) -> Trouble {
    /// The alerts with which a server says that it does not want our certificate (RFC 8446, 6.2).
    const ABOUT_US: [&str; 10] = [
        "BadCertificate",
        "UnsupportedCertificate",
        "CertificateRevoked",
        "CertificateExpired",
        "CertificateUnknown",
        "UnknownCA",
        "AccessDenied",
        "DecryptError",
        "CertificateRequired",
        "HandshakeFailure",
    ];
    let theirs = detail.split_once("invalid peer certificate: ").map(|(_, why)| why.to_lowercase());
    if let Some(why) = theirs {
        return if why.contains("unknownissuer") || why.contains("unknown issuer") {
            trouble.hint("the server's certificate chains to none of the roots in service.server_trust").hint(
                "a proxy or firewall that inspects TLS shows a certificate of its own: exempt the service",
            )
        } else if why.contains("name") {
            let name = escaped(&connection.server_name, 100);
            trouble.hint(format!(
                "the server's certificate is not for {name}: for an address in service.url, set service.server_name"
            ))
        } else if why.contains("expired") || why.contains("yet") {
            trouble.hint("the server's certificate is not valid by this host's clock: is the clock right?")
        } else {
            trouble.hint("the server's certificate cannot be used; see service.server_trust")
        };
    }
    if detail.split_once("received fatal alert: ").is_some_and(|(_, alert)| ABOUT_US.contains(&alert.trim()))
    {
        let trouble = trouble.hint(
            "the server does not want our certificate: is the one in service.client_cert registered at Swisscom?",
        );
        return trouble.hints(advice::certificate(connection));
    }
    trouble
}

pub(super) fn fault(us: &Us<'_>, reply: &FaultReply, clock_is_off: bool) -> Trouble {
    let detail = if reply.detail.is_empty() { "no more was said" } else { &reply.detail };
    // The detail was escaped where it came in, and is not escaped again.
    let trouble =
        Trouble { what: detail.to_owned(), ..Trouble::of(Reason::Fault(reply.fault), String::new()) };
    match reply.fault {
        Fault::WrongParam if clock_is_off => {
            trouble.hint("the service refuses a request whose time is too far off: the clock is the cause")
        }
        Fault::WrongParam => trouble.hint(
            "the usual cause is the clock or its time zone: the service refuses a time that is far off",
        ),
        Fault::UnauthorizedAccess | Fault::ConnectionRefused | Fault::UnsupportedProfile => {
            trouble.hints(us.after(reply.fault))
        }
        Fault::InappropriateData => trouble
            .hint("the service knows us, but wants the prefix before the health check's text, too")
            .hints(us.after(reply.fault)),
        Fault::InternalError => trouble.hint("the service is in trouble: try again in a few minutes"),
        _ => trouble.hint("a healthy service answers 101 Illegal msisdn; this one knows us, but is not well"),
    }
}

pub(super) fn unexpected() -> Trouble {
    Trouble {
        reason: "unexpected-answer",
        code: None,
        what: "the service took on a request for a number that cannot be: is it Mobile ID?".to_owned(),
        hints: Vec::new(),
    }
}

pub(super) fn unreadable(connection: &Connection, unreadable: Unreadable) -> Trouble {
    let service = &connection.service;
    let (what, hint) = match unreadable {
        Unreadable::HttpStatus(status) => (
            format!("a gateway answered with HTTP {status}, not the service"),
            "the service is in trouble or under maintenance, or a proxy stands in for it",
        ),
        _ => (
            format!("what answers at {service} does not speak Mobile ID"),
            "is service.url right? It has no path behind the host",
        ),
    };
    Trouble::of(Reason::Unreadable(unreadable), what).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mobileid::{config::Timeouts, secret::Secret};

    fn connection() -> Connection {
        let second = Duration::from_secs(1);
        Connection {
            service: "https://192.0.2.1".parse().unwrap(),
            server_name: "192.0.2.1".to_owned(),
            proxy: None,
            server_roots: Vec::new(),
            client_cert: Vec::new(),
            client_cert_count: 3,
            client_key: Secret::new(String::new()),
            timeouts: Timeouts {
                sim: second,
                sim_connection: second,
                app: second,
                app_connection: second,
                connect: second,
                poll: second,
            },
        }
    }

    fn us(connection: &Connection) -> Us<'_> {
        Us { ap_id: "mid://acme.example", prefix: "ACME: ".to_owned(), connection }
    }

    fn said(trouble: &Trouble) -> String {
        format!("{}: {}\n{}", trouble.name(), trouble.what, trouble.hints.join("\n"))
    }

    #[test]
    fn each_fault_has_its_hint() {
        for (code, says) in [
            (101, "the usual cause is the clock"),
            (104, "service.ap_id is \"mid://acme.example\": is that the AP_ID that Swisscom gave us"),
            (104, "3 certificates are in the file"),
            (104, "the public address that requests of this host come from"),
            (780, "has Swisscom registered our certificate"),
            (107, "service.dtbd_prefix, which is \"ACME: \"\nhave Swisscom confirm the DTBD prefix"),
            (109, "signature.profile"),
            (900, "in trouble"),
            (777, "is not well"),
        ] {
            let reply = FaultReply { fault: Fault::from_code(code), detail: String::new() };
            let said = said(&fault(&us(&connection()), &reply, false));
            assert!(said.contains(says) && said.contains(&format!("({code}): no more was said")), "{said}");
        }
        let reply = FaultReply { fault: Fault::WrongParam, detail: "Illegal instant".to_owned() };
        let said = said(&fault(&us(&connection()), &reply, true));
        assert!(said.contains("Illegal instant") && said.contains("the clock is the cause"), "{said}");
    }

    #[test]
    fn refused_and_timed_out_are_told_apart() {
        let target = connection().service;
        for (errors, is_proxy, says) in [
            (&[ErrorKind::ConnectionRefused] as &[_], false, "allow-list"),
            (&[ErrorKind::ConnectionRefused], true, "the proxy does not run"),
            (&[ErrorKind::TimedOut, ErrorKind::TimedOut], false, "timed out\nrouting, or a firewall"),
            (&[ErrorKind::TimedOut, ErrorKind::ConnectionRefused], false, "routes and firewall"),
            (&[ErrorKind::NetworkUnreachable], false, "routes and firewall"),
        ] {
            let said = said(&no_connection(&target, is_proxy, errors));
            assert!(said.contains(says), "{said}");
        }
        // Of this host Swisscom's firewall keeps nobody away.
        for here in ["https://127.0.0.1:8443", "https://127.9.0.1", "https://[::1]:8443"] {
            let said = said(&no_connection(&here.parse().unwrap(), false, &[ErrorKind::ConnectionRefused]));
            assert!(said.ends_with("\nis the simulator running, and on this port?"), "{said}");
        }
    }

    #[test]
    fn what_the_proxy_says_cannot_command_the_terminal() {
        let trouble = unreachable(&connection(), Unreachable::Proxy, "the proxy said: \u{1b}[2J");
        assert!(!said(&trouble).contains('\u{1b}'));
    }
}
