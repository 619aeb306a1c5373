use actix_web::{HttpResponse, web};
use rapidphoto_api_types::{Credentials, Tokens};
use rapidphoto_application::{
    auth::{LogIn, LogInError, TokenPair},
    ports::Scopes,
};

use crate::{
    call::{Answer, Call, authorization::challenged, json},
    refusal::{Refusal, kinds},
};

/// Logs in.
///
/// The credentials come in the body, or by HTTP Basic with the e-mail address as the user name and no body.
#[utoipa::path(
    post,
    path = "/commands/auth/login",
    tag = "accounts",
    request_body(content = Option<Credentials>, description = "Left out where HTTP Basic is used."),
    responses((status = 200, description = "Tokens.", body = Tokens)),
    security((), ("basic" = []))
)]
pub(crate) async fn log_in(call: Call, payload: web::Payload) -> Answer {
    let basic = call.basic_credentials()?;
    let challenge = if basic.is_some() {
        "Basic realm=\"rapidphoto\", charset=\"UTF-8\""
    } else {
        // Not Basic: a browser would ask its user for a password behind the page's back.
        "Bearer realm=\"rapidphoto\""
    };
    let credentials = if let Some(basic) = basic {
        if !call.body(payload).await?.is_empty() {
            return Err(Refusal::new(kinds::AMBIGUOUS_CREDENTIALS));
        }
        Credentials {
            email: basic.email,
            password: basic.password,
            scope: None,
        }
    } else {
        call.json(payload).await?
    };
    let command = LogIn {
        email: credentials.email,
        password: credentials.password,
        scopes: credentials.scope.as_deref().map(Scopes::parse),
        address: call.context.address,
    };
    let use_cases = call.use_cases();
    let pair = call
        .on_main(async move { use_cases.log_in.handle(command).await })
        .await?;
    let pair = pair.map_err(|error| refusal(error, challenge))?;
    json(&mut HttpResponse::Ok(), &tokens(&pair))
}

/// A pair of tokens as it travels.
pub(super) fn tokens(pair: &TokenPair) -> Tokens {
    Tokens {
        access_token: pair.access_token.clone(),
        token_type: "Bearer".to_owned(),
        expires_in: pair.expires_in.as_secs(),
        refresh_token: pair.refresh_token.reveal().to_owned(),
        scope: pair.scopes.to_string(),
    }
}

fn refusal(error: LogInError, challenge: &str) -> Refusal {
    match error {
        LogInError::Refused => challenged(Refusal::new(kinds::INVALID_CREDENTIALS), challenge),
        LogInError::TooMany { retry_after } => {
            Refusal::new(kinds::TOO_MANY_FAILED_LOGINS).retry_after(retry_after)
        }
        LogInError::Scopes => {
            Refusal::new(kinds::INVALID_SCOPE).at("/scope", "invalid_scope", error.to_string())
        }
        LogInError::Unavailable(unavailable) => unavailable.into(),
        LogInError::Broken(cause) => Refusal::internal(cause),
        other => Refusal::internal(other),
    }
}
