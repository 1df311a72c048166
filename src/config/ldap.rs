//! A `[[directory]]` with `type = "ldap"`, as written.

use std::{path::PathBuf, time::Duration};

use super::{
    LdapUrl, Located, ServerTrust, path,
    reader::{Section, Source, parse},
    values::choice,
};
use crate::{
    directory::ldap::{
        Attributes, Bind, GroupSearch, Ldap, Resting, Scope, Security, Server,
        filter::{Slot, Template},
        is_attribute,
    },
    secret::Secret,
};

/// The directory, before the files that it names are read: it has no roots yet, and no password.
#[derive(Debug)]
pub struct LdapFile {
    /// All that stands in the configuration itself.
    pub ldap: Ldap,
    /// Roots of the servers' certificates.
    pub trust: Option<ServerTrust>,
    /// The password of whom the directory is asked as.
    pub password: Option<Located<PathBuf>>,
}

const SCOPES: &[(&str, Scope)] = &[("subtree", Scope::Subtree), ("one", Scope::One), ("base", Scope::Base)];
const SERVERS_MAX: usize = 16;
const DN_RULE: &str =
    "must be a distinguished name of at most 1024 printable characters, like ou=people,dc=example";
const USER_MISSING: &str = "must have {user} in it, or everybody would be the same person";
const DN_MISSING: &str = "must have {dn} in it, or everybody would be in the same groups";

impl LdapFile {
    pub(super) fn read(section: &mut Section<'_>, source: &mut Source<'_>) -> Option<Self> {
        let before = source.mistakes.0.len();
        let servers = servers(section, source);
        let trust = trust(section, &servers, source);
        let (bind, password) = bind(section, source)?;
        let base = section.required("base", source).and_then(|text| dn(text, source));
        let scope = choice(section, "scope", SCOPES, source).map(|s| s.value).unwrap_or_default();
        let filter = section.required("filter", source).and_then(|text| {
            let has_dn = "must not have {dn} in it: whose it is is what is looked for";
            filter(
                text,
                |f| if f.has(Slot::Dn) { Err(has_dn) } else { need(f, Slot::User, USER_MISSING) },
                source,
            )
        });
        let timeout = section.number("timeout", 1..=30, 5, source);
        let country = section.text("default_country", source).and_then(|text| country(text, source));
        let active_directory = section.flag("active_directory", source);
        let writes = section.line_of("write_serial", source);
        let write_serial = section.flag("write_serial", source);
        let attributes = attributes(section.section("attributes", source), source);
        if write_serial && attributes.as_ref().is_some_and(|attributes| attributes.serial.is_none()) {
            let what = "needs attributes.serial: the name of the attribute that is written";
            source.mistake(writes, &section.key("write_serial"), what);
        }
        let searched = section.has("groups");
        let groups = section.section("groups", source);
        let groups = if searched { read_groups(groups, source) } else { None };
        if source.mistakes.0.len() > before {
            return None;
        }
        let ldap = Ldap {
            servers,
            resting: Resting::default(),
            roots: Vec::new(),
            bind,
            base: base?,
            scope,
            filter: filter?,
            timeout: Duration::from_secs(timeout?),
            attributes: attributes?,
            groups,
            active_directory,
            write_serial,
            default_country: country,
        };
        Some(Self { ldap, trust, password })
    }
}

fn servers(section: &mut Section<'_>, source: &mut Source<'_>) -> Vec<Server> {
    let line = section.line_of("servers", source);
    let start_tls = section.flag("start_tls", source);
    let urls = section.list("servers", source);
    if urls.is_empty() || urls.len() > SERVERS_MAX {
        source.mistake(
            line,
            &section.key("servers"),
            "must be 1 to 16 servers, like [\"ldaps://dc1.example\"]",
        );
    }
    let name = section.text("server_name", source);
    let name = name.filter(|n| !super::refused(super::is_host_name(&n.value), n, super::HOST_RULE, source));
    let mut servers = Vec::new();
    for Located { value, line, key } in urls {
        let at = Located { value, line, key: key.clone() };
        let Some(LdapUrl { endpoint, tls }) = parse(at, source) else { continue };
        let security = match (tls, start_tls) {
            (true, _) => Security::Tls,
            (false, true) => Security::StartTls,
            (false, false) if endpoint.is_loopback() => Security::Loopback,
            (false, false) => {
                let what =
                    "would send numbers and passwords in the clear: write ldaps://, or start_tls = true";
                source.mistake(line, &key, what);
                continue;
            }
        };
        let name = name.as_ref().map_or_else(|| endpoint.host.clone(), |n| n.value.clone());
        servers.push(Server { endpoint, security, name });
    }
    servers
}

fn trust(section: &mut Section<'_>, servers: &[Server], source: &mut Source<'_>) -> Option<ServerTrust> {
    let trust = section.text("trust", source);
    let needed = servers.iter().any(|server| server.security != Security::Loopback);
    match trust {
        Some(text) if text.value == "system" => Some(ServerTrust::System),
        Some(text) => path(text, source).map(ServerTrust::File),
        None => {
            if needed {
                let what = "is missing: the file with the roots of the servers' certificates, or \"system\"";
                source.mistake(section.line(), &section.key("trust"), what);
            }
            None
        }
    }
}

/// Who asks, without the password, and the file that has it.
fn bind(section: &mut Section<'_>, source: &mut Source<'_>) -> Option<(Bind, Option<Located<PathBuf>>)> {
    let (line, key) = (section.line(), section.key("bind_dn"));
    let anonymous = choice(section, "bind", &[("anonymous", ())], source);
    let bind_dn = section.text("bind_dn", source).and_then(|text| dn(text, source));
    let password = section.text("bind_password_file", source).and_then(|text| path(text, source));
    match (anonymous, bind_dn, password) {
        (Some(_), None, None) => Some((Bind::Anonymous, None)),
        (None, Some(dn), Some(file)) => Some((Bind::Simple { dn, password: Secret::default() }, Some(file))),
        _ => {
            let what = "must stand there with bind_password_file, or bind = \"anonymous\" without either";
            source.mistake(line, &key, what);
            None
        }
    }
}

fn attributes(mut section: Section<'_>, source: &mut Source<'_>) -> Option<Attributes> {
    let mut one =
        |name, source: &mut Source<'_>| section.text(name, source).and_then(|t| attribute(t, source));
    let (user, language) = (one("user", source), one("language", source));
    let (serial, profile, groups) = (one("serial", source), one("profile", source), one("groups", source));
    let given = section.has("msisdn");
    let line = section.line_of("msisdn", source);
    let msisdn = section.list("msisdn", source);
    let mut msisdn: Vec<_> = msisdn.into_iter().filter_map(|text| attribute(text, source)).collect();
    if !given {
        msisdn.push("mobile".to_owned());
    } else if msisdn.is_empty() {
        source.mistake(line, &section.key("msisdn"), "names no attribute: nobody would have a number");
    }
    section.finish(source);
    Some(Attributes { user, msisdn, language, serial, profile, groups })
}

fn read_groups(mut section: Section<'_>, source: &mut Source<'_>) -> Option<GroupSearch> {
    let base = section.required("base", source).and_then(|text| dn(text, source));
    let needed = |f: &Template| {
        let others = f.has(Slot::User) || f.has(Slot::Domain);
        if others { Err("must have no name but {dn} in it") } else { need(f, Slot::Dn, DN_MISSING) }
    };
    let filter = section.required("filter", source).and_then(|text| filter(text, needed, source));
    let given = section.has("name");
    let name = section.text("name", source).and_then(|text| attribute(text, source));
    let name = if given { name } else { Some("cn".to_owned()) };
    let nested = section.flag("nested", source);
    section.finish(source);
    Some(GroupSearch { base: base?, filter: filter?, name: name?, nested })
}

fn filter(
    text: Located<String>,
    fits: impl Fn(&Template) -> Result<(), &'static str>,
    source: &mut Source<'_>,
) -> Option<Template> {
    let (line, key) = (text.line, text.key.clone());
    let template: Template = parse(text, source)?;
    fits(&template).map_err(|what| source.mistake(line, &key, what)).ok()?;
    Some(template)
}

fn need(template: &Template, slot: Slot, what: &'static str) -> Result<(), &'static str> {
    if template.has(slot) { Ok(()) } else { Err(what) }
}

fn attribute(text: Located<String>, source: &mut Source<'_>) -> Option<String> {
    if is_attribute(&text.value) {
        return Some(text.value);
    }
    source.mistake(text.line, &text.key, "must be the name of an attribute, like mobile");
    None
}

fn dn(text: Located<String>, source: &mut Source<'_>) -> Option<String> {
    let fits = (1..=1024).contains(&text.value.len())
        && text.value.contains('=')
        && !text.value.chars().any(crate::text::is_unprintable);
    if fits {
        return Some(text.value);
    }
    source.mistake(text.line, &text.key, DN_RULE);
    None
}

/// `+41` as `41`.
fn country(text: Located<String>, source: &mut Source<'_>) -> Option<String> {
    let digits = text.value.strip_prefix('+').filter(|digits| {
        (1..=3).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0')
    });
    match digits {
        Some(digits) => Some(digits.to_owned()),
        None => {
            source.mistake(text.line, &text.key, "must be a country code, like \"+41\"");
            None
        }
    }
}
