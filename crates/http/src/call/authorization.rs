use actix_web::http::header;
use base64::{Engine, engine::general_purpose::STANDARD};
use rapidphoto_application::{
    auth::SecretToken,
    ports::{Scope, TokenError},
};
use rapidphoto_domain::UserId;

use super::{query::Query, request::Call};
use crate::problem::{Problem, kinds};

/// E-mail address and password from an `Authorization: Basic` header.
pub(crate) struct BasicCredentials {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Call {
    /// User of the access token, if the token has `scope`.
    pub(crate) fn authorize(&self, scope: Scope) -> Result<UserId, Problem> {
        let token = self.credentials("bearer").ok_or_else(|| {
            Problem::new(kinds::AUTHENTICATION_REQUIRED).challenge("Bearer realm=\"rapidphoto\"")
        })?;
        let verified = self.shared.app.use_cases.authenticate.token(token);
        let grant = verified.map_err(|error| {
            Problem::invalid_token(match error {
                TokenError::Expired => kinds::TOKEN_EXPIRED,
                TokenError::Invalid => kinds::INVALID_TOKEN,
            })
        })?;
        self.context.set_caller(grant.user, grant.session);
        if grant.scopes.allow(scope) {
            return Ok(grant.user);
        }
        let scope = scope.as_str();
        let challenge =
            format!("Bearer realm=\"rapidphoto\", error=\"insufficient_scope\", scope=\"{scope}\"");
        Err(Problem::new(kinds::INSUFFICIENT_SCOPE)
            .detail(format!(
                "The access token lacks the scope `{scope}`. Log in with this scope."
            ))
            .error_at("Authorization", "missing_scope", scope)
            .challenge(&challenge))
    }

    /// User of a stream's access token or ticket. A ticket is valid for the job in the path or the query, or for the user's
    /// stream if there is none. Also returns the query without the ticket.
    pub(crate) async fn authorize_stream(&self, scope: Scope) -> Result<(UserId, Query), Problem> {
        let mut query = self.query()?;
        let job = match self.optional_job()? {
            Some(job) => Some(job),
            None => query.peek("jobId").and_then(|job| job.parse().ok()),
        };
        let ticket = query.take("ticket")?;
        let Some(ticket) = ticket.filter(|_| !self.has_header(&header::AUTHORIZATION)) else {
            return Ok((self.authorize(scope)?, query));
        };
        let use_cases = self.use_cases();
        let redeemed = self
            .on_main_anonymously(async move {
                use_cases
                    .stream_tickets
                    .redeem(&SecretToken::from_client(&ticket), job)
                    .await
            })
            .await?;
        let (user, session) = redeemed?;
        self.context.set_caller(user, session);
        Ok((user, query))
    }

    /// Credentials of HTTP Basic, if the request uses that scheme.
    pub(crate) fn basic_credentials(&self) -> Result<Option<BasicCredentials>, Problem> {
        let Some(encoded) = self.credentials("basic") else {
            return Ok(None);
        };
        let invalid = || {
            Problem::new(kinds::INVALID_HEADER).error_at(
                "Authorization",
                "invalid_value",
                "`Basic` must be followed by the base64 of e-mail address, colon and password",
            )
        };
        let decoded = STANDARD.decode(encoded).map_err(|_| invalid())?;
        let decoded = String::from_utf8(decoded).map_err(|_| invalid())?;
        let (email, password) = decoded.split_once(':').ok_or_else(invalid)?;
        Ok(Some(BasicCredentials {
            email: email.to_owned(),
            password: password.to_owned(),
        }))
    }

    /// Credentials in `Authorization`, if they are of this scheme.
    fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, credentials) = self.header(&header::AUTHORIZATION)?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
    }
}
