//! Uploads and downloads as a browser sends them.

use bytes::Bytes;
use rapidphoto_contracts::Answer;
use rapidphoto_listener::install_crypto_provider;

pub(crate) struct Client(reqwest::Client);

impl Client {
    pub(crate) fn new() -> Self {
        install_crypto_provider();
        Self(reqwest::Client::builder().no_proxy().build().unwrap())
    }

    pub(crate) async fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> Answer {
        let mut request = self.0.put(url);
        if body.is_empty() {
            // Browsers send a length of 0 for an empty body (Fetch, "HTTP-network-or-cache fetch"); reqwest omits it.
            request = request.header("content-length", 0);
        }
        request = request.body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        send(request).await
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        send(self.0.get(url)).await
    }
}

async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    Answer {
        status,
        headers,
        body: response.bytes().await.unwrap(),
    }
}
