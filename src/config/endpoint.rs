//! Where to connect: the service's base URL and the proxy's.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::secret::Secret;

/// Host and port of `https://host[:port]`. The REST paths are the service's and are not configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// The port; 443 where the URL has none.
    pub port: u16,
}

impl FromStr for Endpoint {
    type Err = InvalidUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("https://").ok_or(InvalidUrl::NotHttps)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_authority(authority, 443)?;
        Ok(Self { host, port })
    }
}

/// `host:port`, with brackets around an IPv6 address.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An HTTP CONNECT proxy: `http://[user:password@]host:port`.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where the proxy is.
    pub endpoint: Endpoint,
    /// The value of Proxy-Authorization (Basic), where a user was given.
    pub authorization: Option<Secret>,
}

impl FromStr for Proxy {
    type Err = InvalidUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let rest = url.strip_prefix("http://").ok_or(InvalidUrl::NotHttp)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (credentials, authority) = match rest.rsplit_once('@') {
            Some((credentials, authority)) => (Some(credentials), authority),
            None => (None, rest),
        };
        let (host, port) = split_authority(authority, 3128)?;
        let authorization = match credentials {
            Some(c) if c.chars().any(char::is_control) || !c.contains(':') => {
                return Err(InvalidUrl::Credentials);
            }
            Some(c) => Some(Secret::new(format!("Basic {}", BASE64_STANDARD.encode(c)))),
            None => None,
        };
        Ok(Self { endpoint: Endpoint { host, port }, authorization })
    }
}

/// `ldap://host[:port]` or `ldaps://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapUrl {
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Whether it speaks TLS from the first byte.
    pub tls: bool,
}

impl FromStr for LdapUrl {
    type Err = InvalidUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let (tls, rest) = match url.strip_prefix("ldaps://") {
            Some(rest) => (true, rest),
            None => (false, url.strip_prefix("ldap://").ok_or(InvalidUrl::NotLdap)?),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_authority(authority, if tls { 636 } else { 389 })?;
        Ok(Self { endpoint: Endpoint { host, port }, tls })
    }
}

impl Endpoint {
    /// Whether it is an address of this host alone.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }
}

fn split_authority(authority: &str, default_port: u16) -> Result<(String, u16), InvalidUrl> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or(InvalidUrl::Host)?;
            address.parse::<std::net::Ipv6Addr>().map_err(|_| InvalidUrl::Host)?;
            (address, after.strip_prefix(':').or(if after.is_empty() { Some("") } else { None }))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        },
    };
    let valid = super::is_host_name(host) || host.parse::<std::net::IpAddr>().is_ok();
    if !valid {
        return Err(InvalidUrl::Host);
    }
    let port = match port {
        Some("") if !authority.ends_with(':') => default_port,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|p| *p != 0).ok_or(InvalidUrl::Port)?
        }
        _ => return Err(InvalidUrl::Port),
    };
    Ok((host.to_owned(), port))
}

/// Why a URL cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the Display text says each")]
pub enum InvalidUrl {
    NotHttps,
    NotHttp,
    NotLdap,
    Host,
    Port,
    Credentials,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotHttps => "must be https://host or https://host:port",
            Self::NotHttp => "must be http://host:port or http://user:password@host:port",
            Self::NotLdap => "must be ldaps://host, ldaps://host:port or ldap://host with start_tls = true",
            Self::Host => "the host must be a name, an IPv4 address or an IPv6 address in brackets, and no path may follow it",
            Self::Port => "the port must be a number from 1 to 65535",
            Self::Credentials => "the credentials before the @ must be user:password",
        })
    }
}

impl std::error::Error for InvalidUrl {}
