//! Authentication by one key pair, and authorisation of signed requests.

use async_trait::async_trait;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::signature::SignedHeaders;

/// The only key pair that may sign requests.
pub(crate) struct StaticKeyPair {
    access_key: String,
    secret_key: SecretKey,
}

impl StaticKeyPair {
    pub(crate) fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: SecretKey::from(secret_key),
        }
    }
}

#[async_trait]
impl S3Auth for StaticKeyPair {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            Ok(self.secret_key.clone())
        } else {
            Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            ))
        }
    }
}

/// Accepts only requests signed with Signature Version 4 whose signature covers all headers that have an effect.
pub(crate) struct RequireSignatureV4;

#[async_trait]
impl S3Access for RequireSignatureV4 {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        // The server reads the signed headers before `s3s` verifies the signature.
        let signed = request.extensions_mut().get::<SignedHeaders>().cloned();
        let (Some(_), Some(signed)) = (request.credentials(), signed) else {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        };
        match signed.first_unsigned(request.headers()) {
            None => Ok(()),
            Some(name) => Err(s3_error!(
                AccessDenied,
                "There were headers present in the request which were not signed: {name}"
            )),
        }
    }
}
