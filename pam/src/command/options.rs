//! The options of sudo, up to the command.

#![forbid(unsafe_code)]

/// What the options say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    pub(super) mode: Mode,
    pub(super) user: Option<&'a str>,
    pub(super) has_group: bool,
    /// Variables for the command.
    pub(super) assignments: Vec<&'a str>,
    /// The command and its arguments, or the files to edit.
    pub(super) command: &'a [String],
}

/// What sudo does with the words behind the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Run,
    Shell,
    LoginShell,
    Edit,
    List,
    Validate,
}

impl Mode {
    /// What stands for it on the phone. A shell is not named: the environment may choose it.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Run => None,
            Self::Shell => Some("sudo -s"),
            Self::LoginShell => Some("sudo -i"),
            Self::Edit => Some("sudoedit"),
            Self::List => Some("sudo -l"),
            Self::Validate => Some("sudo -v"),
        }
    }
}

/// What an option means to us.
#[derive(Debug, Clone, Copy)]
enum Means {
    Nothing,
    User,
    Group,
    Mode(Mode),
    /// By itself `-h` asks for help, and `-h host` names a host.
    Help,
    /// Nobody is asked to confirm: such a sudo never comes here.
    NoLogin,
    /// What runs is a file below another root, and its name tells nothing of it.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    /// `-u bob`, `-ubob`, `--user bob`, `--user=bob`.
    Value,
    /// `--preserve-env` or `--preserve-env=list`, in its long form alone.
    Perhaps,
}

struct Known {
    short: char,
    long: &'static str,
    takes: Takes,
    means: Means,
}

const fn flag(short: char, long: &'static str, means: Means) -> Known {
    Known { short, long, takes: Takes::Nothing, means }
}

const fn value(short: char, long: &'static str, means: Means) -> Known {
    Known { short, long, takes: Takes::Value, means }
}

/// There is no such short option.
const NONE: char = '\0';

/// All of sudo 1.9 on Linux, of which sudo-rs has a part.
const KNOWN: &[Known] = &[
    flag('A', "askpass", Means::Nothing),
    flag('b', "background", Means::Nothing),
    flag('B', "bell", Means::Nothing),
    value('C', "close-from", Means::Nothing),
    value('D', "chdir", Means::Nothing),
    Known { short: 'E', long: "preserve-env", takes: Takes::Perhaps, means: Means::Nothing },
    flag('e', "edit", Means::Mode(Mode::Edit)),
    value('g', "group", Means::Group),
    flag('H', "set-home", Means::Nothing),
    flag('h', "help", Means::Help),
    value(NONE, "host", Means::Nothing),
    flag('i', "login", Means::Mode(Mode::LoginShell)),
    flag('K', "remove-timestamp", Means::NoLogin),
    flag('k', "reset-timestamp", Means::Nothing),
    flag('l', "list", Means::Mode(Mode::List)),
    flag('N', "no-update", Means::Nothing),
    flag('n', "non-interactive", Means::Nothing),
    flag('P', "preserve-groups", Means::Nothing),
    value('p', "prompt", Means::Nothing),
    value('R', "chroot", Means::Elsewhere),
    value('r', "role", Means::Nothing),
    flag('S', "stdin", Means::Nothing),
    flag('s', "shell", Means::Mode(Mode::Shell)),
    value('t', "type", Means::Nothing),
    value('T', "command-timeout", Means::Nothing),
    value('U', "other-user", Means::Nothing),
    value('u', "user", Means::User),
    flag('V', "version", Means::NoLogin),
    flag('v', "validate", Means::Mode(Mode::Validate)),
];

impl<'a> Options<'a> {
    /// None where sudo would refuse, or where it is not sure what it would do.
    pub(super) fn parse(name: &str, words: &'a [String]) -> Option<Self> {
        let mode = if is_sudoedit(name)? { Mode::Edit } else { Mode::Run };
        let mut options = Self { mode, user: None, has_group: false, assignments: Vec::new(), command: &[] };
        let mut words = Reader { rest: words, last: "" };
        while let Some(word) = words.peek() {
            if word == "--" {
                words.next();
                break;
            } else if let Some(long) = word.strip_prefix("--") {
                words.next();
                options.long(long, &mut words)?;
            } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
                words.next();
                options.cluster(cluster, &mut words)?;
            } else if is_assignment(word) {
                // Behind a `--` that was an option's argument the one sudo takes it for the command.
                if words.last == "--" || !is_plain_assignment(word) {
                    return None;
                }
                options.assignments.extend(words.next());
            } else {
                break;
            }
        }
        options.command = words.rest;
        if options.mode == Mode::Run && options.command.is_empty() {
            // Where sudoers allows it, sudo by itself starts a shell.
            options.mode = Mode::Shell;
        }
        Some(options)
    }

    /// `user=bob`, `user bob`, or the beginning of such a name, as getopt_long(3) has it.
    fn long(&mut self, text: &'a str, words: &mut Reader<'a>) -> Option<()> {
        let (name, attached) = match text.split_once('=') {
            Some((name, attached)) => (name, Some(attached)),
            None => (text, None),
        };
        let known = long_option(name)?;
        let argument = match (known.takes, attached) {
            (Takes::Nothing, Some(_)) => return None,
            (Takes::Value, None) => Some(words.next()?),
            (Takes::Value | Takes::Perhaps, attached) => attached,
            (Takes::Nothing, None) => None,
        };
        // `--help` asks for help, whatever follows.
        if matches!(known.means, Means::Help) {
            return None;
        }
        self.apply(known.means, argument)
    }

    /// `nu`, with or without `bob` at its end.
    fn cluster(&mut self, cluster: &'a str, words: &mut Reader<'a>) -> Option<()> {
        for (at, short) in cluster.char_indices() {
            let known = KNOWN.iter().find(|known| known.short == short && short != NONE)?;
            let attached = cluster.get(at.checked_add(short.len_utf8())?..).filter(|text| !text.is_empty());
            if matches!(known.means, Means::Help) {
                return self.host(cluster, attached, words);
            }
            if known.takes == Takes::Value {
                let argument = match attached {
                    Some(attached) => attached,
                    None => words.next()?,
                };
                return self.apply(known.means, Some(argument));
            }
            self.apply(known.means, None)?;
        }
        Some(())
    }

    /// `-hweb1`, `-h web1`; all else asks for help.
    fn host(&mut self, cluster: &str, attached: Option<&str>, words: &mut Reader<'a>) -> Option<()> {
        if attached.is_some() {
            return Some(());
        }
        let next =
            words.peek().filter(|next| cluster == "h" && !next.starts_with('-') && !is_assignment(next));
        next.map(|_| words.next()).map(drop)
    }

    fn apply(&mut self, means: Means, argument: Option<&'a str>) -> Option<()> {
        match means {
            Means::Nothing => {}
            Means::User => self.user = Some(argument.filter(|user| !user.is_empty())?),
            Means::Group => self.has_group = true,
            Means::Mode(mode) if self.mode == Mode::Run || self.mode == mode => self.mode = mode,
            // Two that exclude each other.
            Means::Mode(_) => return None,
            Means::Help | Means::NoLogin | Means::Elsewhere => return None,
        }
        Some(())
    }
}

/// The words that are left, and the one before them.
struct Reader<'a> {
    rest: &'a [String],
    last: &'a str,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.rest.first().map(String::as_str)
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.rest.split_first()?;
        (self.rest, self.last) = (rest, first);
        Some(first)
    }
}

/// The one sudo goes by the end of its name and the other by its beginning. None where that is not the same.
fn is_sudoedit(name: &str) -> Option<bool> {
    let base = name.rsplit('/').next().unwrap_or(name);
    match base {
        "" => None,
        "sudoedit" => Some(true),
        _ if base.ends_with("edit") || name.contains("sudoedit") => None,
        _ => Some(false),
    }
}

/// What sudo takes for `VAR=value`.
fn is_assignment(word: &str) -> bool {
    word.contains('=') && !word.starts_with('/')
}

/// What sudo-rs takes for it too.
fn is_plain_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// By its name, or by a beginning that only one has.
fn long_option(name: &str) -> Option<&'static Known> {
    let mut begin = KNOWN.iter().filter(|known| known.long.starts_with(name));
    let exact = KNOWN.iter().find(|known| known.long == name);
    exact.or_else(|| begin.next().filter(|_| begin.next().is_none()))
}
