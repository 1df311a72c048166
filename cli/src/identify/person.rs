//! Whose number it is about: given, or looked up.

use anyhow::bail;
use clap::Args;
use mobileid::{
    directory::Lookup,
    driver::directories::{self, GivenUp},
    load,
    subscriber::{Language, Msisdn, UserName},
    text,
};

use crate::{Common, out, patience, progress::Progress};

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
    /// The number, and the user's language where it came from a directory.
    ///
    /// # Errors
    /// The user has none.
    pub(super) fn find(&self, common: &Common) -> anyhow::Result<(Option<Msisdn>, Option<Language>)> {
        let Some(user) = &self.user else { return Ok((self.mobile.clone(), None)) };
        let directories = load::load(&common.config)?.directories;
        let (tick, until) = (patience::tick(), patience::until());
        let name = text::escaped(user.as_str(), 60);
        let waiting = patience::shown(Progress::unless(common.json), &directories);
        let found = directories::lookup_told(&directories, user, &tick, until, |directory, answer| {
            let line = directories::passed_over(directory, answer, user);
            line.iter().for_each(|line| out::say(line));
        });
        drop(waiting);
        match found {
            Ok(Lookup::Found(found)) => Ok((Some(found.msisdn), found.language)),
            Ok(Lookup::NotEnrolled) => bail!("{name}: in no directory"),
            Ok(Lookup::Barred(why) | Lookup::Unavailable(why)) => {
                bail!("{name}: {}", text::escaped(&why, 300))
            }
            Err(GivenUp) => bail!("{name}: given up"),
        }
    }
}
