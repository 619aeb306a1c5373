use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{Registered, Registration};
use rapidphoto_application::auth::{RegisterUser, RegisterUserError};

use crate::{
    call::{Answer, Call, json},
    refusal::{Refusal, kinds},
};

/// Makes an account.
#[utoipa::path(
    post,
    path = "/commands/auth/register",
    tag = "accounts",
    request_body = Registration,
    responses((status = 201, description = "The account is there.", body = Registered))
)]
pub(crate) async fn register(call: Call, payload: web::Payload) -> Answer {
    let Registration { email, password } = call.json(payload).await?;
    let command = RegisterUser {
        email,
        password,
        metadata: call.metadata(None),
    };
    let use_cases = call.use_cases();
    let registered = call
        .on_main(async move { use_cases.register.handle(command).await })
        .await?;
    let user = registered.map_err(refusal)?;
    let user_id = user.to_string();
    json(&mut HttpResponse::Created(), &Registered { user_id })
}

fn refusal(error: RegisterUserError) -> Refusal {
    match error {
        RegisterUserError::Closed => Refusal::new(kinds::REGISTRATION_CLOSED),
        RegisterUserError::Email(why) => {
            Refusal::new(kinds::INVALID_EMAIL).at("/email", "invalid_email", why.to_string())
        }
        RegisterUserError::Password { .. } => {
            Refusal::new(kinds::INVALID_PASSWORD).at("/password", "invalid_password", error.to_string())
        }
        RegisterUserError::EmailTaken => {
            Refusal::new(kinds::EMAIL_TAKEN).at("/email", "email_taken", error.to_string())
        }
        RegisterUserError::Unavailable(unavailable) => unavailable.into(),
        RegisterUserError::Hashing(cause) => Refusal::internal(cause),
        other => Refusal::internal(other),
    }
}
