//! Presigned URLs by AWS Signature Version 4, with a signing key that is derived once a day.
//!
//! The signatures equal the SDK's (`tests/sdk_signatures.rs`), which takes about twenty times as long: a page of 200
//! photos has 400 URLs.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_s3::config::Credentials;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::{endpoint::BucketUrl, percent};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Signer of URLs for one bucket.
pub(crate) struct Signer {
    bucket: BucketUrl,
    region: String,
    /// Key of the latest credentials and day. A URL of yesterday's last second derives it once more, at most.
    key: Mutex<Option<Arc<SigningKey>>>,
}

/// Request that a URL permits.
pub(crate) struct Permitted<'a> {
    pub(crate) method: &'static str,
    pub(crate) key: &'a str,
    /// Parameters, not encoded.
    pub(crate) query: Vec<(&'static str, &'a str)>,
    /// Names in lower case, and values without spaces at their ends, all of them signed.
    pub(crate) headers: Vec<(&'static str, &'a str)>,
}

struct SigningKey {
    credentials: Credentials,
    /// `YYYYMMDD`, in UTC.
    day: String,
    mac: Hmac<Sha256>,
}

impl Signer {
    pub(crate) const fn new(bucket: BucketUrl, region: String) -> Self {
        Self {
            bucket,
            region,
            key: Mutex::new(None),
        }
    }

    /// Signs a URL that is valid from `start`, a whole second, for this number of seconds.
    pub(crate) fn sign(
        &self,
        request: Permitted<'_>,
        credentials: &Credentials,
        start: DateTime<Utc>,
        seconds: u64,
    ) -> Result<String, hmac::digest::InvalidLength> {
        let Permitted {
            method,
            key: object,
            mut query,
            mut headers,
        } = request;
        let time = start.format("%Y%m%dT%H%M%SZ").to_string();
        let key = self.signing_key(credentials, &start.format("%Y%m%d").to_string())?;
        let scope = format!("{}/{}/s3/aws4_request", key.day, self.region);

        headers.push(("host", &self.bucket.host));
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let credential = format!("{}/{scope}", credentials.access_key_id());
        let seconds = seconds.to_string();
        query.extend([
            ("X-Amz-Algorithm", ALGORITHM),
            ("X-Amz-Credential", &credential),
            ("X-Amz-Date", &time),
            ("X-Amz-Expires", &seconds),
            ("X-Amz-SignedHeaders", &names),
        ]);
        if let Some(token) = credentials.session_token() {
            query.push(("X-Amz-Security-Token", token));
        }
        // All names consist of unreserved characters and differ: their order is the one of the encoded pairs.
        query.sort_unstable();

        let mut path = self.bucket.path.clone();
        path.push('/');
        percent::encode(&mut path, object, |byte| {
            percent::is_unreserved(byte) || byte == b'/'
        });
        let mut encoded = String::new();
        for (name, value) in &query {
            let separator = if encoded.is_empty() { "" } else { "&" };
            encoded.extend([separator, name, "="]);
            percent::encode(&mut encoded, value, percent::is_unreserved);
        }
        let mut canonical = format!("{method}\n{path}\n{encoded}\n");
        for (name, value) in &headers {
            canonical.extend([name, ":", value, "\n"]);
        }
        canonical.extend(["\n", &names, "\nUNSIGNED-PAYLOAD"]);

        let digest = hex(&Sha256::digest(canonical));
        let mut mac = key.mac.clone();
        mac.update(format!("{ALGORITHM}\n{time}\n{scope}\n{digest}").as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        Ok(format!(
            "{}{path}?{encoded}&X-Amz-Signature={signature}",
            self.bucket.origin
        ))
    }

    fn signing_key(
        &self,
        credentials: &Credentials,
        day: &str,
    ) -> Result<Arc<SigningKey>, hmac::digest::InvalidLength> {
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = cached.as_ref()
            && key.day == day
            && key.credentials == *credentials
        {
            return Ok(Arc::clone(key));
        }
        let secret = format!("AWS4{}", credentials.secret_access_key());
        let mut mac = Hmac::new_from_slice(secret.as_bytes())?;
        for part in [day, &self.region, "s3", "aws4_request"] {
            mac.update(part.as_bytes());
            mac = Hmac::new_from_slice(&mac.finalize().into_bytes())?;
        }
        let key = Arc::new(SigningKey {
            credentials: credentials.clone(),
            day: day.to_owned(),
            mac,
        });
        *cached = Some(Arc::clone(&key));
        Ok(key)
    }
}

fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String can't fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
