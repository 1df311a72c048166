//! `mobileidctl identify start`: orders an identification.

use clap::Args;
use mobileid::{
    driver::srs::NoAnswer,
    srs::{
        BirthDate, Country, Email, ExternalId, Issuer, MethodName, PersonName,
        identification::{Person, Started},
    },
    subscriber::Language,
};

use super::{Session, WITH_TOKEN, answered, person::Number, table};
use crate::{Common, Exit, out};

/// Orders an identification, once, and prints where the person has to go
#[derive(Debug, Args)]
#[command(after_help = "\
A method may want some of it. What is given must be as in the person's passport.

Exit codes: 0 ordered, 1 given up, 2 could not try; then see identify status.")]
pub(crate) struct Arguments {
    /// The provider, as identify methods names it
    issuer: Issuer,
    /// Its method
    method: MethodName,
    /// All first names, as in the passport
    #[arg(long, value_name = "NAMES")]
    first_name: Option<PersonName>,
    /// All last names, as in the passport
    #[arg(long, value_name = "NAMES")]
    last_name: Option<PersonName>,
    /// Date of birth, like 1990-12-31
    #[arg(long, value_name = "DATE")]
    born: Option<BirthDate>,
    /// Two letters, like CH
    #[arg(long)]
    country: Option<Country>,
    /// Where to write to the person
    #[arg(long, value_name = "ADDRESS")]
    email: Option<Email>,
    /// en, de, fr or it
    #[arg(long)]
    language: Option<Language>,
    /// A text of yours that comes back on the bill
    #[arg(long, value_name = "TEXT")]
    external_id: Option<ExternalId>,
    #[command(flatten)]
    number: Number,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (mobile, language) = arguments.number.find(&arguments.common)?;
    let person = Person {
        first_name: arguments.first_name.clone(),
        last_name: arguments.last_name.clone(),
        born: arguments.born.clone(),
        country: arguments.country.clone(),
        mobile,
        email: arguments.email.clone(),
        language: arguments.language.or(language),
        external_id: arguments.external_id.clone(),
    };
    let mut session = Session::open(&arguments.common)?;
    let (tick, waiting) = (session.tick(), session.wait(WITH_TOKEN));
    let answer = session.desk.start(&arguments.issuer, &arguments.method, &person, &tick);
    drop(waiting);
    if matches!(answer, Err(NoAnswer::Lost(_) | NoAnswer::TimedOut | NoAnswer::Cancelled)) {
        out::say("warning: the order may have been placed all the same: ask Swisscom before ordering again");
    }
    let Some(started) = answered(answer)? else { return Ok(Exit::No) };
    if started.target_url.is_none() {
        out::say(
            "the answer has no target URL (yet): the issuer gets in touch, or Swisscom knows by the Ref ID",
        );
    }
    tell(&started, arguments.common.json)?;
    Ok(Exit::Yes)
}

fn tell(started: &Started, json: bool) -> anyhow::Result<()> {
    let url = started.target_url.as_ref().map(ToString::to_string);
    let order = started.order_id.as_ref().map(ToString::to_string);
    if json {
        let ref_id = started.ref_id.as_str();
        return out::json(&serde_json::json!({ "ref_id": ref_id, "order_id": order, "target_url": url }));
    }
    let rows = [("Ref ID", Some(started.ref_id.to_string())), ("Order ID", order), ("target URL", url)];
    out::data(&table("ordered: give the target URL to the person, and to nobody else", &rows))
}
