use rapidphoto_api_types::{DeadLetters, Redriven, Subscriptions, Tokens};
use reqwest::Method;

use crate::{client::Client, error::ClientError, session::Session};

impl Client {
    /// Session with an access token, which is not renewed.
    pub fn with_access_token(&self, access_token: impl Into<String>) -> Session {
        self.session(Tokens {
            access_token: access_token.into(),
            token_type: "Bearer".to_owned(),
            expires_in: 0,
            refresh_token: String::new(),
            scope: String::new(),
        })
    }
}

/// Administration; the access token needs the scope `admin`.
impl Session {
    /// Returns up to `size` storage notifications that could not be handled.
    pub async fn dead_letters(&self, size: u32) -> Result<DeadLetters, ClientError> {
        self.call(|| {
            self.client
                .request(Method::GET, &["admin", "dead-letters"])
                .query(&[("size", size)])
        })
        .await
    }

    /// Moves a dead letter back to its queue.
    pub async fn redrive_dead_letter(&self, id: &str) -> Result<Redriven, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["admin", "dead-letters", id, "redrive"])
        })
        .await
    }

    /// Moves all dead letters back to their queue.
    pub async fn redrive_dead_letters(&self) -> Result<Redriven, ClientError> {
        self.call(|| {
            self.client
                .request(Method::POST, &["admin", "dead-letters", "redrive"])
        })
        .await
    }

    /// Returns the subscriptions to the event log.
    pub async fn subscriptions(&self) -> Result<Subscriptions, ClientError> {
        self.call(|| self.client.request(Method::GET, &["admin", "subscriptions"]))
            .await
    }
}
