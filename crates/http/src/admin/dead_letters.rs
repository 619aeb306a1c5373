//! Dead letters: one endpoint to list them, one to move one back to its queue, one to move all.

use actix_web::HttpResponse;
use rapidphoto_api_types::{DeadLetter, DeadLetters, Redriven};
use rapidphoto_application::ports::{self, Scope};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds::Kind},
};

/// Messages in a list, if the client does not say.
const DEFAULT_SIZE: usize = 50;
/// Maximum number of messages in a list.
const MAX_SIZE: usize = 200;

const NO_SUCH_DEAD_LETTER: &Kind = &Kind {
    status: 404,
    code: "no_such_dead_letter",
    detail: "No message with this id is in the dead-letter queue. Another reader may have it in hand; list the queue and try again.",
};

pub(super) fn list_endpoint() -> Endpoint {
    Endpoint::scoped::<__path_list_dead_letters>(Scope::Admin, list_dead_letters)
}

pub(super) fn redrive_endpoint() -> Endpoint {
    Endpoint::scoped::<__path_redrive_dead_letter>(Scope::Admin, redrive_dead_letter)
        .problems(&[NO_SUCH_DEAD_LETTER])
}

pub(super) fn redrive_all_endpoint() -> Endpoint {
    Endpoint::scoped::<__path_redrive_dead_letters>(Scope::Admin, redrive_dead_letters)
}

/// Storage notifications that could not be handled, with the reason.
///
/// They are in the dead-letter queue of the message broker. A server with embedded storage has no broker and no dead
/// letters. Messages that another reader has in hand are missing.
#[utoipa::path(
    get,
    path = "/admin/dead-letters",
    tag = "administration",
    params(("size" = Option<u32>, Query, minimum = 1, maximum = 200, description = "Maximum number of messages; 50 by default.")),
    responses((status = 200, description = "The messages.", body = DeadLetters))
)]
async fn list_dead_letters(call: Call, _: UserId) -> HandlerResult {
    let mut query = call.query()?;
    let size = query.take_as("size", "a number from 1 to 200", |raw| {
        raw.parse().ok().filter(|size| (1..=MAX_SIZE).contains(size))
    })?;
    query.finish()?;
    let use_cases = call.use_cases();
    let letters = call
        .on_main(async move { use_cases.dead_letters.list(size.unwrap_or(DEFAULT_SIZE)).await })
        .await??;
    let body = DeadLetters {
        items: letters.into_iter().map(body).collect(),
    };
    json(&mut HttpResponse::Ok(), &body)
}

/// Moves a message back to the queue of notifications, where it is handled again.
#[utoipa::path(
    post,
    path = "/admin/dead-letters/{messageId}/redrive",
    tag = "administration",
    params(("messageId" = String, Path, description = "`id` of the message in the list, percent-encoded.")),
    responses((status = 200, description = "The message was moved.", body = Redriven))
)]
async fn redrive_dead_letter(call: Call, user: UserId) -> HandlerResult {
    let id = call.path_text("messageId");
    let use_cases = call.use_cases();
    let is_moved = call
        .on_main(async move { use_cases.dead_letters.redrive(&id).await })
        .await??;
    if !is_moved {
        return Err(Problem::new(NO_SUCH_DEAD_LETTER));
    }
    moved(user, 1)
}

/// Moves all messages back to the queue of notifications. Those that fail again become dead letters again.
#[utoipa::path(
    post,
    path = "/admin/dead-letters/redrive",
    tag = "administration",
    responses((status = 200, description = "The messages were moved.", body = Redriven))
)]
async fn redrive_dead_letters(call: Call, user: UserId) -> HandlerResult {
    let use_cases = call.use_cases();
    let count = call
        .on_main(async move { use_cases.dead_letters.redrive_all().await })
        .await??;
    moved(user, count)
}

fn moved(user: UserId, redriven: u64) -> HandlerResult {
    tracing::info!(userId = %user, redriven, "moved dead letters back to the queue of storage notifications");
    json(&mut HttpResponse::Ok(), &Redriven { redriven })
}

fn body(letter: ports::DeadLetter) -> DeadLetter {
    DeadLetter {
        id: letter.id,
        reason: letter.reason,
        first_at: letter.first_at,
        preview: String::from_utf8_lossy(&letter.preview).into_owned(),
        bytes: letter.bytes as u64,
    }
}
