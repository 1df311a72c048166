//! RADIUS logins as VPNs make them: real clients, real proxies, a real first factor, and packets by hand.

mod challenge;
mod first_factor;
mod grants;
mod logins;
mod operation;
mod packets;
mod pam_radius;
mod peers;
mod proxies;
mod repetition;
pub(crate) mod support;
