use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SubsecRound as _, Utc};
use rapidphoto_application::ports::{PartGrant, PresignedUrl, Presigner, PutGrant, ReadGrant, Unavailable};

use crate::{config::Encryption, disposition, sigv4::Permitted, store::S3Store};

/// Longest validity that Signature Version 4 permits.
const WEEK: Duration = Duration::from_hours(7 * 24);

/// A URL can't be signed.
#[derive(Debug, thiserror::Error)]
enum PresigningError {
    #[error("a URL is valid for a week at most, not for {} s", .0.as_secs())]
    TooLong(Duration),
    #[error("the credentials of the object storage have expired")]
    Expired,
}

#[async_trait]
impl Presigner for S3Store {
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable> {
        let bytes = grant.bytes.to_string();
        let checksum = grant
            .checksum
            .map(|checksum| STANDARD.encode(checksum.as_bytes()));
        let algorithm = self.algorithm();
        let headers = [
            ("content-type", Some(grant.mime_type.as_str())),
            ("if-none-match", self.conditions.are_required().then_some("*")),
            ("x-amz-checksum-sha256", checksum.as_deref()),
            (
                "x-amz-server-side-encryption",
                algorithm.as_ref().map(ServerSideEncryption::as_str),
            ),
            (
                "x-amz-server-side-encryption-aws-kms-key-id",
                self.encryption.as_ref().and_then(Encryption::key),
            ),
        ];
        let mut headers: Vec<_> = headers
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        // HTTP clients set the length themselves: it is signed, and not listed.
        let listed = headers
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        headers.push(("content-length", &bytes));
        let request = Permitted {
            method: "PUT",
            key: &grant.key,
            query: vec![("x-id", "PutObject")],
            headers,
        };
        self.presign(request, grant.valid_for, listed).await
    }

    async fn part(&self, grant: &PartGrant) -> Result<PresignedUrl, Unavailable> {
        let (bytes, number) = (grant.bytes.to_string(), grant.number.to_string());
        let request = Permitted {
            method: "PUT",
            key: &grant.key,
            query: vec![
                ("partNumber", &number),
                ("uploadId", grant.upload.as_str()),
                ("x-id", "UploadPart"),
            ],
            headers: vec![("content-length", &bytes)],
        };
        self.presign(request, grant.valid_for, Vec::new()).await
    }

    fn protects_objects(&self) -> bool {
        !self.conditions.are_lacking()
    }

    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable> {
        let disposition = grant
            .download_as
            .as_ref()
            .map(|name| disposition::attachment(name.as_str()));
        let mut query = vec![
            ("response-content-type", grant.mime_type.as_str()),
            ("x-id", "GetObject"),
        ];
        query.extend(
            disposition
                .as_deref()
                .map(|value| ("response-content-disposition", value)),
        );
        let request = Permitted {
            method: "GET",
            key: &grant.key,
            query,
            headers: Vec::new(),
        };
        self.presign(request, grant.valid_for, Vec::new()).await
    }
}

impl S3Store {
    /// Signs a URL that is valid from the current second, for whole seconds: the resolution of Signature Version 4. The
    /// store refuses it after the expiry of the credentials, if that is earlier.
    async fn presign(
        &self,
        request: Permitted<'_>,
        valid_for: Duration,
        headers: Vec<(String, String)>,
    ) -> Result<PresignedUrl, Unavailable> {
        if valid_for > WEEK {
            return Err(Unavailable::storage(PresigningError::TooLong(valid_for)));
        }
        let credentials = self.credentials.get().await.map_err(Unavailable::storage)?;
        let start = self.clock.now().trunc_subsecs(0);
        let mut valid_for = Duration::from_secs(valid_for.as_secs());
        if let Some(expiry) = credentials.expiry() {
            let left = DateTime::<Utc>::from(expiry) - start;
            let left = left
                .to_std()
                .map_err(|_| Unavailable::storage(PresigningError::Expired))?;
            valid_for = valid_for.min(Duration::from_secs(left.as_secs()));
        }
        let url = self
            .signer
            .sign(request, &credentials, start, valid_for.as_secs())
            .map_err(Unavailable::storage)?;
        Ok(PresignedUrl {
            url,
            headers,
            expires_at: start + valid_for,
        })
    }
}
