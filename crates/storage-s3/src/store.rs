use std::{fmt, sync::Arc};

use async_trait::async_trait;
use aws_sdk_s3::{
    Client,
    primitives::ByteStream as SdkBody,
    types::{ChecksumMode, ChecksumType, ServerSideEncryption},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures::stream;
use metrics::counter;
use rapidphoto_application::ports::{
    BoxError, ByteStream, Clock, GetError, ObjectBody, ObjectHead, ObjectStore, Unavailable,
};
use rapidphoto_domain::values::{Checksum, ETag};
use rapidphoto_presigning::Signer;

use crate::{
    client,
    conditions::Conditions,
    config::{Encryption, S3Config, S3ConfigError},
    credentials::CurrentCredentials,
    endpoint,
    errors::{self, MalformedResponse},
};

/// One bucket of an S3-compatible store.
pub struct S3Store {
    pub(crate) client: Client,
    pub(crate) credentials: Arc<CurrentCredentials>,
    pub(crate) signer: Signer,
    pub(crate) bucket: String,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) conditions: Conditions,
    pub(crate) clock: Arc<dyn Clock>,
}

impl S3Store {
    /// Creates the clients without sending a request; [`ObjectStore::check`] tests the connection.
    ///
    /// # Errors
    /// [`S3ConfigError`] if the configuration is invalid.
    pub fn new(config: &S3Config, clock: Arc<dyn Clock>) -> Result<Self, S3ConfigError> {
        config.check()?;
        let bucket_url = endpoint::bucket_for_clients(config)?;
        let credentials = Arc::new(CurrentCredentials::new(
            config.credentials.clone(),
            Arc::clone(&clock),
        ));
        Ok(Self {
            client: client::build(config, credentials.clone())?,
            credentials,
            signer: Signer::new(bucket_url, config.region.clone()),
            bucket: config.bucket.clone(),
            encryption: config.encryption.clone(),
            conditions: Conditions::new(config.conditional_writes),
            clock,
        })
    }

    pub(crate) fn algorithm(&self) -> Option<ServerSideEncryption> {
        self.encryption.as_ref().map(Encryption::algorithm)
    }

    pub(crate) fn kms_key(&self) -> Option<String> {
        self.encryption
            .as_ref()
            .and_then(Encryption::key)
            .map(str::to_owned)
    }
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn head(&self, key: &str) -> Result<Option<ObjectHead>, Unavailable> {
        let request = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled);
        let head = match request.send().await {
            Ok(head) => head,
            Err(error) if errors::is_missing(&error) => return Ok(None),
            Err(error) => return Err(failed("head", error)),
        };
        let full_object = head
            .checksum_type()
            .is_none_or(|kind| *kind == ChecksumType::FullObject);
        Ok(Some(ObjectHead {
            e_tag: e_tag(head.e_tag())?,
            bytes: length(head.content_length())?,
            content_type: head.content_type().map(str::to_owned),
            checksum: head.checksum_sha256().filter(|_| full_object).and_then(checksum),
        }))
    }

    async fn get(&self, key: &str, if_match: &ETag) -> Result<ObjectBody, GetError> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .if_match(if_match.quoted());
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) if errors::is_missing(&error) => return Err(GetError::Missing),
            Err(error) if errors::is_changed(&error) => return Err(GetError::Changed),
            Err(error) => return Err(failed("get", error).into()),
        };
        // A store that ignores `If-Match` returns the current object.
        if e_tag(object.e_tag())? != *if_match {
            return Err(GetError::Changed);
        }
        Ok(ObjectBody {
            bytes: length(object.content_length())?,
            // A store may return what the client declared, unverified.
            checksum: None,
            stream: byte_stream(object.body),
        })
    }

    async fn put(&self, key: &str, body: Bytes, content_type: &str) -> Result<ETag, Unavailable> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .set_server_side_encryption(self.algorithm())
            .set_ssekms_key_id(self.kms_key())
            .body(body.into());
        let stored = request.send().await.map_err(|error| failed("put", error))?;
        e_tag(stored.e_tag())
    }

    async fn delete(&self, key: &str) -> Result<(), Unavailable> {
        match self
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if errors::is_missing(&error) => Ok(()),
            Err(error) => Err(failed("delete", error)),
        }
    }

    async fn check(&self) -> Result<(), Unavailable> {
        self.client
            .head_bucket()
            .bucket(&self.bucket)
            .send()
            .await
            .map_err(|error| failed("check", error))?;
        Ok(())
    }
}

/// Counts a request that failed after all attempts.
pub(crate) fn failed(operation: &'static str, error: impl Into<BoxError>) -> Unavailable {
    counter!("storage_errors_total", "operation" => operation).increment(1);
    Unavailable::storage(error)
}

pub(crate) fn e_tag(raw: Option<&str>) -> Result<ETag, Unavailable> {
    raw.and_then(|raw| ETag::parse(raw).ok())
        .ok_or_else(|| Unavailable::storage(MalformedResponse::ETag))
}

pub(crate) fn length(raw: Option<i64>) -> Result<u64, Unavailable> {
    raw.and_then(|raw| raw.try_into().ok())
        .ok_or_else(|| Unavailable::storage(MalformedResponse::Length))
}

/// Parses the SHA-256 of a whole object. Returns `None` for the composite checksum of a multipart upload, which is a
/// checksum of checksums and ends in `-n`.
fn checksum(base64: &str) -> Option<Checksum> {
    let bytes: [u8; 32] = STANDARD.decode(base64).ok()?.try_into().ok()?;
    Some(Checksum::from_bytes(bytes))
}

fn byte_stream(body: SdkBody) -> ByteStream {
    Box::pin(stream::try_unfold(body, |mut body| async move {
        let chunk = body.try_next().await.map_err(Unavailable::storage)?;
        Ok(chunk.map(|chunk| (chunk, body)))
    }))
}
