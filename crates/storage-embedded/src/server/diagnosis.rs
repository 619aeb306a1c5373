use http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

use crate::signature::SignedHeaders;

/// Maximum number of characters of a header's value in a message.
const MAX_VALUE: usize = 100;

/// Message for a signature that does not match: names the signed headers that are missing or different. Only the values
/// of `Host` and of `Content-` headers are shown.
///
/// `hosts` are the values of `Host` that URLs of this store are signed for; empty if they are not known.
pub(super) fn signature_mismatch(signed: &SignedHeaders, headers: &HeaderMap, hosts: &[String]) -> String {
    let missing: Vec<_> = signed
        .names()
        .filter(|name| !headers.contains_key(*name))
        .collect();
    if !missing.is_empty() {
        let hint = if missing.contains(&CONTENT_LENGTH.as_str()) && headers.contains_key(TRANSFER_ENCODING) {
            " (the body is chunked: send it with Content-Length instead)"
        } else {
            ""
        };
        return format!(
            "The signature does not match, because the request lacks signed headers: {}{hint}. Send them with the values \
             that came with the URL.",
            missing.join(", ")
        );
    }
    let host = headers.get(HOST).map(shown).unwrap_or_default();
    if signed.covers(HOST.as_str()) && !hosts.is_empty() && !hosts.contains(&host) {
        return format!(
            "The signature does not match, because the signed header host is different: it is {host:?}, and URLs of this \
             store are signed for {}. A proxy must pass on the Host header unchanged.",
            hosts.join(" or ")
        );
    }
    let present: Vec<_> = signed
        .names()
        .map(|name| match headers.get(name) {
            Some(value) if name == HOST.as_str() || name.starts_with("content-") => {
                format!("{name} {:?}", shown(value))
            }
            _ => name.to_owned(),
        })
        .collect();
    let declared = if signed.covers(CONTENT_LENGTH.as_str()) {
        " Length and type of the body must be those declared for this file; send the headers of its item in the job."
    } else {
        ""
    };
    format!(
        "The signature does not match: at least one signed header is different from the value that was signed, or the \
         method, path or query is. The signed headers are: {}.{declared}",
        present.join(", ")
    )
}

fn shown(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.chars().take(MAX_VALUE).collect()
}
