use actix_web::HttpResponse;
use rapidphoto_api_types::{TokenRequest, Tokens};
use rapidphoto_application::auth::{RefreshError, SecretToken};

use super::tokens::tokens;
use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_refresh>(refresh)
        .problems(&[kinds::INVALID_REFRESH_TOKEN, kinds::REFRESH_TOKEN_REUSED])
}

/// Exchanges a refresh token for a new pair of tokens.
///
/// Refresh tokens rotate. A token used again within 30 s returns the same successor, since responses can get lost; a
/// token used again later ends its session. A session lasts 180 days at most.
#[utoipa::path(
    post,
    path = "/commands/auth/refresh",
    tag = "accounts",
    request_body = TokenRequest,
    responses((status = 200, description = "A new access token and a new refresh token.", body = Tokens))
)]
async fn refresh(mut call: Call) -> HandlerResult {
    let request: TokenRequest = call.json().await?;
    let token = SecretToken::from_client(&request.refresh_token);
    let use_cases = call.use_cases();
    let pair = call
        .on_main_anonymously(async move { use_cases.refresh.handle(&token).await })
        .await?;
    json(&mut HttpResponse::Ok(), &tokens(&pair.map_err(problem)?))
}

fn problem(error: RefreshError) -> Problem {
    match error {
        RefreshError::Rejected => Problem::invalid_token(kinds::INVALID_REFRESH_TOKEN),
        RefreshError::Reused => Problem::invalid_token(kinds::REFRESH_TOKEN_REUSED),
        RefreshError::TooMany { retry_after } => Problem::new(kinds::RATE_LIMITED).retry_after(retry_after),
        RefreshError::Unavailable(unavailable) => unavailable.into(),
        RefreshError::Failed(cause) => Problem::internal(cause),
        other => Problem::internal(other),
    }
}
