use std::sync::Arc;

use rapidphoto_api_types::{Credentials, TokenRequest, Tokens};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::{
    client::Client,
    error::ClientError,
    request::{check_status, parse_json, send_json},
    token_store::TokenStore,
};

/// Login of a user. Expired access tokens are renewed automatically; clones share the tokens.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) client: Client,
    pub(crate) tokens: Arc<Mutex<Tokens>>,
    pub(crate) store: Option<Arc<dyn TokenStore>>,
}

impl Client {
    /// Logs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<Session, ClientError> {
        let body = Credentials {
            email: email.to_owned(),
            password: password.to_owned(),
            scope: None,
        };
        let tokens: Tokens = send_json(
            self.request(Method::POST, &["commands", "auth", "login"])
                .json(&body),
        )
        .await?;
        Ok(self.session(tokens))
    }

    /// Continues a login with its tokens.
    pub fn session(&self, tokens: Tokens) -> Session {
        Session {
            client: self.clone(),
            tokens: Arc::new(Mutex::new(tokens)),
            store: None,
        }
    }
}

impl Session {
    /// Logs out; the refresh tokens of the login are revoked.
    pub async fn log_out(&self) -> Result<(), ClientError> {
        let refresh_token = self.tokens.lock().await.refresh_token.clone();
        let request = self.client.request(Method::POST, &["commands", "auth", "logout"]);
        check_status(request.json(&TokenRequest { refresh_token }).send().await?)
            .await
            .map(drop)
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, ClientError> {
        let body = self.send(request).await?.bytes().await?;
        parse_json(&body)
    }

    /// Sends a request, and sends it again with a new access token if the present one is not accepted. Another process may
    /// have renewed the token so long ago that its successor has expired, too.
    pub(crate) async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, ClientError> {
        let mut token = self.tokens.lock().await.access_token.clone();
        for _ in 0..2 {
            match check_status(request().bearer_auth(&token).send().await?).await {
                Err(ClientError::Problem(problem)) if problem.status == 401 => {
                    token = self.renew(&token, Some(problem)).await?;
                }
                other => return other,
            }
        }
        check_status(request().bearer_auth(token).send().await?).await
    }
}
