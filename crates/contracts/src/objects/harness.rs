use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::ports::{MultipartUploads, ObjectStore, Presigner};

/// An object store under test.
pub trait ObjectHarness: Sized {
    /// An empty bucket.
    fn fresh() -> impl Future<Output = Self>;

    /// The application's access to the bucket.
    fn store(&self) -> Arc<dyn ObjectStore>;

    /// The signer of URLs for the bucket.
    fn presigner(&self) -> Arc<dyn Presigner>;

    /// Sends a PUT as a client: with these headers and those that HTTP itself requires.
    fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> impl Future<Output = Answer>;

    /// Sends a GET as a client.
    fn get(&self, url: &str) -> impl Future<Output = Answer>;

    /// Lets time pass, by advancing the store's clock or by waiting.
    fn pass(&self, time: Duration) -> impl Future<Output = ()>;

    /// Returns false if the store ignores `x-amz-checksum-sha256`. The worker then finds the difference.
    fn verifies_checksums(&self) -> bool {
        true
    }
}

/// An object store under test that takes uploads in parts.
pub trait MultipartHarness: ObjectHarness {
    /// The application's access to uploads in parts.
    fn multipart(&self) -> Arc<dyn MultipartUploads>;
}

/// Response of the store to a client.
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
    /// Value of a header, by its case-insensitive name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut named = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        named.next().map(|(_, value)| value.as_str())
    }
}
