//! ASN.1 as it comes from elsewhere: BER made definite ([`ber`]), and what that is read with ([`der`]).
//!
//! Signatures and the answers of LDAP servers go through here. See docs/decisions/0003-ber.md.

pub(crate) mod ber;
pub(crate) mod der;
