use actix_web::{HttpResponse, web};
use rapidphoto_api_types::TokenRequest;
use rapidphoto_application::auth::SecretToken;

use crate::call::{Answer, Call};

/// Ends a login: its refresh tokens are revoked, its access tokens run out by themselves.
#[utoipa::path(
    post,
    path = "/commands/auth/logout",
    tag = "accounts",
    request_body = TokenRequest,
    responses((status = 204, description = "The login has ended; so it has if the token was unknown."))
)]
pub(crate) async fn log_out(call: Call, payload: web::Payload) -> Answer {
    let request: TokenRequest = call.json(payload).await?;
    let token = SecretToken::from_client(&request.refresh_token);
    let use_cases = call.use_cases();
    call.on_main(async move { use_cases.log_out.handle(&token).await })
        .await??;
    Ok(HttpResponse::NoContent().finish())
}
