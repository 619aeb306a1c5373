use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::types::ServerSideEncryption;
use chrono::{DateTime, SubsecRound as _, Utc};
use rapidphoto_application::ports::{PartGrant, PresignedUrl, Presigner, PutGrant, ReadGrant, Unavailable};
use rapidphoto_presigning::{Credentials, PermittedRequest};

use crate::{config::Encryption, store::S3Store};

/// A URL can't be signed: the credentials have expired.
#[derive(Debug, thiserror::Error)]
#[error("the credentials of the object storage have expired")]
struct Expired;

#[async_trait]
impl Presigner for S3Store {
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable> {
        let algorithm = self.algorithm();
        let encryption = [
            (
                "x-amz-server-side-encryption",
                algorithm.as_ref().map(ServerSideEncryption::as_str),
            ),
            (
                "x-amz-server-side-encryption-aws-kms-key-id",
                self.encryption.as_ref().and_then(Encryption::key),
            ),
        ];
        let encryption = encryption
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let request = PermittedRequest::put(grant, self.conditions.are_required(), encryption);
        self.presign(request, grant.valid_for).await
    }

    async fn part(&self, grant: &PartGrant) -> Result<PresignedUrl, Unavailable> {
        self.presign(PermittedRequest::part(grant), grant.valid_for).await
    }

    fn protects_objects(&self) -> bool {
        !self.conditions.are_lacking()
    }

    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable> {
        self.presign(PermittedRequest::read(grant), grant.valid_for).await
    }
}

impl S3Store {
    /// Signs a URL. The store refuses it after the expiry of the credentials, if that is earlier.
    async fn presign(
        &self,
        request: PermittedRequest<'_>,
        mut valid_for: Duration,
    ) -> Result<PresignedUrl, Unavailable> {
        let credentials = self.credentials.get().await.map_err(Unavailable::storage)?;
        let now = self.clock.now();
        if let Some(expiry) = credentials.expiry() {
            let left = DateTime::<Utc>::from(expiry) - now.trunc_subsecs(0);
            let left = left.to_std().map_err(|_| Unavailable::storage(Expired))?;
            valid_for = valid_for.min(left);
        }
        let credentials = Credentials {
            access_key_id: credentials.access_key_id().to_owned(),
            secret_access_key: credentials.secret_access_key().to_owned(),
            session_token: credentials.session_token().map(str::to_owned),
        };
        self.signer
            .presign(request, &credentials, now, valid_for)
            .map_err(Unavailable::storage)
    }
}
