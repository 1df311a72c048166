//! What the module needs of libpam, as a trait, so that a login can be tested without one.
//!
//! What comes out of these calls is owned: an application may replace an item during any conversation, and
//! the memory of the old one is gone then.

#![forbid(unsafe_code)]

use std::{ffi::CStr, time::Duration};

use mobileid::secret::Secret;

/// The application's side of one login.
pub(crate) trait Host {
    /// PAM_USER, which the application may have to ask for; none where it has none that is text.
    fn user(&mut self) -> Option<String>;

    /// An item, unless it is unset or empty.
    fn item(&self, item: Item) -> Option<String>;

    /// A variable of the PAM environment, which the application sets; not of the process environment.
    fn env(&self, name: &CStr) -> Option<String>;

    /// Whether PAM_AUTHTOK is what sshd puts there for a user whom it will refuse whatever the stack says.
    /// It begins with a backspace (OpenSSH's auth-pam.c), which nobody types into a password prompt.
    fn authtok_is_junk(&self) -> bool;

    /// Shows a text, and says whether the application took it. That it did not is no reason to stop: the
    /// phone shows what counts.
    fn show(&mut self, style: Style, text: &str) -> bool;

    /// Asks for a line of text, which is seen while it is typed; none where the application asks nothing, or the
    /// answer is no text of a reasonable length.
    fn ask(&mut self, question: &str) -> Option<Secret>;

    /// Asks libpam to wait about so long before it reports a failure.
    fn fail_delay(&mut self, delay: Duration);

    /// Writes one line to the system log, facility authpriv, under the name of the application.
    fn syslog(&self, priority: Priority, line: &str);
}

/// The items that are read beside the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Item {
    /// The PAM service, e.g. `sshd`.
    Service,
    /// The terminal; `ssh` in sshd.
    Tty,
    /// Where the login comes from: a name or an address, as the application has it.
    Rhost,
    /// Who asks, where somebody is logged in already: sudo's caller.
    Ruser,
}

/// How a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// PAM_TEXT_INFO.
    Info,
    /// PAM_ERROR_MSG.
    Error,
}

/// How much a line of the log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// Somebody should look at once.
    Alert,
    /// The administrator must mend something.
    Error,
    /// Somebody was not let in, or was let in without a phone.
    Notice,
    /// All went as it should.
    Info,
    /// Wanted by the argument `debug`.
    Debug,
}
