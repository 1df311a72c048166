//! Who is to be enrolled: somebody whom a directory knows, or somebody new with a number that the administrator gives.

use anyhow::anyhow;
use mobileid::{
    directory::{Lookup, USERS},
    driver::{
        blocking::World as _,
        directories::{self, GivenUp},
    },
    subscriber::{self, Msisdn, Subscriber},
    text,
};

use super::{
    Enrolment, Stop, not_entered,
    refusal::Refusal,
    table::{self, NewEntry, Table},
};
use crate::{patience, progress::Bound};

/// Somebody who was found, or is to be entered.
pub(super) struct Person {
    pub(super) subscriber: Subscriber,
    /// The entry that is still to be written.
    pub(super) new: Option<(Table, NewEntry)>,
}

impl Enrolment<'_> {
    /// Who it is about, with the serial number that is known.
    pub(super) fn find(&mut self) -> Result<Person, Stop> {
        let user = &self.arguments.user;
        let bound = patience::of_directories(&self.setup.directories, patience::PATIENCE);
        self.terminal.wait("the directories", bound);
        let found = {
            let terminal = &mut self.terminal;
            let tick = terminal.tick();
            directories::lookup_told(
                &self.setup.directories,
                user,
                &tick,
                patience::until(),
                |directory, answer| {
                    let line = directories::passed_over(directory, answer, user);
                    line.iter().for_each(|line| terminal.step(line));
                },
            )
        };
        self.terminal.waited();
        let found = found.map_err(|GivenUp| Refusal::GivenUp)?;
        let (found, new) = match (found, &self.arguments.msisdn) {
            (Lookup::NotEnrolled, Some(msisdn)) => {
                let (subscriber, new) = self.newcomer(msisdn)?;
                (Lookup::Found(subscriber), Some(new))
            }
            (found, _) => (found, None),
        };
        let found = self.pins.complete(found, self.setup.config.serial);
        let found = found.map_err(|withheld| anyhow!("{}", text::escaped(&withheld.detail, 600)))?;
        self.terminal.looked_up(&found);
        let subscriber = match found {
            Lookup::Found(subscriber) => subscriber,
            Lookup::NotEnrolled => {
                return Err(Refusal::NotEnrolled { has_table: self.table.is_some() }.into());
            }
            Lookup::Barred(why) => return Err(Refusal::AccountDisabled(text::foreign(&why, 300)).into()),
            Lookup::Unavailable(why) => return Err(anyhow!("{}", text::foreign(&why, 600)).into()),
        };
        match &self.arguments.msisdn {
            Some(given) if *given != subscriber.msisdn => {
                let (directory, number) = (subscriber.entry.directory, subscriber.msisdn);
                Err(Refusal::OtherNumber { directory, number }.into())
            }
            _ => Ok(Person { subscriber, new }),
        }
    }

    /// Somebody new. Whether she can be entered is seen now, and not when her phone has rung.
    fn newcomer(&mut self, msisdn: &Msisdn) -> Result<(Subscriber, (Table, NewEntry)), Stop> {
        let user = &self.arguments.user;
        let language = self.arguments.language;
        let Some(path) = &self.table else {
            let config = self.arguments.common.config.display();
            return Err(anyhow!(
                "{config}: there is no users.table to enter anybody in: enter the person in a directory"
            )
            .into());
        };
        let table = Table::at(path).map_err(anyhow::Error::msg)?;
        let new = NewEntry { user: user.clone(), msisdn: msisdn.clone(), language };
        self.terminal.wait("the table", Bound::AtMost(table::PATIENCE));
        let checked = table.check(&new);
        self.terminal.waited();
        checked.map_err(|why| not_entered(&table, why))?;
        let subscriber = Subscriber {
            msisdn: msisdn.clone(),
            language,
            serial: None,
            profile: None,
            groups: Vec::new(),
            entry: subscriber::Entry { directory: USERS.to_owned(), id: user.to_string() },
        };
        Ok((subscriber, (table, new)))
    }
}
