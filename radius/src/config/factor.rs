//! Who vouches for a client's first factor, as written.
//!
//! There is no default: forgetting to say who looks at the password must not mean that nobody does.

use mobileid::config::{
    Located,
    reader::{Section, Source},
};

use super::{
    attributes::{self, PassList},
    file::Known,
    values::{self, choice},
};

/// A first factor, with its upstream by name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FactorDraft {
    Ignored,
    Ldap { directory: Option<Located<String>> },
    Upstream { name: Located<String>, pass: PassList },
}

#[derive(Clone, Copy)]
enum Kind {
    None,
    Ldap,
    Radius,
}

/// The keys that say more about it, whichever it is.
struct Beside {
    password_is_there: bool,
    password: Option<Located<()>>,
    upstream: Option<Located<String>>,
    pass: Option<Vec<Located<String>>>,
    directory: Option<Located<String>>,
}

impl FactorDraft {
    pub(super) fn read(
        section: &mut Section<'_>,
        upstreams: &Known<'_>,
        source: &mut Source<'_>,
    ) -> Option<Located<Self>> {
        if !section.has("first_factor") {
            let what = "is missing: \"none\" if the NAS has checked the password before it asks here, \"radius\" if \
                        an upstream server checks it, or \"ldap\" if a directory does";
            source.mistake(section.line(), &section.key("first_factor"), what);
        }
        let kinds = &[("none", Kind::None), ("ldap", Kind::Ldap), ("radius", Kind::Radius)];
        let kind = choice(section, "first_factor", kinds, source);
        let beside = Beside {
            password_is_there: section.has("password"),
            password: choice(section, "password", &[("ignored", ())], source),
            upstream: section.text("upstream", source),
            pass: values::list(section, "pass", |name| Ok::<_, String>(name.to_owned()), source),
            directory: section.text("directory", source),
        };
        let Located { value: kind, line, key } = kind?;
        let value = match kind {
            Kind::None => beside.none(line, section, source),
            Kind::Ldap => beside.ldap(source),
            Kind::Radius => beside.radius(line, section, upstreams, source)?,
        };
        Some(Located { value, line, key })
    }
}

impl Beside {
    fn none(self, line: usize, section: &Section<'_>, source: &mut Source<'_>) -> FactorDraft {
        if !self.password_is_there {
            let what = "is missing: with first_factor = \"none\" nobody here looks at the password, so who knows a \
                        user's name can make the phone ring; if the NAS has checked the password before, say so with \
                        password = \"ignored\"";
            source.mistake(line, &section.key("password"), what);
        }
        self.foreign("none", source);
        FactorDraft::Ignored
    }

    fn ldap(mut self, source: &mut Source<'_>) -> FactorDraft {
        if let Some(Located { line, key, .. }) = self.password.take() {
            let what = "is \"ignored\", but with first_factor = \"ldap\" the directory checks it";
            source.mistake(line, &key, what);
        }
        let directory = self.directory.take();
        self.foreign("ldap", source);
        FactorDraft::Ldap { directory }
    }

    /// Keys that belong to another first factor than the one that is given.
    fn foreign(self, given: &str, source: &mut Source<'_>) {
        let first_of_pass = self.pass.unwrap_or_default().into_iter().next();
        let of_radius = self.upstream.into_iter().chain(first_of_pass).map(|at| (at, "radius"));
        for (Located { line, key, .. }, owner) in of_radius.chain(self.directory.map(|at| (at, "ldap"))) {
            let what = format_args!("belongs to first_factor = \"{owner}\", but it is \"{given}\"");
            source.mistake(line, &key, what);
        }
    }

    fn radius(
        self,
        line: usize,
        section: &Section<'_>,
        upstreams: &Known<'_>,
        source: &mut Source<'_>,
    ) -> Option<FactorDraft> {
        if let Some(Located { line, key, .. }) = self.password {
            let what = "is \"ignored\", but with first_factor = \"radius\" the upstream server checks it";
            source.mistake(line, &key, what);
        }
        if let Some(Located { line, key, .. }) = self.directory {
            let what = "belongs to first_factor = \"ldap\", but it is \"radius\"";
            source.mistake(line, &key, what);
        }
        match &self.upstream {
            None => source.mistake(line, &section.key("upstream"), "is missing: the name of an [[upstream]]"),
            Some(Located { value: name, line, key }) => {
                if let Err(what) = upstreams.check(name, "upstream") {
                    source.mistake(*line, key, what);
                }
            }
        }
        let pass = self.pass.map(|names| attributes::read_pass(names, source)).unwrap_or_default();
        Some(FactorDraft::Upstream { name: self.upstream?, pass })
    }
}
