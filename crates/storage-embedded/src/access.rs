//! Who may do what: whoever signed with the one key, what was signed.

use async_trait::async_trait;
use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// The one key pair.
pub(crate) struct FixedKey {
    access_key: String,
    secret_key: SecretKey,
}

impl FixedKey {
    pub(crate) fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret_key: SecretKey::from(secret_key),
        }
    }
}

#[async_trait]
impl S3Auth for FixedKey {
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

/// Admits requests that are signed with Signature Version 4, with every header that S3 gives a meaning.
pub(crate) struct SignedOnly;

#[async_trait]
impl S3Access for SignedOnly {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let Some(signed) = signed_headers(request.uri(), request.headers()) else {
            // An older version of the signature binds neither length nor type.
            return Err(s3_error!(AccessDenied, "Only Signature Version 4 is accepted"));
        };
        match unsigned_header(&signed, request.headers()) {
            None => Ok(()),
            Some(name) => Err(s3_error!(
                AccessDenied,
                "There were headers present in the request which were not signed: {name}"
            )),
        }
    }
}

/// The names that the signature covers, from the URL or the `Authorization` header.
fn signed_headers(uri: &Uri, headers: &HeaderMap) -> Option<Vec<String>> {
    let of_url = uri
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| {
            let names = pair.strip_prefix("X-Amz-SignedHeaders=")?;
            Some(names.replace("%3B", ";").replace("%3b", ";"))
        });
    let of_header = || {
        let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, names) = value
            .strip_prefix("AWS4-HMAC-SHA256")?
            .split_once("SignedHeaders=")?;
        Some(names.split([',', ' ']).next().unwrap_or_default().to_owned())
    };
    let names = of_url.or_else(of_header)?;
    Some(names.split(';').map(str::to_ascii_lowercase).collect())
}

/// A header that could change what a signed URL does, without its signer having said so.
fn unsigned_header<'a>(signed: &[String], headers: &'a HeaderMap) -> Option<&'a str> {
    headers.keys().map(http::HeaderName::as_str).find(|name| {
        name.starts_with("x-amz-")
            // These two can only make a request fail, or say which program it comes from.
            && !matches!(*name, "x-amz-content-sha256" | "x-amz-user-agent")
            && !signed.iter().any(|signed| signed == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_names_are_read_from_the_url_or_the_header() {
        let url: Uri = "/b/k?X-Amz-Date=1&X-Amz-SignedHeaders=content-length%3Bhost&x=y"
            .parse()
            .unwrap();
        assert_eq!(
            signed_headers(&url, &HeaderMap::new()).unwrap(),
            ["content-length", "host"]
        );

        let plain: Uri = "/b/k".parse().unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(signed_headers(&plain, &headers), None);
        headers.insert("authorization", "AWS key:signature".parse().unwrap());
        assert_eq!(signed_headers(&plain, &headers), None);
        let v4 =
            "AWS4-HMAC-SHA256 Credential=k/d/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=f";
        headers.insert("authorization", v4.parse().unwrap());
        assert_eq!(signed_headers(&plain, &headers).unwrap(), ["host", "x-amz-date"]);
    }

    #[test]
    fn an_amazon_header_has_to_be_signed() {
        let signed = vec!["host".to_owned(), "x-amz-date".to_owned()];
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-date", "1".parse().unwrap());
        headers.insert("range", "bytes=0-1".parse().unwrap());
        headers.insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
        assert_eq!(unsigned_header(&signed, &headers), None);
        headers.insert("x-amz-copy-source", "/b/other".parse().unwrap());
        assert_eq!(unsigned_header(&signed, &headers), Some("x-amz-copy-source"));
    }
}
