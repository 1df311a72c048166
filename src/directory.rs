//! Who is who: from a user's name to the [`Subscriber`], as data. That nobody knows the user is an answer;
//! that the directory could not be asked is not.

pub mod file;

use crate::subscriber::Subscriber;

/// What a directory says of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The user has a phone.
    Found(Subscriber),
    /// The directory was asked and has no entry.
    NotEnrolled,
    /// The directory could not be asked, or its entry is unusable; with what happened, for the administrator.
    Unavailable(String),
}
