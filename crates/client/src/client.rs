use std::{sync::Arc, time::Duration};

use rapidphoto_api_types::{Registered, Registration};
use reqwest::{Method, Url};

use crate::{
    error::ClientError,
    request::{path, send_json},
    tls,
};

/// Client of an API, before login.
#[derive(Debug, Clone)]
pub struct Client {
    pub(crate) http: reqwest::Client,
    /// For uploads: a limit of the time to the response would be one of their duration.
    pub(crate) transfers: reqwest::Client,
    pub(crate) base: Arc<Url>,
}

impl Client {
    /// Creates a client of the API at a base URL.
    ///
    /// # Errors
    /// The base URL is not an `http` or `https` URL, or the HTTP client can't be created.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        Self::with_ca(base, b"")
    }

    /// Creates a client that also trusts the certificate authorities in `ca`, certificates in PEM, such as the private
    /// authority of a test installation.
    ///
    /// # Errors
    /// The base URL is not an `http` or `https` URL, `ca` contains a certificate that can't be read, or the HTTP client
    /// can't be created.
    pub fn with_ca(base: &str, ca: &[u8]) -> Result<Self, ClientError> {
        let url = Url::parse(base)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| ClientError::InvalidUrl(base.to_owned()))?;
        let tls = tls::config(ca)?;
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(10))
                .tls_backend_preconfigured(tls.clone())
        };
        Ok(Self {
            http: builder().read_timeout(Duration::from_mins(1)).build()?,
            transfers: builder().build()?,
            base: Arc::new(url),
        })
    }

    /// Creates an account.
    pub async fn register(&self, email: &str, password: &str) -> Result<Registered, ClientError> {
        let body = Registration {
            email: email.to_owned(),
            password: password.to_owned(),
        };
        send_json(
            self.request(Method::POST, &["commands", "auth", "register"])
                .json(&body),
        )
        .await
    }

    /// Returns true if the API reports that it is ready to serve requests.
    pub async fn is_ready(&self) -> bool {
        let response = self.request(Method::GET, &["readyz"]).send().await;
        response.is_ok_and(|response| response.status().is_success())
    }

    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> reqwest::RequestBuilder {
        self.http.request(method, path(&self.base, segments))
    }
}
