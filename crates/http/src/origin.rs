//! Origins of the pages that send requests.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// Maximum length in bytes, and maximum number, of refused origins in the log: clients choose them.
const MAX_LOGGED_ORIGIN: usize = 200;
const MAX_LOGGED_ORIGINS: usize = 100;

/// Origin of the page that sends a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The request is not cross-origin.
    None,
    /// The page may call the API.
    Allowed(HeaderValue),
    /// The page may not call the API: the browser does not give it the response.
    Denied,
}

impl Origin {
    pub(crate) fn of(headers: &HeaderMap, allowed: &[String]) -> Self {
        let Some(origin) = headers.get(header::ORIGIN) else {
            return Self::None;
        };
        let known = |allowed: &String| allowed == "*" || allowed.as_bytes() == origin.as_bytes();
        if allowed.iter().any(known) {
            Self::Allowed(origin.clone())
        } else {
            if !is_same_host(origin, headers) {
                warn_once(origin);
            }
            Self::Denied
        }
    }
}

/// Returns true for a page that may open a WebSocket: one that may call the API, one of this server, or no page.
pub(crate) fn may_open_websocket(headers: &HeaderMap, allowed: &[String]) -> bool {
    match Origin::of(headers, allowed) {
        Origin::None | Origin::Allowed(_) => true,
        Origin::Denied => headers
            .get(header::ORIGIN)
            .is_some_and(|origin| is_same_host(origin, headers)),
    }
}

/// Returns true for a page of this server, such as `/docs`, whose browser sends `Origin` with some requests, too.
fn is_same_host(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).map_or(&[][..], HeaderValue::as_bytes);
    let Ok(origin) = origin.to_str() else { return false };
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.as_bytes() == host)
}

/// Logs a refused origin once: in the browser the page sees a network error without a cause.
fn warn_once(origin: &HeaderValue) {
    static LOGGED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let origin = String::from_utf8_lossy(origin.as_bytes()).into_owned();
    let mut logged = LOGGED.lock().unwrap_or_else(PoisonError::into_inner);
    if origin.len() <= MAX_LOGGED_ORIGIN && logged.len() < MAX_LOGGED_ORIGINS && logged.insert(origin.clone())
    {
        tracing::warn!(
            origin,
            "the API refused a page of this origin; add it to server.allowed_origins if it is yours"
        );
    }
}
