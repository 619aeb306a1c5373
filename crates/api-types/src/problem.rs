use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URI for the kind of problem; `about:blank` where the code says it all.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    /// The HTTP status' name.
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// What happened this time, for people.
    pub detail: String,
    /// The kind of problem, for programs; it never changes.
    #[schema(example = "invalid_files")]
    pub code: String,
    /// What is wrong where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemDetail>,
    /// Names the request in the server's logs.
    pub request_id: String,
}

/// What is wrong in one place of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetail {
    /// Where: a JSON pointer into the body (RFC 6901), or the name of a parameter or header.
    #[schema(example = "/files/0/mimeType")]
    pub pointer: String,
    /// What, for programs.
    #[schema(example = "unsupported_type")]
    pub code: String,
    /// What, for people.
    pub message: String,
}
