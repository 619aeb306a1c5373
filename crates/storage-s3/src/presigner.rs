use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::SubsecRound as _;
use rapidphoto_application::ports::{PresignedUrl, Presigner, PutGrant, ReadGrant, Unavailable};
use rapidphoto_domain::Timestamp;

use crate::{disposition, store::S3Store};

#[async_trait]
impl Presigner for S3Store {
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable> {
        let validity = self.validity(grant.valid_for)?;
        let bytes = i64::try_from(grant.bytes).map_err(Unavailable::storage)?;
        let request = self
            .presigning_client
            .put_object()
            .bucket(&self.bucket)
            .key(&grant.key)
            .content_length(bytes)
            .content_type(grant.mime_type.as_str())
            .set_if_none_match(self.conditional_writes.then(|| "*".to_owned()))
            .set_checksum_sha256(
                grant
                    .checksum
                    .map(|checksum| STANDARD.encode(checksum.as_bytes())),
            );
        let signed = request
            .presigned(validity.config)
            .await
            .map_err(Unavailable::storage)?;
        Ok(presigned_url(&signed, validity.expires_at))
    }

    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable> {
        let validity = self.validity(grant.valid_for)?;
        let filename = grant.download_as.as_ref();
        let request = self
            .presigning_client
            .get_object()
            .bucket(&self.bucket)
            .key(&grant.key)
            .response_content_type(grant.mime_type.as_str())
            .set_response_content_disposition(filename.map(|name| disposition::attachment(name.as_str())));
        let signed = request
            .presigned(validity.config)
            .await
            .map_err(Unavailable::storage)?;
        Ok(presigned_url(&signed, validity.expires_at))
    }
}

/// Validity period of a URL.
struct Validity {
    config: PresigningConfig,
    expires_at: Timestamp,
}

impl S3Store {
    /// Validity in whole seconds, the resolution of Signature Version 4, starting with the current second.
    fn validity(&self, valid_for: Duration) -> Result<Validity, Unavailable> {
        let start = self.clock.now().trunc_subsecs(0);
        let seconds = Duration::from_secs(valid_for.as_secs());
        let config = PresigningConfig::builder()
            .start_time(SystemTime::from(start))
            .expires_in(seconds)
            .build()
            .map_err(Unavailable::storage)?;
        Ok(Validity {
            config,
            expires_at: start + seconds,
        })
    }
}

/// URL and the headers to be sent with it, except those that HTTP clients set themselves.
fn presigned_url(signed: &PresignedRequest, expires_at: Timestamp) -> PresignedUrl {
    let headers = signed
        .headers()
        .filter(|(name, _)| {
            !name.eq_ignore_ascii_case("content-length") && !name.eq_ignore_ascii_case("host")
        })
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    PresignedUrl {
        url: signed.uri().to_owned(),
        headers,
        expires_at,
    }
}
