use rapidphoto_api_types as api;
use rapidphoto_domain::photo::{FailureReason, Finding, Measure, PhotoState};
use serde_json::Value;

/// Finding of a check.
pub(crate) fn finding(finding: &Finding) -> api::Reason {
    api::Reason {
        code: finding.check.code().to_owned(),
        message: finding.check.message().to_owned(),
        measured: finding.measured.as_ref().map(measure),
        allowed: finding.allowed.as_ref().map(measure),
        photo_id: finding.photo.map(|photo| photo.to_string()),
    }
}

/// Reason of a failed photo.
pub(crate) fn failure(reason: FailureReason) -> api::Reason {
    api::Reason {
        code: reason.code().to_owned(),
        message: reason.message().to_owned(),
        measured: None,
        allowed: None,
        photo_id: None,
    }
}

/// Reasons of a rejected or failed photo; empty for other states.
pub(super) fn reasons(state: &PhotoState) -> Vec<api::Reason> {
    match state {
        PhotoState::Rejected { reasons } => reasons.iter().map(finding).collect(),
        PhotoState::Failed { reason } => vec![failure(*reason)],
        PhotoState::Queued
        | PhotoState::Uploading
        | PhotoState::Verifying
        | PhotoState::Processing { .. }
        | PhotoState::Completed { .. }
        | PhotoState::Cancelled => Vec::new(),
    }
}

/// Findings in a completed photo that did not reject it; empty for other states.
pub(super) fn warnings(state: &PhotoState) -> Vec<api::Reason> {
    match state {
        PhotoState::Completed { result } => result.warnings.iter().map(finding).collect(),
        PhotoState::Queued
        | PhotoState::Uploading
        | PhotoState::Verifying
        | PhotoState::Processing { .. }
        | PhotoState::Rejected { .. }
        | PhotoState::Failed { .. }
        | PhotoState::Cancelled => Vec::new(),
    }
}

fn measure(measure: &Measure) -> Value {
    match measure {
        Measure::Count(count) => Value::from(*count),
        Measure::Quantity(quantity) => Value::from(*quantity),
        Measure::Name(name) => Value::from(name.as_str()),
    }
}
