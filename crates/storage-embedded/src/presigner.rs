use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rapidphoto_application::ports::{
    Clock, PartGrant, PresignedUrl, Presigner, PutGrant, ReadGrant, Unavailable,
};
use rapidphoto_presigning::{BucketUrl, Credentials, PermittedRequest, Signer};

use crate::config::EmbeddedConfig;

/// Signs URLs of an embedded store.
pub struct EmbeddedPresigner {
    signer: Signer,
    credentials: Credentials,
    clock: Arc<dyn Clock>,
}

impl EmbeddedPresigner {
    /// Signer of URLs under this base URL of the store, such as `https://photos.example:9000`; `None` if it is not a URL.
    pub fn new(config: &EmbeddedConfig, base_url: &str, clock: Arc<dyn Clock>) -> Option<Self> {
        let bucket = format!("{}/{}", base_url.trim_end_matches('/'), config.bucket);
        Some(Self {
            signer: Signer::new(BucketUrl::parse(&bucket)?, config.region.clone()),
            credentials: Credentials {
                access_key_id: config.access_key.clone(),
                secret_access_key: config.secret_key.clone(),
                session_token: None,
            },
            clock,
        })
    }

    fn presign(
        &self,
        request: PermittedRequest<'_>,
        valid_for: Duration,
    ) -> Result<PresignedUrl, Unavailable> {
        self.signer
            .presign(request, &self.credentials, self.clock.now(), valid_for)
            .map_err(Unavailable::storage)
    }
}

impl fmt::Debug for EmbeddedPresigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedPresigner")
            .field("signer", &self.signer)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Presigner for EmbeddedPresigner {
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable> {
        self.presign(PermittedRequest::put(grant, true, []), grant.valid_for)
    }

    async fn part(&self, grant: &PartGrant) -> Result<PresignedUrl, Unavailable> {
        self.presign(PermittedRequest::part(grant), grant.valid_for)
    }

    fn protects_objects(&self) -> bool {
        true
    }

    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable> {
        self.presign(PermittedRequest::read(grant), grant.valid_for)
    }
}
