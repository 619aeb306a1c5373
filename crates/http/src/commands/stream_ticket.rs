use actix_web::HttpResponse;
use rapidphoto_api_types::{StreamTicketRequest, StreamTicketResponse};
use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_issue_stream_ticket>(Scope::PhotosRead, issue_stream_ticket)
        .problems(&[kinds::NO_SUCH_JOB])
}

/// Issues a ticket for one stream.
///
/// An `EventSource` can't send `Authorization`; it sends the ticket as `?ticket=`. The ticket must be used within a
/// minute; then it is valid for reconnects of the same stream for a day, or until the session ends: by a log-out, a
/// revocation or its expiry.
#[utoipa::path(
    post,
    path = "/commands/auth/stream-ticket",
    tag = "streams",
    request_body(content = Option<StreamTicketRequest>, description = "Omitted for the stream of the user."),
    responses((status = 200, description = "The ticket.", body = StreamTicketResponse))
)]
async fn issue_stream_ticket(mut call: Call, user: UserId) -> HandlerResult {
    let request: StreamTicketRequest = call.optional_json().await?.unwrap_or_default();
    let job = request.job_id.map(|job| job.parse()).transpose();
    let job = job.map_err(|_| Problem::new(kinds::NO_SUCH_JOB))?;
    let session = call.context.session()?;
    let use_cases = call.use_cases();
    let issued = call
        .on_main(async move { use_cases.stream_tickets.issue(user, session, job).await })
        .await??;
    json(
        &mut HttpResponse::Ok(),
        &StreamTicketResponse {
            ticket: issued.ticket.reveal().to_owned(),
            expires_at: issued.first_use_by,
        },
    )
}
