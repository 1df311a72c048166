//! MD5, HMAC-MD5 and hidden attributes.
