//! Panics: caught at the module's door, described for the log, and kept off the terminal.
//!
//! Rust's standard library is linked into this module, so its panic hook is ours alone: another Rust module
//! in the same process has its own. The hook is therefore set once and left there. Setting and restoring it
//! around each call would race between the threads of an application that logs two people in at once, and
//! would gain nothing, because nothing of ours runs outside of a call. The hook holds no memory, so that a
//! process that loads and unloads the module a thousand times does not grow by it.

#![forbid(unsafe_code)]

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe, Location},
    sync::Once,
};

/// Silences the default hook, which writes to standard error: under sudo that is the user's terminal.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| panic::set_hook(Box::new(|info| note(info.location()))));
}

/// Runs something to its end or to its panic, which is returned as a sentence for the log.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    // What a panic may have left half done is not used afterwards: the login starts over, as a denial.
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let place = PLACE.take();
        format!("panicked at {place}: {}", message(payload))
    })
}

/// Where a panic was, for the time between the hook and the catch.
///
/// Without a heap allocation and so without a destructor: a thread-local destructor would keep the module in
/// memory after the application unloads it.
#[derive(Clone, Copy)]
struct Place {
    /// The last bytes of the path; the first ones say only where it was built.
    file: [u8; 48],
    line: u32,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place { file: [b' '; 48], line: 0 }) };
}

fn note(location: Option<&Location<'_>>) {
    let Some(location) = location else { return };
    let mut place = Place { line: location.line(), ..Place::default() };
    let bytes = location.file().bytes().rev();
    place.file.iter_mut().rev().zip(bytes).for_each(|(to, from)| *to = from);
    PLACE.set(place);
}

impl Default for Place {
    fn default() -> Self {
        Self { file: [b' '; 48], line: 0 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str("an unknown place"),
            line => write!(f, "{}:{line}", String::from_utf8_lossy(&self.file).trim_start()),
        }
    }
}

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(text) => (*text).to_owned(),
            Err(payload) => {
                // Nobody's destructor may panic in turn; such a payload is lost memory, once.
                std::mem::forget(payload);
                "no message".to_owned()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_sentence() {
        assert_eq!(caught(|| 7), Ok(7));
        for (panics, said) in [
            (caught(|| panic!("plain")), "plain"),
            (caught(|| panic!("number {}", 7)), "number 7"),
            (caught(|| panic::panic_any(7)), "no message"),
        ] {
            let told: String = panics.map(|()| String::new()).unwrap_err();
            assert!(told.starts_with("panicked at ") && told.ends_with(said), "{told}");
        }
    }

    #[test]
    fn the_place_is_told_once() {
        note(Some(Location::caller()));
        let told = caught::<()>(|| panic::resume_unwind(Box::new("x"))).unwrap_err();
        assert!(told.contains("pam/src/panics.rs:"), "{told}");
        let told = caught::<()>(|| panic::resume_unwind(Box::new("x"))).unwrap_err();
        assert!(told.contains("an unknown place"), "{told}");
    }

    #[test]
    fn a_long_path_is_cut_at_its_front() {
        let place = Place { file: [b'x'; 48], line: 3 };
        assert_eq!(place.to_string(), format!("{}:3", "x".repeat(48)));
        assert!(!std::mem::needs_drop::<Place>());
    }
}
