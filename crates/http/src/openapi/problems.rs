//! Problems that each endpoint can respond with.

use utoipa::openapi::{RefOr, path::ParameterIn};

use crate::{
    endpoint::{Access, Endpoint},
    endpoints::endpoints,
    problem::kinds::{self, Kind},
};

const ALL_ENDPOINTS: &[&Kind] = &[
    kinds::BAD_REQUEST,
    kinds::METHOD_NOT_ALLOWED,
    kinds::INTERNAL,
    kinds::REQUEST_TIMEOUT,
];

const ACCESS_TOKEN: &[&Kind] = &[
    kinds::AUTHENTICATION_REQUIRED,
    kinds::INVALID_TOKEN,
    kinds::TOKEN_EXPIRED,
    kinds::INSUFFICIENT_SCOPE,
];

const BODY: &[&Kind] = &[
    kinds::MALFORMED_JSON,
    kinds::INVALID_UTF8,
    kinds::BROKEN_BODY,
    kinds::BODY_TOO_LARGE,
    kinds::UNSUPPORTED_MEDIA_TYPE,
    kinds::INVALID_BODY,
];

const QUERY: &[&Kind] = &[kinds::INVALID_PARAMETER, kinds::UNSUPPORTED_PARAMETER];

/// All problems of an endpoint.
pub(super) fn of(endpoint: &Endpoint) -> Vec<&'static Kind> {
    let mut problems = ALL_ENDPOINTS.to_vec();
    match endpoint.access {
        Access::Public => {}
        Access::Scope(_) => problems.extend(ACCESS_TOKEN),
        Access::Stream(_) => {
            problems.extend(ACCESS_TOKEN);
            problems.push(kinds::INVALID_TICKET);
        }
    }
    if endpoint.operation.request_body.is_some() {
        problems.extend(BODY);
    }
    if has_query(endpoint) {
        problems.extend(QUERY);
    }
    let is_anonymous = endpoint.access == Access::Public && endpoint.has_dependencies;
    if endpoint.rate.is_some() || is_anonymous {
        problems.push(kinds::RATE_LIMITED);
    }
    if endpoint.has_dependencies {
        problems.extend([kinds::UNAVAILABLE, kinds::OVERLOADED]);
    }
    problems.extend(endpoint.problems);
    problems
}

fn has_query(endpoint: &Endpoint) -> bool {
    let mut parameters = endpoint.operation.parameters.iter().flatten();
    parameters
        .any(|parameter| matches!(parameter, RefOr::T(given) if given.parameter_in == ParameterIn::Query))
}

/// All kinds of problems, in the order of their status: the general ones, and those that endpoints declare themselves.
fn all() -> Vec<&'static Kind> {
    let mut all = kinds::ALL.to_vec();
    for kind in endpoints().iter().flat_map(|endpoint| endpoint.problems) {
        if !all.contains(kind) {
            all.push(kind);
        }
    }
    all.sort_by_key(|kind| kind.status);
    all
}

/// Markdown table of all codes.
pub(super) fn table() -> String {
    let rows = all().into_iter().map(|kind| {
        let Kind { status, code, detail } = kind;
        format!("| `{code}` | {status} | {detail} |\n")
    });
    let head = "\n\n**All codes**\n\n| code | status | meaning |\n|---|---|---|\n".to_owned();
    head + &rows.collect::<String>()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn codes_are_unique() {
        let codes: BTreeSet<_> = all().iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), all().len());
    }
}
