use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use crate::directory::ObjectRecord;

/// What a reader said the object must, or must not, be.
pub(super) struct Conditions<'a> {
    pub(super) matching: Option<&'a ETagCondition>,
    pub(super) none_matching: Option<&'a ETagCondition>,
    pub(super) modified_since: Option<&'a Timestamp>,
    pub(super) unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    /// Judges in the order of RFC 9110, section 13.2.2: a tag outweighs a date.
    pub(super) fn check(&self, record: &ObjectRecord) -> S3Result<()> {
        let modified = timestamp(in_seconds(record.modified));
        let changed = match (self.matching, self.unmodified_since) {
            (Some(condition), _) => !holds(condition, &record.etag),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if changed {
            return Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            ));
        }
        let known = match (self.none_matching, self.modified_since) {
            (Some(condition), _) => holds(condition, &record.etag),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if known {
            let mut error = s3_error!(NotModified, "Not Modified");
            let mut headers = HeaderMap::new();
            if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", record.etag)) {
                headers.insert(header::ETAG, etag);
            }
            error.set_headers(headers);
            return Err(error);
        }
        Ok(())
    }
}

/// As S3 does, without regard to weakness: all tags here are strong.
fn holds(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(value) | ETag::Weak(value)) => value == etag,
    }
}

pub(super) fn timestamp(moment: DateTime<Utc>) -> Timestamp {
    Timestamp::from(std::time::SystemTime::from(moment))
}

/// HTTP's dates have no fractions.
fn in_seconds(moment: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(moment.timestamp(), 0).unwrap_or(moment)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http::StatusCode;

    use super::*;
    use crate::directory::ObjectHeaders;

    fn record() -> ObjectRecord {
        ObjectRecord {
            key: "k".to_owned(),
            etag: "abc".to_owned(),
            sha256: String::new(),
            modified: DateTime::from_timestamp_millis(1_700_000_000_500).unwrap(),
            sequencer: String::new(),
            headers: ObjectHeaders::default(),
            metadata: BTreeMap::new(),
        }
    }

    fn status(conditions: &Conditions<'_>) -> Option<StatusCode> {
        conditions
            .check(&record())
            .err()
            .and_then(|error| error.status_code())
    }

    const NONE: Conditions<'static> = Conditions {
        matching: None,
        none_matching: None,
        modified_since: None,
        unmodified_since: None,
    };

    #[test]
    fn tags_are_compared_and_outweigh_dates() {
        let (same, other) = ("\"abc\"".parse().unwrap(), "\"xyz\"".parse().unwrap());
        let early = timestamp(DateTime::UNIX_EPOCH);
        assert_eq!(status(&NONE), None);
        assert_eq!(
            status(&Conditions {
                matching: Some(&same),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                matching: Some(&ETagCondition::Any),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                matching: Some(&other),
                ..NONE
            }),
            Some(StatusCode::PRECONDITION_FAILED)
        );
        assert_eq!(
            status(&Conditions {
                none_matching: Some(&same),
                ..NONE
            }),
            Some(StatusCode::NOT_MODIFIED)
        );
        assert_eq!(
            status(&Conditions {
                matching: Some(&same),
                unmodified_since: Some(&early),
                ..NONE
            }),
            None
        );
    }

    #[test]
    fn dates_are_compared_by_the_second() {
        let same = timestamp(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let early = timestamp(DateTime::from_timestamp(1_699_999_999, 0).unwrap());
        assert_eq!(
            status(&Conditions {
                modified_since: Some(&same),
                ..NONE
            }),
            Some(StatusCode::NOT_MODIFIED)
        );
        assert_eq!(
            status(&Conditions {
                modified_since: Some(&early),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                unmodified_since: Some(&same),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                unmodified_since: Some(&early),
                ..NONE
            }),
            Some(StatusCode::PRECONDITION_FAILED)
        );
    }
}
