//! `[prompt]`: the language, and the texts on the phone.

use super::reader::{Section, Source};
use crate::{prompt::Template, subscriber::Language};

/// The default language, and the texts for a login, for sudo, for su and for an enrolment.
pub(super) fn read(root: &mut Section<'_>, source: &mut Source<'_>) -> (Language, [Option<Templates>; 4]) {
    let mut prompt = root.section("prompt", source);
    let language = prompt.parsed("language", source).unwrap_or_default();
    let templates = [("template", LOGIN), ("sudo", SUDO), ("su", SU), ("enrol", ENROL)]
        .map(|(name, defaults)| Templates::read(prompt.section(name, source), defaults, source));
    prompt.finish(source);
    (language, templates)
}

/// One template per language, in the order of [`Language::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Templates([Template; 4]);

impl Templates {
    /// The template of a language.
    #[must_use]
    pub fn get(&self, language: Language) -> &Template {
        let [en, de, fr, it] = &self.0;
        match language {
            Language::En => en,
            Language::De => de,
            Language::Fr => fr,
            Language::It => it,
        }
    }

    fn read(mut section: Section<'_>, defaults: [&str; 4], source: &mut Source<'_>) -> Option<Self> {
        let [en, de, fr, it] = defaults;
        let mut read = |name, default: &str| section.parsed(name, source).or_else(|| default.parse().ok());
        let all = [read("en", en), read("de", de), read("fr", fr), read("it", it)];
        section.finish(source);
        let [Some(en), Some(de), Some(fr), Some(it)] = all else { return None };
        Some(Self([en, de, fr, it]))
    }
}

/// The default texts: short, so that names seldom have to be cut.
const LOGIN: [&str; 4] = [
    "Log in as {user} on {host} ({service})? Code {txn}",
    "Anmelden als {user} auf {host} ({service})? Code {txn}",
    "Connexion de {user} sur {host} ({service})? Code {txn}",
    "Accesso di {user} su {host} ({service})? Codice {txn}",
];
/// Without the arguments: they may hold what is nobody else's business, and the text goes through other hands.
const SUDO: [&str; 4] = [
    "Run {program} as {target} on {host} ({user})? Code {txn}",
    "{program} ausführen als {target} auf {host} ({user})? Code {txn}",
    "Exécuter {program} comme {target} sur {host} ({user})? Code {txn}",
    "Eseguire {program} come {target} su {host} ({user})? Codice {txn}",
];
const SU: [&str; 4] = [
    "Become {target} on {host} ({user})? Code {txn}",
    "Wechseln zu {target} auf {host} ({user})? Code {txn}",
    "Devenir {target} sur {host} ({user})? Code {txn}",
    "Diventare {target} su {host} ({user})? Codice {txn}",
];
/// Says that more than a login begins: whoever confirms it has this phone let somebody in from then on.
const ENROL: [&str; 4] = [
    "Register this phone for {user} on {host}? Code {txn}",
    "Dieses Telefon für {user} auf {host} registrieren? Code {txn}",
    "Enregistrer ce téléphone pour {user} sur {host}? Code {txn}",
    "Registrare questo telefono per {user} su {host}? Codice {txn}",
];
