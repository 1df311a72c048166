//! Reads a TOML file key by key, and remembers every mistake with its line instead of stopping at the first.
//!
//! A section hands out its keys one at a time; what nobody asked for when it is finished is an unknown key.
//! Messages name file, line and key, and never repeat a value: it may be a secret.

use std::{fmt, ops::Range, str::FromStr};

use toml::de::{DeTable, DeValue};

use crate::text;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1, where the file could be read at all.
    pub line: Option<usize>,
    /// The key with its tables, e.g. `service.ap_id`; empty for a mistake of the whole file.
    pub key: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// All that is to mend, in the order of the files; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// One mistake that concerns a whole file.
    #[must_use]
    pub fn of_file(file: &str, what: impl fmt::Display) -> Self {
        let mut mistakes = Self::default();
        mistakes.add(file, None, "", what);
        mistakes
    }

    pub(crate) fn add(&mut self, file: &str, line: Option<usize>, key: &str, what: impl fmt::Display) {
        self.0.push(Mistake { file: file.to_owned(), line, key: key.to_owned(), what: what.to_string() });
    }

    /// `value` if nothing is to mend.
    pub(crate) fn or<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}

/// One mistake per line.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A value with the place it was written at, for mistakes that show only later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its line, from 1.
    pub line: usize,
    /// Its key with its tables.
    pub key: String,
}

/// The text of a file, its name, and what was found wrong with it so far.
pub(crate) struct Source<'i> {
    file: &'i str,
    text: &'i str,
    pub(crate) mistakes: Mistakes,
}

impl<'i> Source<'i> {
    /// Parses the file.
    ///
    /// # Errors
    /// One mistake where the file is no TOML: what else may be wrong with it cannot be told.
    pub(crate) fn parse(file: &'i str, text: &'i str) -> Result<(Self, Section<'i>), Mistakes> {
        let mut source = Self { file, text, mistakes: Mistakes::default() };
        match DeTable::parse(text) {
            Ok(table) => {
                let table = table.into_inner();
                Ok((source, Section { path: String::new(), line: 1, table, known: Vec::new() }))
            }
            Err(error) => {
                // The message describes the grammar; the quoted source, which may be a secret, is left out.
                let line = source.line(error.span().unwrap_or_default());
                source.mistake(line, "", format_args!("not TOML: {}", error.message().trim()));
                Err(source.mistakes)
            }
        }
    }

    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        before.iter().filter(|b| **b == b'\n').count().saturating_add(1)
    }

    pub(crate) fn mistake(&mut self, line: usize, key: &str, what: impl fmt::Display) {
        self.mistakes.add(self.file, Some(line), key, what);
    }
}

/// One table of the file.
pub(crate) struct Section<'i> {
    path: String,
    line: usize,
    table: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Section<'i> {
    /// Where the table begins.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    fn key(&self, name: &str) -> String {
        let name = text::escaped(name, 100);
        if self.path.is_empty() { name } else { format!("{}.{name}", self.path) }
    }

    fn take(&mut self, name: &'static str, source: &Source<'_>) -> Option<Located<DeValue<'i>>> {
        self.known.push(name);
        let value = self.table.remove(name)?;
        Some(Located { line: source.line(value.span()), key: self.key(name), value: value.into_inner() })
    }

    /// A table inside this one; an empty one where it is absent.
    pub(crate) fn section(&mut self, name: &'static str, source: &mut Source<'_>) -> Section<'i> {
        let empty = |path, line| Section { path, line, table: DeTable::new(), known: Vec::new() };
        match self.take(name, source) {
            None => empty(self.key(name), self.line),
            Some(Located { value: DeValue::Table(table), line, key }) => {
                Section { table, ..empty(key, line) }
            }
            Some(Located { value, line, key }) => {
                source.mistake(line, &key, format_args!("must be a table, not {}", article(&value)));
                empty(key, line)
            }
        }
    }

    /// A text, where there is one.
    pub(crate) fn text(&mut self, name: &'static str, source: &mut Source<'_>) -> Option<Located<String>> {
        let Located { value, line, key } = self.take(name, source)?;
        match value {
            DeValue::String(text) => Some(Located { value: text.into_owned(), line, key }),
            other => {
                source.mistake(line, &key, format_args!("must be a text in quotes, not {}", article(&other)));
                None
            }
        }
    }

    /// A text that must be there.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        source: &mut Source<'_>,
    ) -> Option<Located<String>> {
        let absent = !self.table.contains_key(name);
        if absent {
            source.mistake(self.line, &self.key(name), "is missing");
        }
        self.text(name, source)
    }

    /// A text of a type.
    pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
        source: &mut Source<'_>,
    ) -> Option<T> {
        let text = self.text(name, source)?;
        parse(text, source)
    }

    /// A text of a type that must be there.
    pub(crate) fn required_parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
        source: &mut Source<'_>,
    ) -> Option<T> {
        let text = self.required(name, source)?;
        parse(text, source)
    }

    /// A whole number within bounds, or `default`; none where what stands there is a mistake.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        default: u64,
        source: &mut Source<'_>,
    ) -> Option<u64> {
        let Some(Located { value, line, key }) = self.take(name, source) else { return Some(default) };
        let number = match &value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|n| bounds.contains(n));
        if number.is_none() {
            let (low, high) = (bounds.start(), bounds.end());
            source.mistake(line, &key, format_args!("must be a whole number from {low} to {high}"));
        }
        number
    }

    /// A list of texts, or a single one; empty where the key is absent.
    pub(crate) fn list(&mut self, name: &'static str, source: &mut Source<'_>) -> Vec<Located<String>> {
        let Some(Located { value, line, key }) = self.take(name, source) else { return Vec::new() };
        let items = match value {
            DeValue::String(text) => return vec![Located { value: text.into_owned(), line, key }],
            DeValue::Array(items) => items,
            other => {
                source.mistake(line, &key, format_args!("must be a list of texts, not {}", article(&other)));
                return Vec::new();
            }
        };
        let mut texts = Vec::new();
        for item in items {
            let line = source.line(item.span());
            match item.into_inner() {
                DeValue::String(text) => {
                    texts.push(Located { value: text.into_owned(), line, key: key.clone() });
                }
                other => source.mistake(
                    line,
                    &key,
                    format_args!("must be a list of texts, but holds {}", article(&other)),
                ),
            }
        }
        texts
    }

    /// Every entry of a table whose keys are names, each a table of its own.
    pub(crate) fn named_sections(self, source: &mut Source<'_>) -> Vec<Located<Section<'i>>> {
        let mut sections = Vec::new();
        for (name, value) in self.table {
            let line = source.line(name.span());
            let name = name.into_inner().into_owned();
            match value.into_inner() {
                DeValue::Table(table) => {
                    let path = text::escaped(&name, 100);
                    let value = Section { path, line, table, known: Vec::new() };
                    sections.push(Located { value, line, key: name });
                }
                _ => source.mistake(
                    line,
                    &text::escaped(&name, 100),
                    "must be a table, like [alice] with its keys below it",
                ),
            }
        }
        sections.sort_by_key(|s| s.line);
        sections
    }

    /// Every key that nobody asked for is a mistake.
    pub(crate) fn finish(self, source: &mut Source<'_>) {
        for name in self.table.iter().map(|(name, _)| name) {
            let line = source.line(name.span());
            let known = self.known.join(", ");
            let key = self.key(name.get_ref());
            source.mistake(line, &key, format_args!("unknown key; there are {known}"));
        }
    }
}

/// A value's type in a sentence: an integer, a table.
fn article(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Turns a text into its type, or names the mistake.
pub(crate) fn parse<T: FromStr<Err: fmt::Display>>(
    text: Located<String>,
    source: &mut Source<'_>,
) -> Option<T> {
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            source.mistake(text.line, &text.key, error);
            None
        }
    }
}
