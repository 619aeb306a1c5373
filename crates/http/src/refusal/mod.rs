//! Why a request was not done: from a use case's error, or a handler's own finding, to `application/problem+json`.

pub(crate) mod kinds;

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use rapidphoto_api_types::{Problem, ProblemDetail};
use rapidphoto_application::{
    commit::{Contended, WriteError},
    ports::{BoxError, Unavailable},
};

use kinds::Kind;

/// A request that was not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    kind: &'static Kind,
    detail: Option<String>,
    errors: Vec<ProblemDetail>,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<BoxError>,
}

/// The media type of problems.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long clients are told to wait when something can't be reached.
const RETRY_UNAVAILABLE: Duration = Duration::from_secs(2);
/// `Retry-After` when other writers were faster each time.
const RETRY_CONTENDED: Duration = Duration::from_secs(1);

impl Refusal {
    /// A refusal of this kind.
    pub(crate) const fn new(kind: &'static Kind) -> Self {
        Self {
            kind,
            detail: None,
            errors: Vec::new(),
            headers: Vec::new(),
            source: None,
        }
    }

    /// A refusal that needs no help from outside: the server itself is wrong.
    pub(crate) fn internal(source: impl Into<BoxError>) -> Self {
        Self::new(kinds::INTERNAL).because(source)
    }

    /// Says what happened this time.
    pub(crate) fn saying(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what is wrong in one place: a JSON pointer, or the name of a parameter or header.
    pub(crate) fn at(
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

    /// Keeps the cause, for the log alone.
    pub(crate) fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a header; a value that is none is left out.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Says when to try again, in whole seconds, at least one.
    pub(crate) fn retry_after(self, wait: Duration) -> Self {
        self.with_header(header::RETRY_AFTER, &whole_seconds(wait).to_string())
    }

    /// Its kind.
    pub(crate) const fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Its cause, where it has one.
    pub(crate) fn cause(&self) -> Option<&BoxError> {
        self.source.as_ref()
    }

    /// What the client gets.
    pub(crate) fn respond(&self, request_id: &str) -> HttpResponse {
        let status = self.status_code();
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone().unwrap_or_else(|| self.kind.detail.to_owned()),
            code: self.kind.code.to_owned(),
            errors: self.errors.clone(),
            request_id: request_id.to_owned(),
        };
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.headers {
            response.append_header((name.clone(), value.clone()));
        }
        response
            .content_type(PROBLEM_JSON)
            .body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

/// Seconds, rounded up, at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    let up = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(up).max(1)
}

impl From<Unavailable> for Refusal {
    fn from(unavailable: Unavailable) -> Self {
        Self::new(kinds::UNAVAILABLE)
            .saying(format!(
                "{} can't be reached; try again.",
                capitalized(unavailable.what)
            ))
            .because(unavailable)
            .retry_after(RETRY_UNAVAILABLE)
    }
}

impl From<Contended> for Refusal {
    fn from(contended: Contended) -> Self {
        Self::new(kinds::CONTENDED)
            .saying(format!(
                "{} was changed concurrently; try again.",
                capitalized(contended.subject)
            ))
            .because(contended)
            .retry_after(RETRY_CONTENDED)
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Contended(contended) => contended.into(),
            WriteError::Unavailable(unavailable) => unavailable.into(),
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

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.code)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The edge answers in its place, with the request's id.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}
