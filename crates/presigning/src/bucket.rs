use http::{Uri, uri::Port};

/// URL of a bucket for clients, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketUrl {
    /// Scheme and authority, such as `https://objects.example:9000`.
    pub(crate) origin: String,
    /// Value of the `Host` header: without the port if it is the scheme's default.
    pub(crate) host: String,
    /// Path without a slash at its end: `/photos` in path style, empty if the bucket is in the host name.
    pub(crate) path: String,
}

impl BucketUrl {
    /// Parses the URL of a bucket; `None` if it has no scheme or host.
    pub fn parse(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        let default_port = if scheme == "https" { 443 } else { 80 };
        let host = match authority.port() {
            Some(port) if Port::as_u16(&port) == default_port => authority.host(),
            _ => authority.as_str(),
        };
        Some(Self {
            origin: format!("{scheme}://{authority}"),
            host: host.to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }
}
