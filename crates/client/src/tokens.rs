use std::{io, sync::Arc};

use rapidphoto_api_types::{TokenRequest, Tokens};
use reqwest::Method;

use crate::{
    client::Client,
    error::{ClientError, ProblemResponse},
    request::send_json,
    session::Session,
    token_store::{LockedTokens, TokenStore},
};

impl Session {
    /// Keeps the tokens in a store from the next renewal on. The store must contain the present ones.
    #[must_use]
    pub fn with_store(self, store: Arc<dyn TokenStore>) -> Self {
        Self {
            store: Some(store),
            ..self
        }
    }

    /// Present tokens.
    pub async fn tokens(&self) -> Tokens {
        self.tokens.lock().await.clone()
    }

    /// Replaces the tokens by new ones, although the access token may still be valid.
    pub async fn refresh(&self) -> Result<(), ClientError> {
        let used = self.tokens.lock().await.access_token.clone();
        self.renew(&used, None).await.map(drop)
    }

    /// Renews the access token, unless a concurrent call or another process has already renewed it. If the refresh token is
    /// rejected, the error is the problem of the original request.
    pub(crate) async fn renew(
        &self,
        used: &str,
        original: Option<Box<ProblemResponse>>,
    ) -> Result<String, ClientError> {
        let mut tokens = self.tokens.lock().await;
        if tokens.access_token != used {
            return Ok(tokens.access_token.clone());
        }
        let mut locked = match &self.store {
            Some(store) => Some(lock(Arc::clone(store)).await?),
            None => None,
        };
        if let Some(locked) = &locked {
            match (locked.load().map_err(ClientError::TokenStore)?, &original) {
                (Some(stored), _) => *tokens = stored,
                (None, Some(problem)) => return Err(ClientError::Problem(problem.clone())),
                (None, None) => {}
            }
        }
        if tokens.access_token == used {
            *tokens = match (self.client.refreshed(&tokens.refresh_token).await, original) {
                (Err(refused @ ClientError::Problem(_)), Some(problem)) if !refused.is_transient() => {
                    return Err(ClientError::Problem(problem));
                }
                (renewed, _) => renewed?,
            };
            if let Some(locked) = &mut locked {
                locked.replace(&tokens).map_err(ClientError::TokenStore)?;
            }
        }
        Ok(tokens.access_token.clone())
    }
}

impl Client {
    async fn refreshed(&self, refresh_token: &str) -> Result<Tokens, ClientError> {
        let body = TokenRequest {
            refresh_token: refresh_token.to_owned(),
        };
        send_json(
            self.request(Method::POST, &["commands", "auth", "refresh"])
                .json(&body),
        )
        .await
    }
}

async fn lock(store: Arc<dyn TokenStore>) -> Result<Box<dyn LockedTokens>, ClientError> {
    let locked = tokio::task::spawn_blocking(move || store.lock()).await;
    locked
        .map_err(io::Error::other)
        .and_then(|locked| locked)
        .map_err(ClientError::TokenStore)
}
