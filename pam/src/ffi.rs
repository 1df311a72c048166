//! The border to libpam: the six entry points, and [`Host`] for a real PAM handle.
//!
//! `pam-bindings` checks the arguments of the entry points, reads items and
//! holds conversations; what it lacks is declared here: pam_getenv, pam_fail_delay and pam_syslog;
//! and sigpending, which nix lacks.

#![allow(unsafe_code, reason = "libpam is a C library; each block says why it is sound")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint},
    mem::MaybeUninit,
    ptr,
    time::Duration,
};

use mobileid::secret::Secret;
use nix::libc;
use pam::{
    constants::{PAM_ERROR_MSG, PAM_PROMPT_ECHO_ON, PAM_SILENT, PAM_TEXT_INFO, PamFlag, PamResultCode},
    conv::Conv,
    items::{AuthTok, RHost, RUser, Service, Tty},
    module::{PamHandle, PamHooks},
    pam_hooks,
};

use crate::{
    authenticate::authenticate,
    host::{Host, Item, Priority, Style},
    panics,
    system::Live,
};

/// The module as `pam-bindings` calls it. What is not here answers PAM_IGNORE: accounts, sessions and
/// passwords are other modules' business.
struct Module;

pam_hooks!(Module);

impl PamHooks for Module {
    fn sm_authenticate(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        panics::install();
        authenticate(&mut Pam(handle), &Live, &arguments, flags & PAM_SILENT != 0)
    }

    /// There are no credentials to set. It succeeds without having been asked to authenticate before, because
    /// sshd calls it in another process, and also after a login with a key alone.
    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_SUCCESS
    }
}

// Signatures as in Linux-PAM's security/pam_modules.h, pam_appl.h and pam_ext.h. `pam-bindings` links libpam.
unsafe extern "C" {
    fn pam_getenv(pamh: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_fail_delay(pamh: *mut PamHandle, usec: c_uint) -> c_int;
    fn pam_syslog(pamh: *const PamHandle, priority: c_int, fmt: *const c_char, ...);
}

/// The handle of one login, for as long as libpam lends it to us.
struct Pam<'a>(&'a mut PamHandle);

impl Host for Pam<'_> {
    fn user(&mut self) -> Option<String> {
        self.0.get_user(None).ok()
    }

    fn item(&self, item: Item) -> Option<String> {
        match item {
            Item::Service => self.0.get_item::<Service<'_>>().ok()?.and_then(|item| owned(item.0)),
            Item::Tty => self.0.get_item::<Tty<'_>>().ok()?.and_then(|item| owned(item.0)),
            Item::Rhost => self.0.get_item::<RHost<'_>>().ok()?.and_then(|item| owned(item.0)),
            Item::Ruser => self.0.get_item::<RUser<'_>>().ok()?.and_then(|item| owned(item.0)),
        }
    }

    fn env(&self, name: &CStr) -> Option<String> {
        // SAFETY: the handle is the one that libpam gave us for this call, and the name is NUL-terminated.
        // The cast to *mut is libpam's missing const: _pam_getenv looks the name up and changes nothing.
        let value = unsafe { pam_getenv(ptr::from_ref::<PamHandle>(self.0).cast_mut(), name.as_ptr()) };
        if value.is_null() {
            return None;
        }
        // SAFETY: not null, so it points to the NUL-terminated value inside the handle's list, which stays
        // until the next pam_putenv; none can happen before `owned` has copied it, as this thread is here.
        owned(unsafe { CStr::from_ptr(value) })
    }

    fn authtok_is_junk(&self) -> bool {
        let password = self.0.get_item::<AuthTok<'_>>();
        // The password stays where it is: one byte is looked at and nothing is copied.
        password.is_ok_and(|password| password.is_some_and(|p| p.as_bytes().starts_with(b"\x08")))
    }

    fn show(&mut self, style: Style, text: &str) -> bool {
        let style = match style {
            Style::Info => PAM_TEXT_INFO,
            Style::Error => PAM_ERROR_MSG,
        };
        // The conversation is fetched anew each time: the application may have exchanged it during the last.
        let conversation = self.0.get_item::<Conv<'_>>();
        conversation.is_ok_and(|conversation| conversation.is_some_and(|c| c.send(style, text).is_ok()))
    }

    fn ask(&mut self, question: &str) -> Option<Secret> {
        let conversation = self.0.get_item::<Conv<'_>>().ok()??;
        let answer = conversation.send(PAM_PROMPT_ECHO_ON, question).ok()??;
        let answer = answer.as_bytes();
        if answer.len() > ANSWER_MAX {
            return None;
        }
        std::str::from_utf8(answer).ok().map(|answer| Secret::new(answer.to_owned()))
    }

    fn fail_delay(&mut self, delay: Duration) {
        let usec = c_uint::try_from(delay.as_micros()).unwrap_or(c_uint::MAX);
        // SAFETY: the handle is the one that libpam gave us for this call, borrowed mutably by this struct.
        let _ = unsafe { pam_fail_delay(self.0, usec) };
    }

    fn syslog(&self, priority: Priority, line: &str) {
        let priority = LOG_AUTHPRIV
            | match priority {
                Priority::Alert => LOG_ALERT,
                Priority::Error => LOG_ERR,
                Priority::Notice => LOG_NOTICE,
                Priority::Info => LOG_INFO,
                Priority::Debug => LOG_DEBUG,
            };
        let Ok(line) = CString::new(line.replace('\0', " ")) else { return };
        // SAFETY: the handle is libpam's own; the format is ours and takes exactly one string, so nothing in
        // `line` is read as a format; `line` is NUL-terminated and outlives the call, which copies it.
        unsafe { pam_syslog(ptr::from_ref::<PamHandle>(self.0), priority, c"%s".as_ptr(), line.as_ptr()) };
    }
}

/// Whether a signal that wants this process to end is pending: sudo blocks them while PAM is at work.
pub(crate) fn interrupt_is_pending() -> bool {
    let mut pending = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is to memory of the size of a sigset_t, which sigpending fills and keeps no hold of.
    if unsafe { libc::sigpending(pending.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: sigpending returned 0, so it has filled the set.
    let pending = unsafe { pending.assume_init() };
    [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM].into_iter().any(|signal| {
        // SAFETY: the set is initialised and outlives the call, which only reads it; the number is a signal's.
        unsafe { libc::sigismember(&raw const pending, signal) == 1 }
    })
}

/// Whether this process has more rights than who started it, as set-user-ID programs have: then its limits, signals
/// and descriptors are of their choice.
pub(crate) fn is_set_user_id() -> bool {
    // SAFETY: takes a number and gives one, from what the kernel handed over when the program was started.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

// syslog.h of Linux, whatever the C library.
const LOG_AUTHPRIV: c_int = 10 << 3;
const LOG_ALERT: c_int = 1;
const LOG_ERR: c_int = 3;
const LOG_NOTICE: c_int = 5;
const LOG_INFO: c_int = 6;
const LOG_DEBUG: c_int = 7;

/// The longest answer to a question, in bytes: more is nobody's typing.
const ANSWER_MAX: usize = 256;

/// A copy of the text; what is no UTF-8 is replaced, as it is only shown and compared.
fn owned(text: &CStr) -> Option<String> {
    Some(text.to_string_lossy().into_owned()).filter(|text| !text.is_empty())
}
