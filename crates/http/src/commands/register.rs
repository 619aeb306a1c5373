use actix_web::HttpResponse;
use rapidphoto_api_types::{Registered, Registration};
use rapidphoto_application::auth::{RegisterUser, RegisterUserError};

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_register>(register).problems(&[
        kinds::REGISTRATION_CLOSED,
        kinds::EMAIL_TAKEN,
        kinds::INVALID_EMAIL,
        kinds::INVALID_PASSWORD,
        kinds::TOO_MANY_REGISTRATIONS,
    ])
}

/// Creates an account.
#[utoipa::path(
    post,
    path = "/commands/auth/register",
    tag = "accounts",
    request_body = Registration,
    responses((status = 201, description = "The account was created.", body = Registered))
)]
async fn register(mut call: Call) -> HandlerResult {
    let Registration { email, password } = call.json().await?;
    let command = RegisterUser {
        email,
        password,
        address: call.context.address,
        metadata: call.metadata(None),
    };
    let use_cases = call.use_cases();
    let registered = call
        .on_main_anonymously(async move { use_cases.register.handle(command).await })
        .await?;
    let user = registered.map_err(problem)?;
    let user_id = user.to_string();
    json(&mut HttpResponse::Created(), &Registered { user_id })
}

fn problem(error: RegisterUserError) -> Problem {
    match error {
        RegisterUserError::Closed => Problem::new(kinds::REGISTRATION_CLOSED),
        RegisterUserError::TooMany { retry_after } => {
            Problem::new(kinds::TOO_MANY_REGISTRATIONS).retry_after(retry_after)
        }
        RegisterUserError::Email(invalid) => {
            Problem::new(kinds::INVALID_EMAIL).error_at("/email", "invalid_email", invalid.to_string())
        }
        RegisterUserError::Password { .. } => {
            Problem::new(kinds::INVALID_PASSWORD).error_at("/password", "invalid_password", error.to_string())
        }
        RegisterUserError::EmailTaken => {
            Problem::new(kinds::EMAIL_TAKEN).error_at("/email", "email_taken", error.to_string())
        }
        RegisterUserError::Unavailable(unavailable) => unavailable.into(),
        RegisterUserError::Hashing(cause) => Problem::internal(cause),
        other => Problem::internal(other),
    }
}
