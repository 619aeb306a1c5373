//! Authentication by one key pair, and authorisation of signed requests.

use async_trait::async_trait;
use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

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

/// Accepts only requests signed with Signature Version 4 whose signature covers all `x-amz-` headers.
pub(crate) struct RequireSignatureV4;

#[async_trait]
impl S3Access for RequireSignatureV4 {
    async fn check(&self, request: &mut S3AccessContext<'_>) -> S3Result<()> {
        if request.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        }
        let Some(signed) = signed_headers(request.uri(), request.headers()) else {
            // Signature Version 2 covers neither the length nor the type of a body.
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

/// Lower-case names of the signed headers, from the URL or the `Authorization` header.
fn signed_headers(uri: &Uri, headers: &HeaderMap) -> Option<Vec<String>> {
    let from_url = uri
        .query()
        .into_iter()
        .flat_map(|query| query.split('&'))
        .find_map(|pair| {
            let names = pair.strip_prefix("X-Amz-SignedHeaders=")?;
            Some(names.replace("%3B", ";").replace("%3b", ";"))
        });
    let from_header = || {
        let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, names) = value
            .strip_prefix("AWS4-HMAC-SHA256")?
            .split_once("SignedHeaders=")?;
        Some(names.split([',', ' ']).next().unwrap_or_default().to_owned())
    };
    let names = from_url.or_else(from_header)?;
    Some(names.split(';').map(str::to_ascii_lowercase).collect())
}

/// First `x-amz-` header that the signature does not cover. Such a header could change the effect of a presigned URL.
fn unsigned_header<'a>(signed: &[String], headers: &'a HeaderMap) -> Option<&'a str> {
    headers.keys().map(http::HeaderName::as_str).find(|name| {
        name.starts_with("x-amz-")
            // The first can only make a request fail; the second only names the client program.
            && !matches!(*name, "x-amz-content-sha256" | "x-amz-user-agent")
            && !signed.iter().any(|signed| signed == name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_headers_are_read_from_the_url_or_the_header() {
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
    fn unsigned_amazon_headers_are_found() {
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
