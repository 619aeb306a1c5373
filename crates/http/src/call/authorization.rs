use actix_web::http::header;
use base64::{Engine, engine::general_purpose::STANDARD};
use rapidphoto_application::{
    auth::SecretToken,
    ports::{Scope, TokenError},
};
use rapidphoto_domain::{JobId, UserId};

use super::{Call, Query};
use crate::{
    commands::stream_ticket,
    refusal::{
        Refusal,
        kinds::{self, Kind},
    },
};

/// An address and a password from an `Authorization: Basic` header.
pub(crate) struct BasicCredentials {
    pub(crate) email: String,
    pub(crate) password: String,
}

impl Call {
    /// Who asks, if their token allows `scope`.
    pub(crate) fn authorize(&self, scope: Scope) -> Result<UserId, Refusal> {
        let token = self.scheme("bearer").ok_or_else(|| {
            challenged(
                Refusal::new(kinds::AUTHENTICATION_REQUIRED),
                "Bearer realm=\"rapidphoto\"",
            )
        })?;
        let grant = self
            .shared
            .app
            .use_cases
            .authenticate
            .token(token)
            .map_err(|refused| {
                let kind = match refused {
                    TokenError::Expired => kinds::TOKEN_EXPIRED,
                    TokenError::Invalid => kinds::INVALID_TOKEN,
                };
                invalid_token(kind)
            })?;
        self.context.note_user(grant.user);
        if grant.scopes.allow(scope) {
            return Ok(grant.user);
        }
        let scope = scope.as_str();
        let refusal = Refusal::new(kinds::INSUFFICIENT_SCOPE)
            .saying(format!("The access token does not have the scope `{scope}`."))
            .at("Authorization", "missing_scope", scope);
        let challenge =
            format!("Bearer realm=\"rapidphoto\", error=\"insufficient_scope\", scope=\"{scope}\"");
        Err(challenged(refusal, &challenge))
    }

    /// Who asks for a stream: by a token, or by a ticket for it, since an `EventSource` sends no token.
    pub(crate) async fn authorize_stream(
        &self,
        job: Option<JobId>,
        query: &mut Query,
    ) -> Result<UserId, Refusal> {
        let ticket = query.take("ticket")?;
        let Some(ticket) = ticket.filter(|_| self.header(&header::AUTHORIZATION).is_none()) else {
            return self.authorize(Scope::PhotosRead);
        };
        let use_cases = self.use_cases();
        let redeemed = self
            .on_main(async move {
                use_cases
                    .stream_tickets
                    .redeem(&SecretToken::from_client(&ticket), job)
                    .await
            })
            .await?;
        let user = redeemed.map_err(stream_ticket::refusal)?;
        self.context.note_user(user);
        Ok(user)
    }

    /// The credentials of HTTP Basic, if that is how they come.
    pub(crate) fn basic_credentials(&self) -> Result<Option<BasicCredentials>, Refusal> {
        let Some(encoded) = self.scheme("basic") else {
            return Ok(None);
        };
        let bad = || {
            Refusal::new(kinds::INVALID_HEADER).at(
                "Authorization",
                "invalid_value",
                "after `Basic` comes the base64 of an e-mail address, a colon and a password",
            )
        };
        let decoded = STANDARD.decode(encoded).map_err(|_| bad())?;
        let decoded = String::from_utf8(decoded).map_err(|_| bad())?;
        let (email, password) = decoded.split_once(':').ok_or_else(bad)?;
        Ok(Some(BasicCredentials {
            email: email.to_owned(),
            password: password.to_owned(),
        }))
    }

    /// What follows the name of an authentication scheme in `Authorization`.
    fn scheme(&self, wanted: &str) -> Option<&str> {
        let (scheme, rest) = self.header(&header::AUTHORIZATION)?.split_once(' ')?;
        scheme.eq_ignore_ascii_case(wanted).then(|| rest.trim())
    }
}

/// Adds how to authenticate, as every 401 must say.
pub(crate) fn challenged(refusal: Refusal, challenge: &str) -> Refusal {
    refusal.with_header(header::WWW_AUTHENTICATE, challenge)
}

/// A token, or what stands for one, that is no good.
pub(crate) fn invalid_token(kind: &'static Kind) -> Refusal {
    challenged(
        Refusal::new(kind),
        "Bearer realm=\"rapidphoto\", error=\"invalid_token\"",
    )
}
