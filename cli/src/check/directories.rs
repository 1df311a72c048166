//! What the directories come to.

use mobileid::directory::{
    Directory, Kind, WhenUnavailable,
    ldap::{Security, Server},
};
use serde::Serialize;

/// One directory.
#[derive(Serialize)]
pub(super) struct DirectoryFacts {
    name: String,
    what: String,
    unavailable: &'static str,
}

/// How many people its table has; none for a directory that is asked.
pub(super) fn entered(directory: &Directory) -> usize {
    match &directory.kind {
        Kind::File(table) => table.len(),
        Kind::Ldap(_) | Kind::Command(_) => 0,
    }
}

fn server(server: &Server) -> String {
    let how = match server.security {
        Security::Tls => "TLS",
        Security::StartTls => "StartTLS",
        Security::Loopback => "this host, in the clear",
    };
    format!("{} ({how})", server.endpoint)
}

impl DirectoryFacts {
    pub(super) fn of(directory: &Directory) -> Self {
        let what = match &directory.kind {
            Kind::File(table) => format!("a table of {}", table.len()),
            Kind::Ldap(ldap) => {
                let servers: Vec<_> = ldap.servers.iter().map(server).collect();
                format!("LDAP, {}, {} s each", servers.join(", "), ldap.timeout.as_secs())
            }
            Kind::Command(program) => {
                format!("the program {}, {} s", program.path.display(), program.timeout.as_secs())
            }
        };
        let unavailable = match directory.unavailable {
            WhenUnavailable::Deny => "deny",
            WhenUnavailable::Next => "next",
        };
        Self { name: directory.name.clone(), what, unavailable }
    }

    pub(super) fn in_words(&self) -> String {
        let away = if self.unavailable == "next" { "; if it is away, the next is asked" } else { "" };
        format!("{}: {}{away}", self.name, self.what)
    }
}
