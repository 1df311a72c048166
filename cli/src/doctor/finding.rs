//! What can be found: a closed list with stable names, which `docs/doctor.md` repeats.

use mobileid::text::escaped;
use serde::Serialize;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// Somebody gets in without the phone, nobody gets in, or the phone rings when it must not.
    Error,
    /// It works, but less well or less safely than it looks.
    Warning,
    /// Worth knowing; may well be meant.
    Note,
}

impl Severity {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $severity:ident $name:literal),+ $(,)?) => {
        /// Every kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($(#[$doc])* $variant),+
        }

        impl Kind {
            /// All of them, in the order of the documentation.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its stable name, for logs, scripts and the documentation.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub(crate) fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

kinds! {
    /// The file is not where PAM looks for it.
    ModuleMissing = Error "module-missing",
    /// The module is installed, but the line names another file.
    ModulePath = Error "module-path",
    /// The module would refuse its arguments, and with them everybody.
    ModuleArguments = Error "module-arguments",
    /// PAM cannot read the service's file, or what it includes.
    PamFileBroken = Error "pam-file-broken",
    /// The phone is all that is asked for.
    NoFirstFactor = Error "no-first-factor",
    /// The stack goes on to the module after the first factor has failed.
    PushAfterWrongPassword = Error "push-after-wrong-password",
    /// The stack succeeds although the module has refused.
    RefusalIgnored = Error "refusal-ignored",
    /// The stack succeeds without the module.
    ModuleSkipped = Error "module-skipped",
    /// The module runs twice in one stack.
    ModuleTwice = Warning "module-twice",
    /// `sudo` asks the phone and `sudo -i` does not, or `su` and `su -`.
    SecondNameWithoutMobileid = Error "second-name-without-mobileid",
    /// The service does not use the module.
    ServiceWithoutMobileid = Note "service-without-mobileid",

    /// sshd does not ask PAM.
    UsePamOff = Error "use-pam-off",
    /// The one method that reaches PAM with messages is off, but needed.
    KbdInteractiveOff = Error "kbd-interactive-off",
    /// No list of AuthenticationMethods can be completed.
    MethodsUnusable = Error "methods-unusable",
    /// There is a way in on which PAM is not asked.
    MethodsSkipPam = Error "methods-skip-pam",
    /// The password method shows PAM's messages only after the login.
    PasswordHidesMessage = Warning "password-hides-message",
    /// `password,keyboard-interactive` runs the stack twice; the phone rings once.
    StackRunsTwice = Note "stack-runs-twice",
    /// PasswordAuthentication is on, but no list of methods uses it.
    PasswordAuthIdle = Note "password-auth-idle",
    /// sshd refuses root after the phone has confirmed.
    RootRefusedAfterApproval = Error "root-refused-after-approval",
    /// sshd gives up before the login may end.
    GraceTimeShort = Error "grace-time-short",
    /// Few waiting logins make sshd drop new connections.
    MaxStartupsLow = Warning "max-startups-low",

    /// `Defaults !authenticate`.
    SudoAsksNobody = Warning "sudo-asks-nobody",
    /// A rule with NOPASSWD.
    SudoNopasswd = Note "sudo-nopasswd",
    /// Every command rings the phone.
    SudoTimestampZero = Warning "sudo-timestamp-zero",
    /// One confirmation counts until the next boot.
    SudoTimestampEndless = Warning "sudo-timestamp-endless",
    /// `rootpw`, `targetpw`, `runaspw`: not the caller's phone.
    SudoAsksAnotherPhone = Warning "sudo-asks-another-phone",

    /// SELinux lets sshd connect to nothing.
    SelinuxConnection = Warning "selinux-connection",
    /// SELinux lets sshd connect, but not to this port.
    SelinuxPort = Warning "selinux-port",

    /// The module asks for a phone, and no table of users has one: root, or who may become root.
    NotEntered = Warning "not-entered",
    /// The configuration cannot be read: the module refuses everybody, and its time limits are not known.
    ConfigUnusable = Error "config-unusable",
    /// Something is there that could not be looked at.
    NotExamined = Warning "not-examined",
    /// Something is not there.
    NotInstalled = Note "not-installed",
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    /// The kind's, where nothing else was said.
    pub(crate) severity: Severity,
    /// File and line, or whom it was asked for.
    pub(crate) place: String,
    /// What goes wrong, in a sentence.
    pub(crate) what: String,
    /// How it is mended.
    pub(crate) remedy: String,
}

/// Longer than any sentence of ours; a path may be long.
const TEXT_MAX: usize = 1_000;

impl Finding {
    /// Whatever is in the sentences, a terminal may show it from here on.
    pub(crate) fn new(kind: Kind, place: &str, what: &str, remedy: &str) -> Self {
        let severity = kind.severity();
        Self { kind, severity, place: plain(place), what: plain(what), remedy: plain(remedy) }
    }

    /// Where this one is better or worse than others of its kind.
    pub(crate) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

/// Values of other people's files are escaped where they are quoted, with [`quoted`]; this is the net below, which
/// leaves their backslashes alone.
fn plain(text: &str) -> String {
    let cut: String = text.chars().take(TEXT_MAX).collect();
    if cut.chars().any(mobileid::text::is_unprintable) { escaped(&cut, TEXT_MAX) } else { cut }
}

/// A value of somebody else's file, for a sentence.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", escaped(value, 120))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DOCUMENT: &str = include_str!("../../../docs/doctor.md");

    /// Rows like `| error | `name` | ... |`.
    #[test]
    fn the_documentation_lists_every_finding_and_no_other() {
        let documented: Vec<(&str, &str)> = DOCUMENT
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| ")?.split(" | ");
                let severity = cells.next()?;
                Some((severity, cells.next()?.strip_prefix('`')?.strip_suffix('`')?))
            })
            .collect();
        let known: Vec<_> = Kind::ALL.iter().map(|kind| (kind.severity().word(), kind.name())).collect();
        assert_eq!(documented, known);
    }

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn foreign_text_is_escaped_once() {
        assert_eq!(quoted("a\u{1b}[2J\\"), "\"a\\u{1b}[2J\\\\\"");
        let finding = Finding::new(Kind::NotExamined, "a\u{1b}", &quoted("\\"), "");
        assert_eq!((finding.place.as_str(), finding.what.as_str()), ("a\\u{1b}", "\"\\\\\""));
    }
}
