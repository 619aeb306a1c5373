use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{StreamTicketRequest, StreamTicketResponse};
use rapidphoto_application::{auth::TicketError, ports::Scope};

use crate::{
    call::{Answer, Call, authorization::invalid_token, json},
    refusal::{Refusal, kinds},
};

/// Gives out a ticket for one stream.
///
/// An `EventSource` can't send `Authorization`: it takes the ticket as `?ticket=`. A ticket must be used within a minute;
/// after that it serves the reconnects of its stream for a day.
#[utoipa::path(
    post,
    path = "/commands/auth/stream-ticket",
    tag = "streams",
    request_body(content = Option<StreamTicketRequest>, description = "Left out for the user's own stream."),
    responses((status = 200, description = "The ticket.", body = StreamTicketResponse)),
    security(("bearer" = ["photos:read"]))
)]
pub(crate) async fn issue_stream_ticket(call: Call, payload: web::Payload) -> Answer {
    let user = call.authorize(Scope::PhotosRead)?;
    let request: StreamTicketRequest = call.optional_json(payload).await?.unwrap_or_default();
    let job = request.job_id.map(|job| job.parse()).transpose();
    let job = job.map_err(|_| refusal(TicketError::NoSuchJob))?;
    let use_cases = call.use_cases();
    let issued = call
        .on_main(async move { use_cases.stream_tickets.issue(user, job).await })
        .await?;
    let issued = issued.map_err(refusal)?;
    json(
        &mut HttpResponse::Ok(),
        &StreamTicketResponse {
            ticket: issued.ticket.reveal().to_owned(),
            expires_at: issued.first_use_by,
        },
    )
}

/// What a ticket's error comes to, whether it is given out or shown.
pub(crate) fn refusal(error: TicketError) -> Refusal {
    match error {
        TicketError::NoSuchJob => Refusal::new(kinds::NO_SUCH_JOB),
        TicketError::Refused => invalid_token(kinds::INVALID_TICKET),
        TicketError::Unavailable(unavailable) => unavailable.into(),
        other => Refusal::internal(other),
    }
}
