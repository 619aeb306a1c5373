use std::{fmt, io, ops::Deref, time::Duration};

use rapidphoto_api_types::Problem;

/// Error of a call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The base URL of the API is invalid.
    #[error("`{0}` is not an http or https URL")]
    InvalidUrl(String),
    /// A certificate of a trusted authority can't be read.
    #[error("the certificate of the trusted authority can't be read as PEM: {0}")]
    InvalidCa(String),
    /// The API rejected the request.
    #[error("the API responded with status {}: {} ({})", .0.status, Texts(.0), .0.code)]
    Problem(Box<ProblemResponse>),
    /// Storage rejected the request.
    #[error("storage responded with status {status}: {body}")]
    Storage {
        /// HTTP status.
        status: u16,
        /// First 400 characters of the response.
        body: String,
        /// Time to wait before the next attempt, from `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Storage stored a part, but its response has no entity tag, which is needed to complete the upload.
    #[error("the response of storage to part {0} has no ETag")]
    NoETag(u32),
    /// No byte was transferred for a minute.
    #[error("the transfer stalled: no byte in {} s", .0.as_secs())]
    Stalled(Duration),
    /// A file to upload can't be read, or one to download can't be written.
    #[error("the file can't be read or written")]
    File(#[source] io::Error),
    /// The file to upload has another size than declared.
    #[error("the file had {declared} bytes and now has {actual}")]
    Changed {
        /// Declared size in bytes.
        declared: u64,
        /// Present size in bytes.
        actual: u64,
    },
    /// The tokens can't be loaded from or stored in their [`TokenStore`](crate::TokenStore).
    #[error("the tokens can't be loaded or stored")]
    TokenStore(#[source] io::Error),
    /// The item of a photo contains no URL, because its file need not be uploaded any more.
    #[error("the item of photo {0} contains no upload URL: its file need not be uploaded any more")]
    NoUploadUrl(String),
    /// The body of a successful response or of an event does not match the API.
    #[error("the response of the API is malformed")]
    MalformedResponse(#[source] serde_json::Error),
    /// The response has an error status without problem details, so it is not from the API; perhaps from a proxy.
    #[error("the response with status {0} contains no problem details, so it is not from the API")]
    UnexpectedResponse(u16),
    /// The request failed without a complete response.
    #[error("the request failed without a complete response")]
    Transport(#[from] reqwest::Error),
}

/// Problem details of a response, and the header that belongs to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemResponse {
    /// Body of the response.
    pub problem: Problem,
    /// Time to wait before the next attempt, from `Retry-After`.
    pub retry_after: Option<Duration>,
}

impl Deref for ProblemResponse {
    type Target = Problem;

    fn deref(&self) -> &Problem {
        &self.problem
    }
}

/// Explanation of a problem with those of its errors.
struct Texts<'a>(&'a Problem);

impl fmt::Display for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        for error in &self.0.errors {
            write!(f, " {}: {}", error.pointer, error.message)?;
        }
        Ok(())
    }
}

impl ClientError {
    /// Stable code of the problem, if the API responded with one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// Returns true if the same request may succeed later: the connection failed, the server is overloaded or restarts, or a
    /// rate was exceeded.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Problem(problem) => is_transient_status(problem.status),
            // 409: another request with the same key was in progress.
            Self::Storage { status, .. } => *status == 409 || is_transient_status(*status),
            Self::UnexpectedResponse(status) => is_transient_status(*status),
            Self::Transport(error) => !error.is_builder() && !error.is_redirect(),
            Self::Stalled(_) => true,
            _ => false,
        }
    }

    /// Time that the server asked to wait before the next attempt.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) => problem.retry_after,
            Self::Storage { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Request timeout, too many requests, and errors of servers and proxies that pass. 501 and 507 do not pass by waiting.
const fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}
