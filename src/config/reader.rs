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

    /// Adds one.
    pub fn add(&mut self, file: &str, line: Option<usize>, key: &str, what: impl fmt::Display) {
        self.0.push(Mistake { file: file.to_owned(), line, key: key.to_owned(), what: what.to_string() });
    }

    /// `value` if nothing is to mend.
    pub fn or<T>(self, value: Option<T>) -> Result<T, Self> {
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

/// A value of a table whose keys are names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// In quotes.
    Text(String),
    /// Without.
    Integer(i64),
}

/// The text of a file, its name, and what was found wrong with it so far.
pub struct Source<'i> {
    file: &'i str,
    /// Where each line ends: a file of thousands of entries asks for thousands of lines.
    line_ends: Vec<usize>,
    /// What was found so far.
    pub mistakes: Mistakes,
}

impl<'i> Source<'i> {
    /// Parses the file.
    ///
    /// # Errors
    /// One mistake where the file is no TOML: what else may be wrong with it cannot be told.
    pub fn parse(file: &'i str, text: &'i str) -> Result<(Self, Section<'i>), Mistakes> {
        let line_ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect();
        let mut source = Self { file, line_ends, mistakes: Mistakes::default() };
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
        self.line_ends.partition_point(|end| *end < span.start).saturating_add(1)
    }

    /// Adds a mistake of this file.
    pub fn mistake(&mut self, line: usize, key: &str, what: impl fmt::Display) {
        self.mistakes.add(self.file, Some(line), key, what);
    }
}

/// One table of the file.
pub struct Section<'i> {
    path: String,
    line: usize,
    table: DeTable<'i>,
    known: Vec<&'static str>,
}

impl<'i> Section<'i> {
    /// Where the table begins.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The name of a key with the tables it stands in.
    #[must_use]
    pub fn key(&self, name: &str) -> String {
        joined(&self.path, name)
    }

    fn take(&mut self, name: &'static str, source: &Source<'_>) -> Option<Located<DeValue<'i>>> {
        self.known.push(name);
        let value = self.table.remove(name)?;
        Some(Located { line: source.line(value.span()), key: self.key(name), value: value.into_inner() })
    }

    /// Whether a key is there and was not asked for yet.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The line of a key that was not asked for yet; where it is absent, that of the table.
    #[must_use]
    pub fn line_of(&self, name: &str, source: &Source<'_>) -> usize {
        self.table.get(name).map_or(self.line, |value| source.line(value.span()))
    }

    /// A table inside this one; an empty one where it is absent.
    pub fn section(&mut self, name: &'static str, source: &mut Source<'_>) -> Section<'i> {
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

    /// The tables of an array, each written as `[[name]]`; none where it is absent.
    pub fn tables(&mut self, name: &'static str, source: &mut Source<'_>) -> Vec<Section<'i>> {
        let Some(Located { value, line, key }) = self.take(name, source) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            source.mistake(
                line,
                &key,
                format_args!("must be tables, each under [[{key}]], not {}", article(&value)),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            let line = source.line(item.span());
            match item.into_inner() {
                DeValue::Table(table) => {
                    tables.push(Section { path: key.clone(), line, table, known: Vec::new() });
                }
                other => source.mistake(
                    line,
                    &key,
                    format_args!("must be tables, each under [[{key}]], but holds {}", article(&other)),
                ),
            }
        }
        tables
    }

    /// A text, where there is one.
    pub fn text(&mut self, name: &'static str, source: &mut Source<'_>) -> Option<Located<String>> {
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
    pub fn required(&mut self, name: &'static str, source: &mut Source<'_>) -> Option<Located<String>> {
        let absent = !self.has(name);
        if absent {
            source.mistake(self.line, &self.key(name), "is missing");
        }
        self.text(name, source)
    }

    /// A text of a type.
    pub fn parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
        source: &mut Source<'_>,
    ) -> Option<T> {
        let text = self.text(name, source)?;
        parse(text, source)
    }

    /// A text of a type that must be there.
    pub fn required_parsed<T: FromStr<Err: fmt::Display>>(
        &mut self,
        name: &'static str,
        source: &mut Source<'_>,
    ) -> Option<T> {
        let text = self.required(name, source)?;
        parse(text, source)
    }

    /// A whole number within bounds, or `default`; none where what stands there is a mistake.
    pub fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        default: u64,
        source: &mut Source<'_>,
    ) -> Option<u64> {
        if !self.has(name) {
            self.known.push(name);
            return Some(default);
        }
        self.located_number(name, bounds, source).map(|number| number.value)
    }

    /// A whole number within bounds, where there is one, with its place for what shows only later.
    pub fn located_number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<u64>,
        source: &mut Source<'_>,
    ) -> Option<Located<u64>> {
        let Located { value, line, key } = self.take(name, source)?;
        let number = match &value {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
            _ => None,
        };
        let number = number.filter(|n| bounds.contains(n));
        if number.is_none() {
            let (low, high) = (bounds.start(), bounds.end());
            source.mistake(line, &key, format_args!("must be a whole number from {low} to {high}"));
        }
        number.map(|value| Located { value, line, key })
    }

    /// True or false; false where the key is absent.
    pub fn flag(&mut self, name: &'static str, source: &mut Source<'_>) -> bool {
        match self.take(name, source) {
            None => false,
            Some(Located { value: DeValue::Boolean(flag), .. }) => flag,
            Some(Located { value, line, key }) => {
                source.mistake(line, &key, format_args!("must be true or false, not {}", article(&value)));
                false
            }
        }
    }

    /// A list of texts, or a single one; empty where the key is absent.
    pub fn list(&mut self, name: &'static str, source: &mut Source<'_>) -> Vec<Located<String>> {
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

    /// Every entry of a table whose keys are names, in the order of the file: a text, a whole number, or a list of
    /// them.
    pub fn named_values(self, source: &mut Source<'_>) -> Vec<(Located<String>, Vec<Located<Scalar>>)> {
        let mut entries: Vec<_> = self.table.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut named = Vec::new();
        for (name, value) in entries {
            let key = self.key(name.get_ref());
            let items = match value.get_ref() {
                DeValue::Array(items) => items.iter().collect(),
                _ => vec![value],
            };
            let mut texts = Vec::new();
            for item in items {
                let line = source.line(item.span());
                match scalar(item.get_ref()) {
                    Some(value) => texts.push(Located { value, line, key: key.clone() }),
                    None => source.mistake(line, &key, "must be a text, a whole number, or a list of them"),
                }
            }
            let line = source.line(name.span());
            named.push((Located { value: name.get_ref().to_string(), line, key }, texts));
        }
        named
    }

    /// Every entry of a table whose keys are names, each a table of its own.
    pub fn named_sections(self, source: &mut Source<'_>) -> Vec<Located<Section<'i>>> {
        let mut sections = Vec::new();
        let parent = self.path;
        for (name, value) in self.table {
            let line = source.line(name.span());
            let name = name.into_inner().into_owned();
            let path = joined(&parent, &name);
            match value.into_inner() {
                DeValue::Table(table) => {
                    let value = Section { path, line, table, known: Vec::new() };
                    sections.push(Located { value, line, key: name });
                }
                _ => {
                    // Where somebody wrote the number first and the name behind it.
                    let path = text::without_numbers(&path);
                    let what = format_args!("must be a table, like [{path}] with its keys below it");
                    source.mistake(line, &path, what);
                }
            }
        }
        sections.sort_by_key(|s| s.line);
        sections
    }

    /// Every key that nobody asked for is a mistake.
    pub fn finish(self, source: &mut Source<'_>) {
        for name in self.table.iter().map(|(name, _)| name) {
            let line = source.line(name.span());
            let known = self.known.join(", ");
            let key = self.key(name.get_ref());
            source.mistake(line, &key, format_args!("unknown key; there are {known}"));
        }
    }
}

fn scalar(value: &DeValue<'_>) -> Option<Scalar> {
    match value {
        DeValue::String(text) => Some(Scalar::Text(text.to_string())),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok().map(Scalar::Integer),
        _ => None,
    }
}

/// A key with the tables it stands in.
fn joined(path: &str, name: &str) -> String {
    let name = text::escaped(name, 100);
    if path.is_empty() { name } else { [path, ".", &name].concat() }
}

/// A value's type in a sentence: an integer, a table.
fn article(value: &DeValue<'_>) -> String {
    let name = value.type_str();
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {name}")
}

/// Turns a text into its type, or names the mistake.
pub fn parse<T: FromStr<Err: fmt::Display>>(text: Located<String>, source: &mut Source<'_>) -> Option<T> {
    match text.value.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            source.mistake(text.line, &text.key, error);
            None
        }
    }
}
