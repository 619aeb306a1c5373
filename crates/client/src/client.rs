use std::{sync::Arc, time::Duration};

use rapidphoto_api_types::{Credentials, Registered, Registration, Tokens};
use reqwest::{Method, Url};

use crate::{
    ClientError, Session,
    request::{answer, path},
};

/// An API, before anybody has logged in.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: Arc<Url>,
}

impl Client {
    /// A client of the API at a URL.
    ///
    /// # Errors
    /// When it is no URL, or the HTTP client can't be made.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let url = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| ClientError::Address(base.to_owned()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_mins(1))
            .build()?;
        Ok(Self {
            http,
            base: Arc::new(url),
        })
    }

    /// Makes an account.
    pub async fn register(&self, email: &str, password: &str) -> Result<Registered, ClientError> {
        let body = Registration {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        answer(
            self.request(Method::POST, &["commands", "auth", "register"])
                .json(&body),
        )
        .await
    }

    /// Logs in.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<Session, ClientError> {
        let body = Credentials {
            email: email.to_owned(),
            password: password.to_owned(),
            scope: None,
        };
        let tokens: Tokens = answer(
            self.request(Method::POST, &["commands", "auth", "login"])
                .json(&body),
        )
        .await?;
        Ok(Session::new(self.clone(), tokens))
    }

    /// Whether the API says that it can serve.
    pub async fn is_ready(&self) -> bool {
        let answer = self.request(Method::GET, &["readyz"]).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> reqwest::RequestBuilder {
        self.http.request(method, path(&self.base, segments))
    }
}
