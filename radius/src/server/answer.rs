//! A packet that waits, and the answers that it can get.
//!
//! Every answer begins with a Message-Authenticator and ends with the request's Proxy-State, in order. What an
//! Access-Accept grants is the same on every way to it: at once, after a challenge, or joined.
//!
//! An answer that would be longer than a packet may be is [`Full`], and its login is refused: to leave out what the
//! administrator grants or restricts would let somebody in on other terms than his.

use std::sync::Arc;

use mobileid::text;

use super::Turn;
use crate::{
    authenticator::Authenticator,
    config::Client,
    duplicates::Origin,
    packet::{Builder, Code, Copied, Full, Packet, attribute},
    upstream::PassedOn,
};

/// A request that waits for its answer: all that the answer takes.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) origin: Origin,
    pub(super) authenticator: Authenticator,
    /// The client as it was when the packet came: its secret signs the answer, also after a reload.
    pub(super) client: Arc<Client>,
    proxy_states: Copied,
}

/// What an Access-Accept carries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Grant {
    /// Reply-Message.
    pub(super) text: String,
    /// The person's groups, for which the client grants attributes.
    pub(super) groups: Vec<String>,
    /// What the first factor's server granted.
    pub(super) passed_on: Vec<PassedOn>,
}

/// What an Access-Challenge carries.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// Reply-Message.
    pub(super) text: &'a str,
    pub(super) state: &'a [u8],
    /// What the first factor's server wants the client to see.
    pub(super) passed_on: &'a [PassedOn],
}

/// The longest Reply-Message: what VPN clients are known to show (they have 253 octets in one attribute).
const TEXT_MAX: usize = 250;

impl Waiter {
    pub(super) fn of(packet: &Packet<'_>, origin: Origin, client: Arc<Client>) -> Self {
        let proxy_states = Copied::of(packet, |kind| kind == attribute::PROXY_STATE);
        Self { origin, authenticator: packet.authenticator(), client, proxy_states }
    }

    pub(super) fn accept(&self, grant: &Grant, turn: &mut Turn<'_>) -> Result<Vec<u8>, Full> {
        Ok(self.granted(grant, turn)?.signed_answer(&self.client.secret))
    }

    /// Whether an accept with all of this would be a packet.
    pub(super) fn has_room_for(&self, grant: &Grant, turn: &mut Turn<'_>) -> bool {
        self.granted(grant, turn).is_ok()
    }

    fn granted(&self, grant: &Grant, turn: &mut Turn<'_>) -> Result<Builder, Full> {
        let mut builder = self.begin(Code::ACCESS_ACCEPT, &grant.text)?;
        let own = || self.client.granted(&grant.groups);
        for attribute in own() {
            attribute.write(&mut builder)?;
        }
        // What the administrator sets here goes before what the upstream says.
        let is_set = |passed: &PassedOn| {
            own().any(|own| (own.attribute.vendor, own.attribute.kind) == (passed.vendor(), passed.kind()))
        };
        let passed: Vec<_> = grant.passed_on.iter().filter(|passed| !is_set(passed)).collect();
        self.pass_on(passed.into_iter(), &mut builder, turn)?;
        self.echo(&mut builder)?;
        Ok(builder)
    }

    pub(super) fn challenge(&self, question: &Question<'_>, turn: &mut Turn<'_>) -> Result<Vec<u8>, Full> {
        let mut builder = self.begin(Code::ACCESS_CHALLENGE, question.text)?;
        builder.add(attribute::STATE, question.state)?;
        self.pass_on(question.passed_on.iter(), &mut builder, turn)?;
        self.finish(builder)
    }

    /// Without the text, where a chain of proxies has left no room for it.
    pub(super) fn reject(&self, text: &str) -> Result<Vec<u8>, Full> {
        let with = |text| self.begin(Code::ACCESS_REJECT, text).and_then(|builder| self.finish(builder));
        with(text).or_else(|Full| with(""))
    }

    /// The answer to a Status-Server (RFC 5997, section 3).
    pub(super) fn alive(&self) -> Result<Vec<u8>, Full> {
        self.begin(Code::ACCESS_ACCEPT, "").and_then(|builder| self.finish(builder))
    }

    /// The answer to an Accounting-Request, or to a Status-Server where those are taken: it carries a Response
    /// Authenticator alone (RFC 2866, section 3).
    pub(super) fn acknowledge(&self) -> Result<Vec<u8>, Full> {
        let mut builder = self.begin(Code::ACCOUNTING_RESPONSE, "")?;
        self.echo(&mut builder)?;
        Ok(builder.unsigned_answer(&self.client.secret))
    }

    fn begin(&self, code: Code, text: &str) -> Result<Builder, Full> {
        let mut builder = Builder::new(code, self.origin.identifier, self.authenticator);
        let text = cut(text);
        if !text.is_empty() {
            builder.add(attribute::REPLY_MESSAGE, text.as_bytes())?;
        }
        Ok(builder)
    }

    fn pass_on<'a>(
        &self,
        passed: impl Iterator<Item = &'a PassedOn>,
        builder: &mut Builder,
        turn: &mut Turn<'_>,
    ) -> Result<(), Full> {
        let mut passed = passed.filter(|passed| !is_ours(passed)).peekable();
        if passed.peek().is_none() {
            return Ok(());
        }
        // No two salts of a packet may be the same (RFC 2868, section 3.5), which chance would not see to.
        let mut salt = u16::from_be_bytes(turn.octets());
        for passed in passed {
            passed.write(builder, &self.client.secret, &self.authenticator, salt.to_be_bytes())?;
            salt = salt.wrapping_add(1);
        }
        Ok(())
    }

    fn finish(&self, mut builder: Builder) -> Result<Vec<u8>, Full> {
        self.echo(&mut builder)?;
        Ok(builder.signed_answer(&self.client.secret))
    }

    fn echo(&self, builder: &mut Builder) -> Result<(), Full> {
        self.proxy_states.attributes().try_for_each(|state| builder.add(state.kind, state.value))
    }
}

/// There is one Reply-Message and one State in an answer, and they are ours.
fn is_ours(passed: &PassedOn) -> bool {
    passed.vendor().is_none() && matches!(passed.kind(), attribute::REPLY_MESSAGE | attribute::STATE)
}

/// A text of a server as a person's dialog shows it: one line, nothing that hides or reorders.
pub(super) fn shown(foreign: &str) -> String {
    let plain: String =
        foreign.chars().map(|c| if text::is_unprintable(c) { ' ' } else { c }).take(TEXT_MAX).collect();
    plain.trim().to_owned()
}

/// The beginning of a text that fits, whole characters of it.
fn cut(text: &str) -> &str {
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}
