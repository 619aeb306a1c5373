//! Completes the operation that `#[utoipa::path]` generates with everything that derives from the endpoint.

use std::collections::BTreeMap;

use utoipa::openapi::{
    Content, Header, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
    path::Operation,
    request_body::RequestBody,
    schema::{ObjectBuilder, Type},
    security::SecurityRequirement,
};

use super::problems;
use crate::{
    endpoint::{Access, Endpoint},
    problem::{PROBLEM_JSON, kinds::Kind},
};

pub(super) fn complete(endpoint: &Endpoint) -> Operation {
    let mut operation = endpoint.operation.clone();
    match security(endpoint.access) {
        Some(security) => operation.security = Some(security),
        // An empty list says that no credentials are required; without one, a linter asks for it.
        None => drop(operation.security.get_or_insert_default()),
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        mark_optional(body);
    }
    add_problems(&mut operation, &problems::of(endpoint));
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            add_headers(status, response, endpoint.rate.is_some());
        }
    }
    operation
}

/// Alternatives of credentials. A public endpoint keeps those of its `#[utoipa::path]`: the login accepts HTTP Basic.
fn security(access: Access) -> Option<Vec<SecurityRequirement>> {
    match access {
        Access::Public => None,
        Access::Scope(scope) => Some(vec![SecurityRequirement::new("bearer", [scope.as_str()])]),
        Access::Stream(scope) => Some(vec![
            SecurityRequirement::new("bearer", [scope.as_str()]),
            SecurityRequirement::new("ticket", [""; 0]),
        ]),
    }
}

/// Describes an optional body by its schema and `required: false`. utoipa generates a required body whose schema allows
/// `null` instead.
fn mark_optional(body: &mut RequestBody) {
    for content in body.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::T(Schema::OneOf(either))) = &content.schema else {
            continue;
        };
        let [schema @ RefOr::Ref(_), RefOr::T(Schema::Object(_))] = either.items.as_slice() else {
            continue;
        };
        content.schema = Some(schema.clone());
        body.required = Some(Required::False);
    }
}

fn add_problems(operation: &mut Operation, problems: &[&Kind]) {
    let mut by_status: BTreeMap<u16, Vec<&Kind>> = BTreeMap::new();
    for kind in problems {
        by_status.entry(kind.status).or_default().push(kind);
    }
    let responses = &mut operation.responses.responses;
    for (status, kinds) in by_status {
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        match responses.get_mut(&status.to_string()) {
            // `/readyz` has a 503 of its own.
            Some(RefOr::T(response)) => {
                response.content.insert(PROBLEM_JSON.to_owned(), content.into());
                response.description = format!("{}\n\n{}", response.description, list(&kinds));
            }
            Some(RefOr::Ref(_)) | None => {
                let response = ResponseBuilder::new()
                    .description(list(&kinds))
                    .content(PROBLEM_JSON, content)
                    .build();
                responses.insert(status.to_string(), response.into());
            }
        }
    }
}

fn list(kinds: &[&Kind]) -> String {
    let lines = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", kind.code, kind.detail));
    lines.collect::<Vec<_>>().join("\n")
}

fn add_headers(status: &str, response: &mut Response, is_rate_limited: bool) {
    let mut add = |name: &str, description: &str| {
        let mut header = Header::new(Schema::Object(
            ObjectBuilder::new().schema_type(Type::String).build(),
        ));
        header.description = Some(description.to_owned());
        response.headers.insert(name.to_owned(), header.into());
    };
    add(
        "X-Request-Id",
        "Id of the request: the one that the client sent, or a generated one.",
    );
    match status {
        "401" | "403" => add("WWW-Authenticate", "Required authentication (RFC 6750)."),
        "405" => add("Allow", "Methods that the path supports."),
        "429" | "503" => add("Retry-After", "Seconds to wait before the next attempt."),
        _ => {}
    }
    if is_rate_limited {
        add(
            "RateLimit-Policy",
            "Rate limit: the number of requests (`q`) in a window of seconds (`w`).",
        );
        add(
            "RateLimit",
            "Remaining requests (`r`), and the seconds until one more is allowed (`t`).",
        );
    }
}
