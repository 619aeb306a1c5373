use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, SubsecRound as _, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rapidphoto_application::ports::PresignedUrl;
use sha2::{Digest as _, Sha256};

use crate::{BucketUrl, PermittedRequest, percent};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Longest validity that Signature Version 4 permits.
const WEEK: Duration = Duration::from_hours(7 * 24);

/// Access key of a store.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key ID.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Token of temporary credentials.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// A URL can't be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresigningError {
    /// The validity is longer than Signature Version 4 permits.
    #[error("a URL is valid for a week at most, not for {} s", .0.as_secs())]
    TooLong(Duration),
    /// The secret access key can't be used.
    #[error("the secret access key can't sign")]
    Key(#[from] hmac::digest::InvalidLength),
}

/// Signer of URLs for one bucket, with a signing key that is derived once a day.
pub struct Signer {
    bucket: BucketUrl,
    region: String,
    /// Key of the latest credentials and day. A URL of yesterday's last second derives it once more, at most.
    key: Mutex<Option<Arc<SigningKey>>>,
}

struct SigningKey {
    credentials: Credentials,
    /// `YYYYMMDD`, in UTC.
    day: String,
    mac: Hmac<Sha256>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("bucket", &self.bucket)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// Signer for a bucket in a region.
    pub const fn new(bucket: BucketUrl, region: String) -> Self {
        Self {
            bucket,
            region,
            key: Mutex::new(None),
        }
    }

    /// Signs a URL that is valid from the second of `now`, for whole seconds: the resolution of Signature Version 4.
    ///
    /// # Errors
    /// If it is to be valid for more than a week.
    pub fn presign(
        &self,
        request: PermittedRequest<'_>,
        credentials: &Credentials,
        now: DateTime<Utc>,
        valid_for: Duration,
    ) -> Result<PresignedUrl, PresigningError> {
        if valid_for > WEEK {
            return Err(PresigningError::TooLong(valid_for));
        }
        let (start, seconds) = (now.trunc_subsecs(0), valid_for.as_secs());
        Ok(PresignedUrl {
            headers: request.listed_headers(),
            url: self.sign(request, credentials, start, seconds)?,
            expires_at: start + Duration::from_secs(seconds),
        })
    }

    fn sign(
        &self,
        request: PermittedRequest<'_>,
        credentials: &Credentials,
        start: DateTime<Utc>,
        seconds: u64,
    ) -> Result<String, hmac::digest::InvalidLength> {
        let PermittedRequest {
            method,
            key: object,
            mut query,
            mut headers,
        } = request;
        let time = start.format("%Y%m%dT%H%M%SZ").to_string();
        let key = self.signing_key(credentials, &start.format("%Y%m%d").to_string())?;
        let scope = format!("{}/{}/s3/aws4_request", key.day, self.region);

        headers.push(("host", Cow::Borrowed(&self.bucket.host)));
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let credential = format!("{}/{scope}", credentials.access_key_id);
        let seconds = seconds.to_string();
        query.extend([
            ("X-Amz-Algorithm", ALGORITHM.into()),
            ("X-Amz-Credential", credential.into()),
            ("X-Amz-Date", time.as_str().into()),
            ("X-Amz-Expires", seconds.into()),
            ("X-Amz-SignedHeaders", names.as_str().into()),
        ]);
        if let Some(token) = &credentials.session_token {
            query.push(("X-Amz-Security-Token", token.into()));
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
        let secret = format!("AWS4{}", credentials.secret_access_key);
        let mut mac = Hmac::new_from_slice(secret.as_bytes())?;
        for part in [day, self.region.as_str(), "s3", "aws4_request"] {
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
