//! Attributes that the configuration names: those that an Access-Accept carries, and those that pass through.

use mobileid::config::{
    Located,
    reader::{Scalar, Section, Source},
};

use crate::{
    dictionary::{self, Definition, Given, Syntax},
    packet::{Builder, Full},
    upstream::PassedOn,
};

/// An attribute of an Access-Accept, with its value as the packet has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReplyAttribute {
    /// Which attribute.
    pub attribute: Definition,
    /// Its value.
    pub octets: Vec<u8>,
}

impl ReplyAttribute {
    /// Adds it to a packet.
    ///
    /// # Errors
    /// [`Full`]: it does not fit any more.
    pub fn write(&self, builder: &mut Builder) -> Result<(), Full> {
        self.attribute.write(&self.octets, builder)
    }
}

/// Which of an upstream's attributes are handed to the client.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PassList(Vec<(Option<u32>, u8)>);

impl PassList {
    /// Whether an attribute is handed on: it is listed, or an accepted MS-CHAP login is worth nothing without it.
    #[must_use]
    pub fn admits(&self, attribute: &PassedOn) -> bool {
        attribute.completes_ms_chap() || self.0.contains(&(attribute.vendor(), attribute.kind()))
    }
}

/// `[client.accept]`, or the same for a group.
pub(super) fn read_reply(section: Section<'_>, source: &mut Source<'_>) -> Vec<ReplyAttribute> {
    let mut attributes = Vec::new();
    for (name, values) in section.named_values(source) {
        match dictionary::attribute(&name.value) {
            Ok(attribute) => values.iter().for_each(|value| match attribute.encode(given(&value.value)) {
                Ok(octets) => attributes.push(ReplyAttribute { attribute, octets }),
                Err(bad) => source.mistake(value.line, &value.key, bad),
            }),
            Err(unknown) => source.mistake(name.line, &name.key, unknown),
        }
    }
    attributes
}

fn given(value: &Scalar) -> Given<'_> {
    match value {
        Scalar::Text(text) => Given::Text(text),
        Scalar::Integer(number) => Given::Integer(*number),
    }
}

/// `pass = [...]`.
pub(super) fn read_pass(names: Vec<Located<String>>, source: &mut Source<'_>) -> PassList {
    let mut listed = Vec::new();
    for Located { value: name, line, key } in names {
        match dictionary::attribute(&name) {
            Ok(Definition { syntax: Syntax::Reserved, .. }) => {
                let what = format_args!(
                    "{name} is the responder's own, or belongs to a request: it is not passed on"
                );
                source.mistake(line, &key, what);
            }
            Ok(attribute) => listed.push((attribute.vendor, attribute.kind)),
            Err(unknown) => source.mistake(line, &key, unknown),
        }
    }
    // However they are listed, the same attributes are the same list.
    listed.sort_unstable();
    listed.dedup();
    PassList(listed)
}
