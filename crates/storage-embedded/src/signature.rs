//! Headers that a request's signature covers, read before `s3s` verifies the signature.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Uri};
use s3s::{S3Result, s3_error};

/// Representation headers that are stored with an object and returned to its readers.
const STORED: [&str; 4] = [
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
];

/// Lower-case names of the headers that a Signature Version 4 covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedHeaders(Vec<String>);

impl SignedHeaders {
    /// Reads the names from the query if a signature stands there, otherwise from `Authorization`. Returns `None` for a
    /// request without a signature.
    ///
    /// The query is decoded as by `s3s`, so that both see the same parameters.
    ///
    /// # Errors
    /// If the signature has another version, or if there are two.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> S3Result<Option<Self>> {
        let query = uri.query().unwrap_or_default();
        let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let values = |name: &'static str| {
            let named = parameters.iter().filter(move |(found, _)| found == name);
            named.map(|(_, value)| value.as_ref())
        };
        let authorization = headers
            .get(AUTHORIZATION)
            .map(|value| value.to_str().unwrap_or_default());

        let is_version_2 = authorization.is_some_and(|value| value.starts_with("AWS "));
        if is_version_2
            || values("Signature")
                .chain(values("AWSAccessKeyId"))
                .next()
                .is_some()
        {
            // Signature Version 2 covers neither the length nor the type of a body.
            return Err(s3_error!(AccessDenied, "Only Signature Version 4 is accepted"));
        }
        if values("X-Amz-Signature").next().is_some() {
            if authorization.is_some() {
                return Err(s3_error!(
                    InvalidArgument,
                    "Only one auth mechanism allowed: the URL is signed, so leave out the Authorization header"
                ));
            }
            let names = values("X-Amz-SignedHeaders").next().unwrap_or_default();
            return Ok(Some(Self::parse(names)));
        }
        let signed = authorization
            .and_then(|value| {
                value
                    .strip_prefix("AWS4-HMAC-SHA256")?
                    .split_once("SignedHeaders=")
            })
            .and_then(|(_, names)| names.split([',', ' ']).next());
        match (authorization, signed) {
            (None, _) => Ok(None),
            (Some(_), Some(names)) => Ok(Some(Self::parse(names))),
            (Some(_), None) => Err(s3_error!(AccessDenied, "Only Signature Version 4 is accepted")),
        }
    }

    fn parse(names: &str) -> Self {
        Self(names.split(';').map(str::to_owned).collect())
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    pub(crate) fn covers(&self, name: &str) -> bool {
        self.names().any(|signed| signed == name)
    }

    /// First header that could change the effect of a presigned URL and that the signature does not cover: an `x-amz-`
    /// header, or one that is stored with the object.
    pub(crate) fn first_unsigned<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        headers.keys().map(http::HeaderName::as_str).find(|name| {
            // The first can only make a request fail; the second only names the client program.
            let amazon =
                name.starts_with("x-amz-") && !matches!(*name, "x-amz-content-sha256" | "x-amz-user-agent");
            (amazon || STORED.contains(name)) && !self.covers(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: &str =
        "AWS4-HMAC-SHA256 Credential=k/d/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=f";

    fn signed(url: &str, authorization: Option<&'static str>) -> Result<Option<Vec<String>>, String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, value.parse().unwrap());
        }
        SignedHeaders::of(&url.parse().unwrap(), &headers)
            .map(|signed| signed.map(|signed| signed.0))
            .map_err(|error| error.code().as_str().to_owned())
    }

    fn names(names: [&str; 2]) -> Option<Vec<String>> {
        Some(names.map(str::to_owned).to_vec())
    }

    #[test]
    fn signed_headers_are_read_from_the_url_or_the_header() {
        let url = "/b/k?X-Amz-SignedHeaders=content-length%3Bhost&X-Amz-Signature=f&x=y";
        assert_eq!(signed(url, None), Ok(names(["content-length", "host"])));
        assert_eq!(signed("/b/k", None), Ok(None));
        assert_eq!(signed("/b/k", Some(V4)), Ok(names(["host", "x-amz-date"])));
    }

    #[test]
    fn encoded_parameter_names_are_decoded() {
        let url = "/b/k?X-Amz-SignedHeader%73=content-length%3Bhost&X-Amz-Signatur%65=f";
        assert_eq!(signed(url, None), Ok(names(["content-length", "host"])));
    }

    #[test]
    fn a_signed_url_with_an_authorization_header_is_rejected() {
        for url in [
            "/b/k?X-Amz-Signature=f",
            "/b/k?X-Amz-Signatur%65=f&X-Amz-SignedHeaders=host",
        ] {
            assert_eq!(signed(url, Some(V4)), Err("InvalidArgument".to_owned()), "{url}");
        }
    }

    #[test]
    fn other_signatures_are_rejected() {
        let denied = Err("AccessDenied".to_owned());
        assert_eq!(signed("/b/k", Some("AWS key:signature")), denied);
        assert_eq!(signed("/b/k", Some("Bearer token")), denied);
        assert_eq!(signed("/b/k?Signature=f", None), denied);
        assert_eq!(signed("/b/k?Signatur%65=f", Some(V4)), denied);
        assert_eq!(
            signed("/b/k?X-Amz-Signature=f", Some("AWS key:signature")),
            denied
        );
    }

    #[test]
    fn unsigned_headers_with_an_effect_are_found() {
        let signed = SignedHeaders::parse("host;x-amz-date");
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-date", "1".parse().unwrap());
        headers.insert("range", "bytes=0-1".parse().unwrap());
        headers.insert("x-amz-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
        assert_eq!(signed.first_unsigned(&headers), None);
        headers.insert("content-encoding", "gzip".parse().unwrap());
        assert_eq!(signed.first_unsigned(&headers), Some("content-encoding"));
        headers.remove("content-encoding");
        headers.insert("x-amz-copy-source", "/b/other".parse().unwrap());
        assert_eq!(signed.first_unsigned(&headers), Some("x-amz-copy-source"));
    }
}
