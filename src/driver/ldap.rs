//! Asks LDAP servers: one connection per look-up, to the first server that answers.
//!
//! ```text
//!   servers ──> connect ──> TLS, or StartTLS and TLS ──> bind ──> search: the person ──> search: groups ──> unbind
//!      ▲                                                              │
//!      └── the next one: refused, reset, hangs, no LDAP, busy         └── found, nobody, more than one, barred
//! ```
//!
//! Each server has `timeout` seconds for all of it. What a server decides is final: that the password of the service
//! account is wrong is not tried at the others, which would lock it, and neither is a person's password. A referral is
//! not followed: it names a server that nobody has configured.

mod link;
mod write;

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Instant, SystemTime},
};

use rustls::{ClientConfig, pki_types::ServerName};

use self::link::{Failed, Link};
pub use self::write::{Changed, change, pin};
use super::{
    directories::GivenUp,
    socket::Tick,
    tls::{self, Unusable},
};
use crate::{
    directory::{
        Answer,
        ldap::{
            Bind, GroupSearch, Ldap, Names, Scope, Security, entry,
            filter::Filled,
            message::{Body, Code, Done, Entry, Request, Search},
        },
    },
    secret::Secret,
    subscriber::{Subscriber, UserName},
};

/// What is known of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// The directory takes it.
    Right,
    /// It does not, or has nobody of that name.
    Wrong,
    /// Nobody could tell; for the administrator.
    Away(String),
}

/// Looks a user up.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn lookup(
    ldap: &Ldap,
    user: &UserName,
    tick: &Tick,
    deadline: Instant,
    now: SystemTime,
) -> Result<Answer, GivenUp> {
    let Some(names) = Names::of(user, &ldap.filter) else { return Ok(Answer::NotEnrolled) };
    let asked = at_any(ldap, tick, deadline, |link| {
        let Some(found) = person(link, ldap, &names)? else { return Ok(Answer::NotEnrolled) };
        match entry::read(ldap, user, &found, now) {
            Answer::Found(subscriber) => with_groups(link, ldap, &found, subscriber),
            other => Ok(other),
        }
    });
    match asked {
        Ok(answer) => Ok(answer),
        Err(Failed::GivenUp) => Err(GivenUp),
        Err(Failed::Unusable(why)) => Ok(Answer::Unusable(why)),
        Err(Failed::Here(why) | Failed::Final(why)) => Ok(Answer::Away(why)),
    }
}

/// Whether a password is a user's: the entry is looked for, and the server asked to let its name in with it.
///
/// # Errors
/// [`GivenUp`], when the tick says so.
pub fn judge(
    ldap: &Ldap,
    user: &UserName,
    password: &Secret,
    tick: &Tick,
    deadline: Instant,
) -> Result<Judged, GivenUp> {
    // A name with an empty password is let in everywhere, as nobody (RFC 4513, section 5.1.2). Some servers end a
    // password at its first NUL.
    if password.expose().is_empty() || password.expose().contains('\0') {
        return Ok(Judged::Wrong);
    }
    let Some(names) = Names::of(user, &ldap.filter) else { return Ok(Judged::Wrong) };
    let asked = at_any(ldap, tick, deadline, |link| match person(link, ldap, &names)? {
        Some(found) => bound_as(link, &found, user, ldap, password),
        None => Ok(Judged::Wrong),
    });
    match asked {
        Ok(judged) => Ok(judged),
        Err(Failed::GivenUp) => Err(GivenUp),
        Err(Failed::Unusable(why) | Failed::Here(why) | Failed::Final(why)) => Ok(Judged::Away(why)),
    }
}

/// At the first server that answers; where none does, what each of them did instead.
fn at_any<T>(
    ldap: &Ldap,
    tick: &Tick,
    deadline: Instant,
    mut ask: impl FnMut(&mut Link) -> Result<T, Failed>,
) -> Result<T, Failed> {
    let tls = way(ldap).map_err(|why| Failed::Final(why.to_string()))?;
    let mut said = Vec::new();
    for at in ldap.resting.order(ldap.servers.len(), Instant::now()) {
        let Some(server) = ldap.servers.get(at) else { continue };
        let begun = Instant::now();
        // Before its name is looked up, which takes as long as it takes.
        if begun >= deadline {
            said.push("no time was left".to_owned());
            break;
        }
        let by = begun.checked_add(ldap.timeout).unwrap_or(deadline).min(deadline);
        let answer = Link::open(server, tls.as_ref(), tick, by).and_then(|mut link| {
            bind_service(&mut link, ldap)?;
            let answer = ask(&mut link)?;
            link.farewell();
            Ok(answer)
        });
        match answer {
            Err(Failed::Here(why)) => {
                // Whom the login has cut short has not failed.
                if Instant::now() < deadline {
                    ldap.resting.failed(at, Instant::now());
                }
                said.push(format!("{}: {why}", server.endpoint));
            }
            Err(Failed::GivenUp) => return Err(Failed::GivenUp),
            other => {
                ldap.resting.answered(at);
                return other.map_err(|failed| failed.at(&server.endpoint));
            }
        }
    }
    Err(Failed::Here(said.join("; ")))
}

/// How TLS is spoken there; none where every server is on this host.
fn way(ldap: &Ldap) -> Result<Option<Arc<ClientConfig>>, Unusable> {
    if ldap.servers.iter().all(|server| server.security == Security::Loopback) {
        return Ok(None);
    }
    for server in &ldap.servers {
        ServerName::try_from(server.name.as_str()).map_err(|_| Unusable::of_directory(&server.name))?;
    }
    Ok(Some(Arc::new(tls::of_directory(&ldap.roots)?)))
}

/// Whether the servers can be asked at all, as far as that shows without asking them.
///
/// # Errors
/// [`Unusable`] where no root or name can be used.
pub fn ready(ldap: &Ldap) -> Result<(), Unusable> {
    way(ldap).map(drop)
}

fn bind_service(link: &mut Link, ldap: &Ldap) -> Result<(), Failed> {
    let (dn, password) = match &ldap.bind {
        // Whoever is nobody in particular does not have to say so.
        Bind::Anonymous => return Ok(()),
        Bind::Simple { dn, password } => (dn, password),
    };
    let done = link.bind(dn, password)?;
    match done.code {
        Code::SUCCESS => Ok(()),
        Code::BUSY | Code::UNAVAILABLE => Err(Failed::Here(said(&done))),
        _ => Err(Failed::Final(format!("does not let bind_dn in: {}", said(&done)))),
    }
}

fn bound_as(
    link: &mut Link,
    found: &Entry,
    user: &UserName,
    ldap: &Ldap,
    password: &Secret,
) -> Result<Judged, Failed> {
    // An entry without a name would be nobody, who is let in with any password.
    if found.dn.trim().is_empty() {
        return Err(Failed::Final("sent an entry without a name".to_owned()));
    }
    if !entry::is_of(ldap, user, found) {
        return Ok(Judged::Wrong);
    }
    // From here on the password may have been tried: not once more elsewhere, which may count against the person.
    let done = link.bind(&found.dn, password).map_err(|failed| match failed {
        Failed::Here(why) => Failed::Final(why),
        other => other,
    })?;
    match done.code {
        Code::SUCCESS => Ok(Judged::Right),
        Code::INVALID_CREDENTIALS => Ok(Judged::Wrong),
        _ => Err(Failed::Final(format!("does not judge the password: {}", said(&done)))),
    }
}

/// What ends a request, in words that fit a log line.
fn said(done: &Done) -> String {
    let text = crate::text::escaped(done.text.trim(), 150);
    if text.is_empty() { done.code.to_string() } else { format!("{}, \"{text}\"", done.code) }
}

/// The one entry of a person.
fn person(link: &mut Link, ldap: &Ldap, names: &Names<'_>) -> Result<Option<Entry>, Failed> {
    let attributes = ldap.attributes.wanted(ldap.active_directory);
    let mut found = search(
        link,
        &Search {
            base: &ldap.base,
            scope: ldap.scope,
            filter: &ldap.filter.fill(names),
            // One more than may be there, so that it shows.
            limit: 2,
            seconds: seconds(ldap),
            attributes: &attributes,
            domain_scope: ldap.active_directory,
        },
        MORE_THAN_ONE,
    )?;
    let one = found.pop();
    if found.is_empty() { Ok(one) } else { Err(Failed::Unusable(MORE_THAN_ONE.to_owned())) }
}

const MORE_THAN_ONE: &str = "more than one entry fits the filter: which of them logs in is not guessed";

fn seconds(ldap: &Ldap) -> u8 {
    u8::try_from(ldap.timeout.as_secs()).unwrap_or(u8::MAX)
}

/// All entries that fit; `too_many` says what it means that there are more.
fn search(link: &mut Link, search: &Search<'_>, too_many: &str) -> Result<Vec<Entry>, Failed> {
    link.send(&Request::Search(search))?;
    let mut entries = Vec::new();
    loop {
        match link.receive()? {
            // The server was told how many; one that sends more for ever is not listened to.
            Body::Entry(_) if entries.len() > usize::from(search.limit) => {
                return Err(Failed::Here("sends more entries than it was asked for".to_owned()));
            }
            Body::Entry(entry) => entries.push(entry),
            Body::Searched(done) => {
                return match done.code {
                    Code::SUCCESS => Ok(entries),
                    // By our limit or the server's own: what was sent is not all.
                    Code::SIZE_LIMIT if entries.len() > 1 => Err(Failed::Unusable(too_many.to_owned())),
                    Code::NO_SUCH_OBJECT => {
                        Err(Failed::Final(format!("has no entry {}: {}", search.base, said(&done))))
                    }
                    Code::REFERRAL => Err(Failed::Final(REFERRAL.to_owned())),
                    Code::BUSY | Code::UNAVAILABLE => Err(Failed::Here(said(&done))),
                    _ => Err(Failed::Final(format!("does not search: {}", said(&done)))),
                };
            }
            Body::Reference => return Err(Failed::Final(REFERRAL.to_owned())),
            Body::Bound(_) | Body::Modified(_) | Body::Extended(_) | Body::Other => {
                return Err(Failed::Here("answered a search with something else".to_owned()));
            }
        }
    }
}

const REFERRAL: &str =
    "refers to another server, which is not followed: configure that one, or a base that this one has";

/// How deep groups of groups are looked for, and how many groups one search may find.
const DEPTH_MAX: usize = 8;
const GROUPS_AT_ONCE: u16 = 1024;
const MORE_GROUPS: &str = "more groups of one member than are listed at once, by the server or here (1024)";

fn with_groups(
    link: &mut Link,
    ldap: &Ldap,
    found: &Entry,
    mut subscriber: Subscriber,
) -> Result<Answer, Failed> {
    let Some(groups) = &ldap.groups else { return Ok(Answer::Found(subscriber)) };
    let mut seen = HashSet::from([found.dn.to_lowercase()]);
    let mut members = vec![found.dn.clone()];
    let mut depth = 0_usize;
    while !members.is_empty() {
        let mut next = Vec::new();
        for member in &members {
            for group in groups_of(link, ldap, groups, member)? {
                if !seen.insert(group.dn.to_lowercase()) {
                    continue;
                }
                if depth == DEPTH_MAX {
                    return Ok(Answer::Unusable("groups are nested more than 8 deep".to_owned()));
                }
                match group.group(&groups.name) {
                    Ok(name) => subscriber.groups.push(name),
                    Err(settled) => return Ok(settled.into()),
                }
                if subscriber.groups.len() > entry::GROUPS_MAX {
                    return Ok(Answer::Unusable(entry::TOO_MANY_GROUPS.to_owned()));
                }
                next.push(group.dn);
            }
        }
        depth = depth.saturating_add(1);
        members = if groups.nested { next } else { Vec::new() };
    }
    Ok(Answer::Found(subscriber))
}

fn groups_of(link: &mut Link, ldap: &Ldap, groups: &GroupSearch, member: &str) -> Result<Vec<Entry>, Failed> {
    let filter: Filled = groups.filter.fill(&Names { user: "", domain: "", dn: member });
    search(
        link,
        &Search {
            base: &groups.base,
            scope: Scope::Subtree,
            filter: &filter,
            limit: GROUPS_AT_ONCE,
            seconds: seconds(ldap),
            attributes: &[&groups.name],
            domain_scope: ldap.active_directory,
        },
        MORE_GROUPS,
    )
}

#[cfg(test)]
mod tests;
