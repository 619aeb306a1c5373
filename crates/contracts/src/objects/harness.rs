use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::ports::{ObjectStore, Presigner};

/// An adapter's object store as the contract meets it.
pub trait ObjectHarness: Sized {
    /// An empty bucket.
    fn fresh() -> impl Future<Output = Self>;

    /// The application's way to it.
    fn store(&self) -> Arc<dyn ObjectStore>;

    /// Who signs URLs for it.
    fn presigner(&self) -> Arc<dyn Presigner>;

    /// Sends a PUT as a client does: these headers and no others but those that HTTP itself needs.
    fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> impl Future<Output = Answer>;

    /// Sends a GET as a client does.
    fn get(&self, url: &str) -> impl Future<Output = Answer>;

    /// Lets time pass: by moving the store's clock, or by waiting.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;
}

/// What the store answers a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}
