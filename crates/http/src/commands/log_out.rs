use actix_web::HttpResponse;
use rapidphoto_api_types::TokenRequest;
use rapidphoto_application::auth::SecretToken;

use crate::{
    call::{Call, HandlerResult},
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_log_out>(log_out)
}

/// Ends a session: its refresh token and stream tickets are revoked and its streams end. Its access tokens stay valid until
/// they expire.
#[utoipa::path(
    post,
    path = "/commands/auth/logout",
    tag = "accounts",
    request_body = TokenRequest,
    responses((status = 204, description = "The session has ended. The same for an unknown token."))
)]
async fn log_out(mut call: Call) -> HandlerResult {
    let request: TokenRequest = call.json().await?;
    let token = SecretToken::from_client(&request.refresh_token);
    let use_cases = call.use_cases();
    call.on_main_anonymously(async move { use_cases.log_out.handle(&token).await })
        .await??;
    Ok(HttpResponse::NoContent().finish())
}
