use actix_web::HttpResponse;
use rapidphoto_api_types::{Credentials, Tokens};
use rapidphoto_application::{
    auth::{LogIn, LogInError},
    ports::Scopes,
};

use super::tokens::tokens;
use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
    problem::{Problem, kinds},
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::public::<__path_log_in>(log_in).problems(&[
        kinds::INVALID_CREDENTIALS,
        kinds::INVALID_HEADER,
        kinds::AMBIGUOUS_CREDENTIALS,
        kinds::INVALID_SCOPE,
        kinds::TOO_MANY_FAILED_LOGINS,
    ])
}

/// Logs in.
///
/// The credentials are either in the body, or sent by HTTP Basic with the e-mail address as the user name and no body.
#[utoipa::path(
    post,
    path = "/commands/auth/login",
    tag = "accounts",
    request_body(content = Option<Credentials>, description = "Omitted if HTTP Basic is used."),
    responses((status = 200, description = "An access token and a refresh token.", body = Tokens)),
    security((), ("basic" = []))
)]
async fn log_in(mut call: Call) -> HandlerResult {
    let basic = call.basic_credentials()?;
    let challenge = if basic.is_some() {
        "Basic realm=\"rapidphoto\", charset=\"UTF-8\""
    } else {
        // Not Basic: a browser would show its own password dialog on top of the page.
        "Bearer realm=\"rapidphoto\""
    };
    let credentials = if let Some(basic) = basic {
        if !call.body().await?.is_empty() {
            return Err(Problem::new(kinds::AMBIGUOUS_CREDENTIALS));
        }
        Credentials {
            email: basic.email,
            password: basic.password,
            scope: None,
        }
    } else {
        call.json().await?
    };
    let command = LogIn {
        email: credentials.email,
        password: credentials.password,
        scopes: credentials.scope.as_deref().map(Scopes::parse),
        address: call.context.address,
    };
    let use_cases = call.use_cases();
    let pair = call
        .on_main_anonymously(async move { use_cases.log_in.handle(command).await })
        .await?;
    let pair = pair.map_err(|error| problem(error, challenge))?;
    json(&mut HttpResponse::Ok(), &tokens(&pair))
}

fn problem(error: LogInError, challenge: &str) -> Problem {
    match error {
        LogInError::Rejected => Problem::new(kinds::INVALID_CREDENTIALS).challenge(challenge),
        LogInError::TooMany { retry_after } => {
            Problem::new(kinds::TOO_MANY_FAILED_LOGINS).retry_after(retry_after)
        }
        LogInError::Scopes => {
            Problem::new(kinds::INVALID_SCOPE).error_at("/scope", "invalid_scope", error.to_string())
        }
        LogInError::Unavailable(unavailable) => unavailable.into(),
        LogInError::Failed(cause) => Problem::internal(cause),
        other => Problem::internal(other),
    }
}
