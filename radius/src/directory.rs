//! The first factor at a directory: is this password the user's? In the words of an upstream, so that the responder
//! hears the same whoever has judged.

use std::{sync::Arc, time::Instant};

use mobileid::driver::{
    Tick,
    directories::GivenUp,
    ldap::{self, Judged},
};

use crate::{aside::Aside, config::Settings, server::Password, upstream::Answer};

/// Asks.
pub async fn judge(aside: &Aside, settings: Arc<Settings>, asked: Password) -> Answer {
    let begun = Instant::now();
    let by = begun.checked_add(asked.within).unwrap_or(begun);
    let judged = aside.carry_out(move |tick| at_directory(&settings, &asked, tick, by)).await;
    judged.unwrap_or_else(|| Answer::Silent("asking the directory came to no end".to_owned()))
}

fn at_directory(settings: &Settings, asked: &Password, tick: &Tick, by: Instant) -> Answer {
    let Some((name, directory)) =
        settings.setup.directories.ldap().find(|(name, _)| *name == asked.directory)
    else {
        return Answer::Silent(format!("there is no directory {}", asked.directory));
    };
    match ldap::judge(directory, &asked.user, &asked.password, tick, by) {
        Ok(Judged::Right) => Answer::Accept { attributes: Vec::new() },
        Ok(Judged::Wrong) => Answer::Reject { reply_message: None },
        Ok(Judged::Away(why)) => Answer::Silent(format!("{name}: {why}")),
        Err(GivenUp) => Answer::Silent(format!("{name}: given up")),
    }
}
