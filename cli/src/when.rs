//! Points in time, as they are written and read.

use std::time::{Duration, SystemTime};

use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::BorrowedFormatItem,
    format_description::well_known::Rfc3339, macros::format_description,
};

const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
const SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
/// RFC 9110, 5.6.7; the other two forms are for the last century.
const HTTP_DATE: &[BorrowedFormatItem<'_>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");

/// `2038-11-24`, in UTC.
pub(crate) fn day(at: SystemTime) -> String {
    written(at, DAY)
}

/// `2038-11-24T12:00:00Z`.
pub(crate) fn rfc3339(at: SystemTime) -> String {
    written(at, SECOND)
}

fn written(at: SystemTime, form: &[BorrowedFormatItem<'_>]) -> String {
    // Formats a time that the type can hold; a certificate may name one that it cannot.
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(since)
        .ok()
        .and_then(|since| OffsetDateTime::from_unix_timestamp(since).ok())
        .and_then(|at| at.format(form).ok())
        .unwrap_or_else(|| "after 9999".to_owned())
}

/// Reads RFC 3339, e.g. `2024-07-02T08:30:00Z`.
pub(crate) fn parse_rfc3339(text: &str) -> Result<SystemTime, String> {
    let at =
        OffsetDateTime::parse(text, &Rfc3339).map_err(|_| "must be like 2024-07-02T08:30:00Z".to_owned())?;
    after_epoch(at).ok_or_else(|| "must be after 1970".to_owned())
}

/// Reads the Date header of an HTTP answer.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    PrimitiveDateTime::parse(text, HTTP_DATE).ok().and_then(|at| after_epoch(at.assume_utc()))
}

fn after_epoch(at: OffsetDateTime) -> Option<SystemTime> {
    let since = Duration::new(u64::try_from(at.unix_timestamp()).ok()?, at.nanosecond());
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Whole days from `from` until `to`; negative once it has passed.
pub(crate) fn days(from: SystemTime, to: SystemTime) -> i64 {
    const DAY: u64 = 24 * 60 * 60;
    let whole = |time: Duration| i64::try_from(time.as_secs() / DAY).unwrap_or(i64::MAX);
    match to.duration_since(from) {
        Ok(left) => whole(left),
        Err(over) => -whole(over.duration()) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn times_are_read_and_written() {
        assert_eq!(parse_rfc3339("2024-07-02T10:30:00+02:00"), Ok(at(1_719_909_000)));
        assert_eq!(rfc3339(at(1_719_909_000)), "2024-07-02T08:30:00Z");
        assert_eq!(day(at(1_719_909_000)), "2024-07-02");
        assert_eq!(parse_http_date("Tue, 02 Jul 2024 08:30:00 GMT"), Some(at(1_719_909_000)));
        assert_eq!(parse_http_date("yesterday"), None);
        assert_eq!(parse_rfc3339("9999-12-31T23:59:59Z"), Ok(at(253_402_300_799)));
        assert_eq!(day(at(1 << 40)), "after 9999");
        for bad in ["2024-07-02", "2024-07-02 08:30", "1960-01-01T00:00:00Z", "now", ""] {
            assert!(parse_rfc3339(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_day_that_has_begun_to_be_over_is_over() {
        assert_eq!(days(at(0), at(86_400)), 1);
        assert_eq!(days(at(0), at(86_399)), 0);
        assert_eq!(days(at(1), at(0)), -1);
    }
}
