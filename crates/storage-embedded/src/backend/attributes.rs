use std::collections::BTreeMap;

use s3s::{S3Result, s3_error};

use crate::directory::{MAX_RECORD_BYTES, ObjectHeaders};

/// Headers and metadata of a new object.
#[derive(Debug, Clone)]
pub(super) struct Attributes {
    pub(super) headers: ObjectHeaders,
    pub(super) metadata: BTreeMap<String, String>,
}

/// Attributes of an S3 input.
macro_rules! attributes_of {
    ($input:expr) => {
        $crate::backend::attributes::Attributes::new(
            $crate::directory::ObjectHeaders {
                content_type: $input.content_type.clone(),
                cache_control: $input.cache_control.clone(),
                content_disposition: $input.content_disposition.clone(),
                content_encoding: $input.content_encoding.clone(),
                content_language: $input.content_language.clone(),
            },
            $input.metadata.clone(),
        )
    };
}

/// Features that an S3 input requests and that are not implemented, with true for those that it requests.
macro_rules! unsupported_in {
    ($input:expr) => {
        [
            ("Expires", $input.expires.is_some()),
            ("Tagging", $input.tagging.is_some()),
            (
                "Object lock",
                $input.object_lock_mode.is_some() || $input.object_lock_legal_hold_status.is_some(),
            ),
            (
                "Encryption",
                $input.sse_customer_algorithm.is_some() || $input.server_side_encryption.is_some(),
            ),
            (
                "Access by grant",
                $input.grant_full_control.is_some() || $input.grant_read.is_some(),
            ),
            (
                "Access control",
                $input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private"),
            ),
            ("Website redirection", $input.website_redirect_location.is_some()),
        ]
    };
}
pub(super) use {attributes_of, unsupported_in};

impl Attributes {
    /// # Errors
    /// If the attributes are too large to be stored.
    pub(super) fn new(headers: ObjectHeaders, metadata: Option<s3s::dto::Metadata>) -> S3Result<Self> {
        let metadata: BTreeMap<_, _> = metadata.unwrap_or_default().into_iter().collect();
        let length = serde_json::to_vec(&(&headers, &metadata)).map_or(usize::MAX, |json| json.len());
        // Half of the record; the other half has room for the longest key in escaped form.
        if length > MAX_RECORD_BYTES / 2 {
            return Err(s3_error!(
                MetadataTooLarge,
                "Your metadata headers exceed the maximum allowed metadata size."
            ));
        }
        Ok(Self { headers, metadata })
    }
}

/// Rejects features of S3 that are not implemented and must not be ignored silently.
pub(super) fn reject_unsupported(features: impl IntoIterator<Item = (&'static str, bool)>) -> S3Result<()> {
    match features.into_iter().find(|(_, requested)| *requested) {
        None => Ok(()),
        Some((feature, _)) => Err(s3_error!(NotImplemented, "{feature} is not implemented")),
    }
}
