use chrono::{DateTime, Utc};
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Result, s3_error};

use crate::directory::ObjectRecord;

/// Conditional headers of GET and HEAD.
#[expect(clippy::struct_field_names, reason = "the fields are named after the headers")]
pub(super) struct Conditions<'a> {
    pub(super) if_match: Option<&'a ETagCondition>,
    pub(super) if_none_match: Option<&'a ETagCondition>,
    pub(super) if_modified_since: Option<&'a Timestamp>,
    pub(super) if_unmodified_since: Option<&'a Timestamp>,
}

impl Conditions<'_> {
    /// Evaluates the conditions by the precedence of RFC 9110, section 13.2.2: an ETag takes precedence over a date.
    pub(super) fn check(&self, record: &ObjectRecord) -> S3Result<()> {
        let modified = timestamp(truncate_to_seconds(record.modified));
        let failed = match (self.if_match, self.if_unmodified_since) {
            (Some(condition), _) => !etag_matches(condition, &record.etag),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if failed {
            return Err(s3_error!(
                PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold"
            ));
        }
        let not_modified = match (self.if_none_match, self.if_modified_since) {
            (Some(condition), _) => etag_matches(condition, &record.etag),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if not_modified {
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

/// Ignores whether the condition's ETag is weak, as S3 does: each object's ETag is strong.
fn etag_matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(ETag::Strong(value) | ETag::Weak(value)) => value == etag,
    }
}

pub(super) fn timestamp(moment: DateTime<Utc>) -> Timestamp {
    Timestamp::from(std::time::SystemTime::from(moment))
}

/// HTTP dates have no fractions of a second.
fn truncate_to_seconds(moment: DateTime<Utc>) -> DateTime<Utc> {
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
            checksums: crate::directory::Checksums::new(),
            creation: crate::directory::Creation::Put,
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
        if_match: None,
        if_none_match: None,
        if_modified_since: None,
        if_unmodified_since: None,
    };

    #[test]
    fn etags_are_compared_and_take_precedence_over_dates() {
        let (same, other) = ("\"abc\"".parse().unwrap(), "\"xyz\"".parse().unwrap());
        let early = timestamp(DateTime::UNIX_EPOCH);
        assert_eq!(status(&NONE), None);
        assert_eq!(
            status(&Conditions {
                if_match: Some(&same),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                if_match: Some(&ETagCondition::Any),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                if_match: Some(&other),
                ..NONE
            }),
            Some(StatusCode::PRECONDITION_FAILED)
        );
        assert_eq!(
            status(&Conditions {
                if_none_match: Some(&same),
                ..NONE
            }),
            Some(StatusCode::NOT_MODIFIED)
        );
        assert_eq!(
            status(&Conditions {
                if_match: Some(&same),
                if_unmodified_since: Some(&early),
                ..NONE
            }),
            None
        );
    }

    #[test]
    fn dates_are_compared_in_whole_seconds() {
        let same = timestamp(DateTime::from_timestamp(1_700_000_000, 0).unwrap());
        let early = timestamp(DateTime::from_timestamp(1_699_999_999, 0).unwrap());
        assert_eq!(
            status(&Conditions {
                if_modified_since: Some(&same),
                ..NONE
            }),
            Some(StatusCode::NOT_MODIFIED)
        );
        assert_eq!(
            status(&Conditions {
                if_modified_since: Some(&early),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                if_unmodified_since: Some(&same),
                ..NONE
            }),
            None
        );
        assert_eq!(
            status(&Conditions {
                if_unmodified_since: Some(&early),
                ..NONE
            }),
            Some(StatusCode::PRECONDITION_FAILED)
        );
    }
}
