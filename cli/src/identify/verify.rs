//! `mobileidctl identify verify`: is there evidence that a number is a person's, of the level that is needed?

use anyhow::{Context as _, bail};
use clap::Args;
use mobileid::srs::{
    Basis, ClaimedIdentity, Country, DistinguishedName, Jurisdiction, Level, Needed, PersonName,
    evidence::{Finding, Question, require},
};

use super::{ONE, Session, answered, person::Number, table};
use crate::{Common, Exit, out};

/// Asks whether there is evidence that a number is a person's
#[derive(Debug, Args)]
#[command(after_help = "\
The name is that of the evidence, so that of the passport, to the letter.

Exit codes: 0 there is, 1 there is not, or not enough, 2 could not try.")]
pub(crate) struct Arguments {
    #[command(flatten)]
    number: Number,
    #[command(flatten)]
    named: Named,
    /// Under this law: zertes or eidas
    #[arg(long, value_name = "LAW")]
    jurisdiction: Option<Jurisdiction>,
    /// For this customer of the All-in Signing Service
    #[arg(long, value_name = "NAME", conflicts_with = "jurisdiction")]
    claimed_identity: Option<ClaimedIdentity>,
    /// Of this level at least, 3 or 4
    #[arg(long)]
    level: Option<Level>,
    #[command(flatten)]
    common: Common,
}

/// The person whose evidence it must be.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// All first names, as in the passport
    #[arg(long, value_name = "NAMES")]
    first_name: Option<PersonName>,
    /// All last names, as in the passport
    #[arg(long, value_name = "NAMES")]
    last_name: Option<PersonName>,
    /// Two letters, like CH
    #[arg(long)]
    country: Option<Country>,
    /// The distinguished name instead
    #[arg(long, value_name = "DN", conflicts_with_all = ["first_name", "last_name", "country"])]
    name: Option<DistinguishedName>,
}

/// What is said where a name is needed and none was given.
pub(crate) const WHOSE: &str = "whose name? Give --first-name, --last-name and --country, or --name";

impl Named {
    /// The name; None where none was given.
    ///
    /// # Errors
    /// A part of it is missing.
    pub(crate) fn given(&self) -> anyhow::Result<Option<DistinguishedName>> {
        match (&self.name, &self.first_name, &self.last_name, &self.country) {
            (Some(name), ..) => Ok(Some(name.clone())),
            (None, None, None, None) => Ok(None),
            (None, Some(first), Some(last), Some(country)) => {
                Ok(Some(DistinguishedName::of(first, last, country)))
            }
            _ => bail!(WHOSE),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let name = arguments.named.given()?.context(WHOSE)?;
    let (msisdn, _) = arguments.number.find(&arguments.common)?;
    let msisdn = msisdn.context("whose number? Give --mobile or --user")?;
    let mut session = Session::open(&arguments.common)?;
    let needed = arguments.needed(&session.registration.needed);
    let question = Question { msisdn, name, needed };
    let (tick, waiting) = (session.tick(), session.wait(ONE));
    let finding = session.desk.verify(&question, &tick);
    drop(waiting);
    let Some(finding) = answered(finding)? else { return Ok(Exit::No) };
    // The same door that enrolment goes through.
    let evidence = match &finding {
        Finding::Valid(evidence) => Some(evidence),
        Finding::Without(..) => None,
    };
    let enough = require(evidence, &question.msisdn, &question.needed).is_ok();
    tell(&question, &finding, arguments.common.json)?;
    Ok(Exit::of(enough))
}

impl Arguments {
    fn needed(&self, configured: &Needed) -> Needed {
        let basis = match (&self.claimed_identity, self.jurisdiction) {
            (Some(identity), _) => Basis::ClaimedIdentity(identity.clone()),
            (None, Some(jurisdiction)) => Basis::Jurisdiction(jurisdiction),
            (None, None) => configured.basis.clone(),
        };
        Needed { basis, level: self.level.unwrap_or(configured.level) }
    }
}

fn tell(question: &Question, finding: &Finding, json: bool) -> anyhow::Result<()> {
    let (mobile, level) = (question.msisdn.to_string(), question.needed.level.digit());
    let basis = question.needed.basis.to_string();
    match finding {
        Finding::Valid(evidence) if json => {
            let id = evidence.id().as_str();
            out::json(&serde_json::json!({
                "verdict": "valid", "evidence_id": id, "mobile": mobile, "basis": basis, "level": level,
            }))
        }
        Finding::Without(refusal, detail) if json => out::json(&serde_json::json!({
            "verdict": "without", "reason": refusal.name(), "detail": detail, "mobile": mobile, "basis": basis,
            "level": level,
        })),
        Finding::Valid(evidence) => {
            let rows = [
                ("evidence ID", Some(evidence.id().to_string())),
                ("mobile", Some(mobile)),
                ("good for", Some(format!("{basis}, level {level}"))),
            ];
            out::data(&table("valid", &rows))
        }
        Finding::Without(refusal, detail) => {
            let said = Some(detail.clone()).filter(|detail| !detail.is_empty());
            let asked = Some(format!("{mobile}, {basis}, level {level}"));
            out::data(&table(&refusal.to_string(), &[("asked for", asked), ("it says", said)]))
        }
    }
}
