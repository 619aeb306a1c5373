use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{TokenRequest, Tokens};
use rapidphoto_application::auth::{RefreshError, SecretToken};

use super::log_in::tokens;
use crate::{
    call::{Answer, Call, authorization::invalid_token, json},
    refusal::{Refusal, kinds},
};

/// Exchanges a refresh token for the next pair.
///
/// Refresh tokens rotate. One that is used again within 30 s gets the same successor, since answers get lost; one that is
/// used later than that revokes every token of its login.
#[utoipa::path(
    post,
    path = "/commands/auth/refresh",
    tag = "accounts",
    request_body = TokenRequest,
    responses((status = 200, description = "The next pair.", body = Tokens))
)]
pub(crate) async fn refresh(call: Call, payload: web::Payload) -> Answer {
    let request: TokenRequest = call.json(payload).await?;
    let token = SecretToken::from_client(&request.refresh_token);
    let use_cases = call.use_cases();
    let pair = call
        .on_main(async move { use_cases.refresh.handle(&token).await })
        .await?;
    json(&mut HttpResponse::Ok(), &tokens(&pair.map_err(refusal)?))
}

fn refusal(error: RefreshError) -> Refusal {
    match error {
        RefreshError::Refused => invalid_token(kinds::INVALID_REFRESH_TOKEN),
        RefreshError::Reused => invalid_token(kinds::REFRESH_TOKEN_REUSED),
        RefreshError::Unavailable(unavailable) => unavailable.into(),
        RefreshError::Broken(cause) => Refusal::internal(cause),
        other => Refusal::internal(other),
    }
}
