use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Problem details of a failed request (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// URI of the problem type; `about:blank` if `code` is sufficient.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// Reason phrase of the HTTP status.
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    /// HTTP status code.
    #[schema(example = 422)]
    pub status: u16,
    /// Explanation of this occurrence of the problem, for people.
    pub detail: String,
    /// Stable code of the problem, for programs.
    #[schema(example = "invalid_files")]
    pub code: String,
    /// Errors in individual parts of the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemDetail>,
    /// Used amount of the limit that the request has met, if it is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
    /// Allowed amount of that limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<u64>,
    /// Identifier of the request, which the logs of the server contain, too.
    pub request_id: String,
}

/// Error in one part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetail {
    /// JSON pointer into the body (RFC 6901), or the name of a parameter or header.
    #[schema(example = "/files/0/mimeType")]
    pub pointer: String,
    /// Stable code of the error, for programs.
    #[schema(example = "unsupported_type")]
    pub code: String,
    /// Explanation of the error, for people.
    pub message: String,
}
