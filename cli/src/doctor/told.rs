//! The report, for people and for programs.

use serde::Serialize;

use super::{
    Report,
    finding::{Finding, Kind, Severity},
};

impl Report {
    pub(crate) fn in_words(&self) -> String {
        let mut lines = Vec::new();
        let findings = with_one_for_all_without(&self.findings);
        for finding in &findings {
            let Finding { kind, severity, place, what, remedy } = finding;
            lines.push(format!("{}: {place}: {what} ({})", severity.word(), kind.name()));
            lines.push(format!("    mend: {remedy}"));
        }
        lines.push(format!("examined: {}", self.examined.join(", ")));
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        lines.push(format!("errors: {errors}, warnings: {warnings}, notes: {}", count(Severity::Note)));
        lines.join("\n")
    }

    pub(crate) fn as_json(&self, well: bool) -> Line<'_> {
        Line {
            verdict: if well { "well" } else { "unwell" },
            findings: self.findings.iter().map(Found::of).collect(),
            examined: &self.examined,
        }
    }
}

/// The services without the phone have the same remedy, and are one finding.
fn with_one_for_all_without(findings: &[Finding]) -> Vec<Finding> {
    let is_without = |finding: &&Finding| finding.kind == Kind::ServiceWithoutMobileid;
    let names: Vec<_> = findings.iter().filter(is_without).map(|finding| finding.place.as_str()).collect();
    let mut names = Some(names.join(", "));
    let told = |finding: &Finding| {
        if !is_without(&finding) {
            return Some(finding.clone());
        }
        let what = names.take()?;
        Some(Finding { place: "without the phone".to_owned(), what, ..finding.clone() })
    };
    findings.iter().filter_map(told).collect()
}

/// The report as JSON.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    verdict: &'static str,
    findings: Vec<Found<'a>>,
    examined: &'a [String],
}

#[derive(Serialize)]
struct Found<'a> {
    name: &'static str,
    severity: Severity,
    place: &'a str,
    what: &'a str,
    remedy: &'a str,
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            name: finding.kind.name(),
            severity: finding.severity,
            place: &finding.place,
            what: &finding.what,
            remedy: &finding.remedy,
        }
    }
}
