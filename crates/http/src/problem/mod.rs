//! Problem responses (`application/problem+json`, RFC 9457).

pub(crate) mod kinds;

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use rapidphoto_api_types::{Problem as ProblemBody, ProblemDetail};
use rapidphoto_application::{
    auth::TicketError,
    commit::{Contended, WriteError},
    live::WatchError,
    ports::{BoxError, Unavailable},
    uploads::OpenUploadError,
};
use rapidphoto_domain::photo::PhotoStatus;

use kinds::Kind;

/// Media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Maximum number of characters in a text that may quote the client's input.
pub(crate) const MAX_MESSAGE: usize = 300;

/// Recommended wait when a dependency is unavailable.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(2);
/// `Retry-After` of contention.
const RETRY_CONTENDED: Duration = Duration::from_secs(1);

/// Error of a request, from a use case or from the handler itself.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: &'static Kind,
    detail: Option<String>,
    errors: Vec<ProblemDetail>,
    usage: Option<(u64, u64)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<BoxError>,
}

impl Problem {
    pub(crate) const fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            usage: None,
            headers: Vec::new(),
            source: None,
        }
    }

    /// A problem at one place of the request, with the code and the text of its kind.
    pub(crate) fn at(kind: &'static Kind, pointer: &str) -> Self {
        Self::new(kind).error_at(pointer, kind.code, kind.detail)
    }

    /// An unexpected error of the server. The client does not see the source.
    pub(crate) fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(kinds::INTERNAL).source(source)
    }

    /// A token or ticket that is not valid, as RFC 6750 demands.
    pub(crate) fn invalid_token(kind: &'static Kind) -> Self {
        Self::new(kind).challenge("Bearer realm=\"rapidphoto\", error=\"invalid_token\"")
    }

    /// Replaces the text of the kind by one for this occurrence.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds an error at one place of the request: a JSON pointer into the body, or the name of a parameter or header.
    pub(crate) fn error_at(
        mut self,
        pointer: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        self.errors.push(ProblemDetail {
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
        });
        self
    }

    /// Number of errors at places of the request.
    pub(crate) const fn errors(&self) -> usize {
        self.errors.len()
    }

    /// Adds the used and the allowed amount of the limit that the request has met.
    pub(crate) fn usage(mut self, used: u64, allowed: u64) -> Self {
        self.usage = Some((used, allowed));
        self
    }

    /// Adds the source error, which is logged and not sent.
    pub(crate) fn source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a header. A value that is not allowed in headers is left out.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Problem of a photo that awaits no bytes.
    pub(crate) fn upload_ended(status: PhotoStatus) -> Self {
        Self::new(kinds::UPLOAD_ENDED).detail(format!(
            "The photo is {status} and awaits no bytes. {}",
            ended_advice(status)
        ))
    }

    /// Adds `WWW-Authenticate`, which every 401 must have.
    pub(crate) fn challenge(self, challenge: &str) -> Self {
        self.with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// Adds `Retry-After`, in whole seconds, at least one.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.with_header(header::RETRY_AFTER, &whole_seconds(wait).to_string())
    }

    pub(crate) const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Error that caused this problem.
    pub(crate) fn cause(&self) -> Option<&BoxError> {
        self.source.as_ref()
    }

    /// Response to the client.
    pub(crate) fn response(&self, request_id: &str) -> HttpResponse {
        let status = self.status_code();
        let body = ProblemBody {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone().unwrap_or_else(|| self.kind.detail.to_owned()),
            code: self.kind.code.to_owned(),
            errors: self.errors.clone(),
            used: self.usage.map(|(used, _)| used),
            allowed: self.usage.map(|(_, allowed)| allowed),
            request_id: request_id.to_owned(),
        };
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.clone()));
        }
        response
            .content_type(PROBLEM_JSON)
            .body(serde_json::to_vec(&body).unwrap_or_default())
    }
}

/// Advice to a client about a photo that awaits no bytes.
const fn ended_advice(status: PhotoStatus) -> &'static str {
    match status {
        PhotoStatus::Queued | PhotoStatus::Uploading => "Its file is in storage: finalize the upload.",
        PhotoStatus::Failed => "Renew or retry it to send its file again.",
        PhotoStatus::Verifying
        | PhotoStatus::Processing
        | PhotoStatus::Completed
        | PhotoStatus::Rejected
        | PhotoStatus::Cancelled => "Nothing is to be sent.",
    }
}

/// Seconds, rounded up, at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let up = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(up).max(1)
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        Self::new(kinds::UNAVAILABLE)
            .detail(format!(
                "{} can't be reached; try again.",
                capitalized(unavailable.what)
            ))
            .source(unavailable)
            .retry_after(RETRY_UNAVAILABLE)
    }
}

impl From<Contended> for Problem {
    fn from(contended: Contended) -> Self {
        Self::new(kinds::CONTENDED)
            .detail(format!(
                "{} was changed concurrently; try again.",
                capitalized(contended.subject)
            ))
            .source(contended)
            .retry_after(RETRY_CONTENDED)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
        }
    }
}

impl From<OpenUploadError> for Problem {
    fn from(error: OpenUploadError) -> Self {
        match error {
            OpenUploadError::NoSuchPhoto => Self::new(kinds::NO_SUCH_PHOTO),
            OpenUploadError::NotInParts => Self::new(kinds::NOT_MULTIPART),
            OpenUploadError::UploadEnded(status) => Self::upload_ended(status),
            OpenUploadError::Contended(contended) => contended.into(),
            OpenUploadError::Unavailable(unavailable) => unavailable.into(),
            other => Self::internal(other),
        }
    }
}

impl From<TicketError> for Problem {
    fn from(error: TicketError) -> Self {
        match error {
            TicketError::NoSuchJob => Self::new(kinds::NO_SUCH_JOB),
            TicketError::Rejected => Self::invalid_token(kinds::INVALID_TICKET),
            TicketError::Unavailable(unavailable) => unavailable.into(),
            other => Self::internal(other),
        }
    }
}

impl From<WatchError> for Problem {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::NoSuchJob => Self::new(kinds::NO_SUCH_JOB),
            WatchError::Unavailable(unavailable) => unavailable.into(),
            other => Self::internal(other),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Placeholder: the middleware replaces it by a response with the request's id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
