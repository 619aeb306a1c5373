//! Which endpoint refuses with which problems: added to the generated description, so that the codes that are documented
//! are the codes that the program has.

use std::collections::BTreeMap;

use utoipa::{
    Modify,
    openapi::{
        Content, Header, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        schema::{ObjectBuilder, Schema, Type},
    },
};

use crate::refusal::{
    PROBLEM_JSON,
    kinds::{self, Kind},
};

/// Adds every operation's problems, and the headers that answers carry.
pub(super) struct Refusals;

/// What one operation refuses with, beside what all of them do.
struct Refused {
    /// Its name.
    operation: &'static str,
    /// What else it takes.
    takes: &'static [Takes],
    /// Problems of its own.
    own: &'static [&'static Kind],
}

/// What a request has, and what can be wrong with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// An access token.
    Token,
    /// A body in JSON.
    Body,
    /// Parameters in the query.
    Query,
    /// Counts against a rate.
    Rate,
    /// Needs the record, or another part of the outside.
    Outside,
}

use Takes::{Body, Outside, Query, Rate, Token};

/// For every operation.
const ALWAYS: &[&Kind] = &[
    kinds::BAD_REQUEST,
    kinds::METHOD_NOT_ALLOWED,
    kinds::INTERNAL,
    kinds::REQUEST_TIMEOUT,
];

impl Takes {
    const fn refuses(self) -> &'static [&'static Kind] {
        match self {
            Self::Token => &[
                kinds::AUTHENTICATION_REQUIRED,
                kinds::INVALID_TOKEN,
                kinds::TOKEN_EXPIRED,
                kinds::INSUFFICIENT_SCOPE,
            ],
            Self::Body => &[
                kinds::MALFORMED_JSON,
                kinds::INVALID_UTF8,
                kinds::BROKEN_BODY,
                kinds::BODY_TOO_LARGE,
                kinds::UNSUPPORTED_MEDIA_TYPE,
                kinds::INVALID_BODY,
            ],
            Self::Query => &[kinds::INVALID_PARAMETER, kinds::UNSUPPORTED_PARAMETER],
            Self::Rate => &[kinds::RATE_LIMITED],
            Self::Outside => &[kinds::UNAVAILABLE],
        }
    }
}

const fn of(operation: &'static str, takes: &'static [Takes], own: &'static [&'static Kind]) -> Refused {
    Refused {
        operation,
        takes,
        own,
    }
}

static OPERATIONS: &[Refused] = &[
    of(
        "register",
        &[Body, Outside],
        &[
            kinds::REGISTRATION_CLOSED,
            kinds::EMAIL_TAKEN,
            kinds::INVALID_EMAIL,
            kinds::INVALID_PASSWORD,
        ],
    ),
    of(
        "log_in",
        &[Body, Outside],
        &[
            kinds::INVALID_CREDENTIALS,
            kinds::INVALID_HEADER,
            kinds::AMBIGUOUS_CREDENTIALS,
            kinds::INVALID_SCOPE,
            kinds::TOO_MANY_FAILED_LOGINS,
        ],
    ),
    of(
        "refresh",
        &[Body, Outside],
        &[kinds::INVALID_REFRESH_TOKEN, kinds::REFRESH_TOKEN_REUSED],
    ),
    of("log_out", &[Body, Outside], &[]),
    of(
        "issue_stream_ticket",
        &[Token, Body, Outside],
        &[kinds::NO_SUCH_JOB],
    ),
    of(
        "create_job",
        &[Token, Body, Rate, Outside],
        &[
            kinds::INVALID_FILE_COUNT,
            kinds::INVALID_FILES,
            kinds::UPLOAD_ID_REUSED,
            kinds::IDEMPOTENCY_KEY_REUSED,
            kinds::INVALID_HEADER,
            kinds::MULTIPART_UNAVAILABLE,
            kinds::DEDUPE_UNAVAILABLE,
            kinds::CONTENDED,
        ],
    ),
    of(
        "report_progress",
        &[Token, Body, Rate, Outside],
        &[kinds::TOO_MANY_PROGRESS_TICKS, kinds::CONTENDED],
    ),
    of(
        "finalize_upload",
        &[Token, Body, Outside],
        &[
            kinds::NO_SUCH_PHOTO,
            kinds::MULTIPART_UNAVAILABLE,
            kinds::CONTENDED,
        ],
    ),
    of(
        "cancel_job",
        &[Token, Outside],
        &[kinds::NO_SUCH_JOB, kinds::CONTENDED],
    ),
    of(
        "delete_photo",
        &[Token, Outside],
        &[kinds::NO_SUCH_PHOTO, kinds::CONTENDED],
    ),
    of("show_job", &[Token, Outside], &[kinds::NO_SUCH_JOB]),
    of(
        "watch_job",
        &[Token, Query, Outside],
        &[kinds::INVALID_TICKET, kinds::NO_SUCH_JOB],
    ),
    of("watch_user", &[Token, Query, Outside], &[kinds::INVALID_TICKET]),
    of(
        "list_photos",
        &[Token, Query, Outside],
        &[kinds::INVALID_CURSOR, kinds::CURSOR_OF_ANOTHER_SORT],
    ),
    of("show_photo", &[Token, Outside], &[kinds::NO_SUCH_PHOTO]),
    of(
        "download_url",
        &[Token, Query, Outside],
        &[
            kinds::NO_SUCH_PHOTO,
            kinds::PHOTO_NOT_COMPLETED,
            kinds::METADATA_STRIPPING_UNAVAILABLE,
        ],
    ),
    of("photo_history", &[Token, Outside], &[kinds::NO_SUCH_PHOTO]),
    of("healthz", &[], &[]),
    of("readyz", &[], &[]),
    of("metrics", &[], &[]),
];

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        let description = document.info.description.get_or_insert_default();
        description.push_str("\n**Every code**\n\n| code | status | meaning |\n|---|---|---|\n");
        description.extend(kinds::ALL.iter().map(|kind| {
            let Kind { status, code, detail } = kind;
            format!("| `{code}` | {status} | {detail} |\n")
        }));
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                let name = operation.operation_id.as_deref().unwrap_or_default();
                let Some(refused) = OPERATIONS.iter().find(|refused| refused.operation == name) else {
                    continue;
                };
                describe(operation, refused);
            }
        }
    }
}

pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.delete]
        .into_iter()
        .flatten()
}

fn describe(operation: &mut Operation, refused: &Refused) {
    let mut by_status: BTreeMap<u16, Vec<&Kind>> = BTreeMap::new();
    let taken = refused.takes.iter().flat_map(|takes| takes.refuses());
    for kind in ALWAYS.iter().chain(taken).chain(refused.own) {
        by_status.entry(kind.status).or_default().push(kind);
    }
    let responses = &mut operation.responses.responses;
    for (status, kinds) in by_status {
        match responses.get_mut(&status.to_string()) {
            // `/readyz` answers 503 by itself.
            Some(RefOr::T(known)) => {
                known.content.insert(PROBLEM_JSON.to_owned(), problem().into());
                known.description = format!("{}\n\n{}", known.description, list(&kinds));
            }
            Some(RefOr::Ref(_)) | None => {
                let response = ResponseBuilder::new()
                    .description(list(&kinds))
                    .content(PROBLEM_JSON, problem())
                    .build();
                responses.insert(status.to_string(), response.into());
            }
        }
    }
    let limited = refused.takes.contains(&Rate);
    for (status, response) in responses {
        if let RefOr::T(response) = response {
            add_headers(status, response, limited);
        }
    }
}

fn problem() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}

fn list(kinds: &[&Kind]) -> String {
    let lines = kinds
        .iter()
        .map(|kind| format!("- `{}`: {}", kind.code, kind.detail));
    lines.collect::<Vec<_>>().join("\n")
}

fn add_headers(status: &str, response: &mut Response, limited: bool) {
    let mut add = |name: &str, description: &str| {
        let mut header = Header::new(Schema::Object(
            ObjectBuilder::new().schema_type(Type::String).build(),
        ));
        header.description = Some(description.to_owned());
        response.headers.insert(name.to_owned(), header.into());
    };
    add(
        "X-Request-Id",
        "Names the request: the client's own name for it, or a new one.",
    );
    match status {
        "401" | "403" => add("WWW-Authenticate", "How to authenticate (RFC 6750)."),
        "405" => add("Allow", "The methods that the path takes."),
        "429" | "503" => add("Retry-After", "When to try again, in seconds."),
        _ => {}
    }
    if limited {
        add(
            "RateLimit-Policy",
            "The rate: how many (`q`) in how many seconds (`w`).",
        );
        add(
            "RateLimit",
            "What is left of it (`r`), and in how many seconds there is one more (`t`).",
        );
    }
}
