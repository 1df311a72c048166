//! Whose number it is about: given, or looked up.

use anyhow::bail;
use clap::Args;
use mobileid::{
    directory::Lookup,
    load,
    subscriber::{Language, Msisdn, UserName},
    text,
};

use crate::Common;

/// A number, or the user whose number it is.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct Number {
    /// The number, internationally
    #[arg(long, value_name = "NUMBER")]
    mobile: Option<Msisdn>,
    /// Take number and language of this user
    #[arg(long)]
    user: Option<UserName>,
}

impl Number {
    /// The number, and the user's language where it came from the user table.
    ///
    /// # Errors
    /// The user has none.
    pub(super) fn find(&self, common: &Common) -> anyhow::Result<(Option<Msisdn>, Option<Language>)> {
        let Some(user) = &self.user else { return Ok((self.mobile.clone(), None)) };
        match load::load(&common.config)?.users.lookup(user) {
            Lookup::Found(found) => Ok((Some(found.msisdn), found.language)),
            Lookup::NotEnrolled => bail!("{}: not in the user table", text::escaped(user.as_str(), 60)),
            Lookup::Unavailable(why) => bail!("the user table cannot be asked: {}", text::escaped(&why, 300)),
        }
    }
}
