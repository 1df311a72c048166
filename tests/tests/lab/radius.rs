//! RADIUS logins as VPNs make them: real clients, real proxies, a real first factor, and packets by hand.

mod peers;
mod support;
