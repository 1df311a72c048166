//! What several stories need.

/// eapol_test with a password in a tunnel.
pub(crate) const TTLS_PAP: &str = "eap=TTLS\nidentity=\"alice\"\nanonymous_identity=\"somebody\"\npassword=\"correct horse\"\nphase2=\"auth=PAP\"";

/// The same with MS-CHAPv2.
pub(crate) const TTLS_MSCHAPV2: &str = "eap=TTLS\nidentity=\"alice\"\nanonymous_identity=\"somebody\"\npassword=\"correct horse\"\nphase2=\"auth=MSCHAPV2\"";
