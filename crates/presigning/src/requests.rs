use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rapidphoto_application::ports::{PartGrant, PutGrant, ReadGrant};

use crate::disposition;

/// Request that a URL permits.
#[derive(Debug)]
pub struct PermittedRequest<'a> {
    pub(crate) method: &'static str,
    pub(crate) key: &'a str,
    /// Parameters, not encoded.
    pub(crate) query: Vec<(&'static str, Cow<'a, str>)>,
    /// Names in lower case, and values without spaces at their ends, all of them signed.
    pub(crate) headers: Vec<(&'static str, Cow<'a, str>)>,
}

/// Header that HTTP clients set themselves: it is signed, and not listed.
const LENGTH: &str = "content-length";

impl<'a> PermittedRequest<'a> {
    /// An upload by one PUT. It does not replace an object if `only_if_absent`; `encryption` is what else the store asks for.
    pub fn put(
        grant: &'a PutGrant,
        only_if_absent: bool,
        encryption: impl IntoIterator<Item = (&'static str, &'a str)>,
    ) -> Self {
        let checksum = grant.checksum.map(|checksum| {
            let digest = STANDARD.encode(checksum.as_bytes());
            ("x-amz-checksum-sha256", Cow::Owned(digest))
        });
        let mut headers = vec![("content-type", Cow::Borrowed(grant.mime_type.as_str()))];
        headers.extend(only_if_absent.then_some(("if-none-match", Cow::Borrowed("*"))));
        headers.extend(checksum);
        let encryption = encryption.into_iter();
        headers.extend(encryption.map(|(name, value)| (name, Cow::Borrowed(value))));
        headers.push((LENGTH, Cow::Owned(grant.bytes.to_string())));
        Self {
            method: "PUT",
            key: &grant.key,
            query: vec![("x-id", Cow::Borrowed("PutObject"))],
            headers,
        }
    }

    /// A part of an upload in parts.
    pub fn part(grant: &'a PartGrant) -> Self {
        Self {
            method: "PUT",
            key: &grant.key,
            query: vec![
                ("partNumber", Cow::Owned(grant.number.to_string())),
                ("uploadId", Cow::Borrowed(grant.upload.as_str())),
                ("x-id", Cow::Borrowed("UploadPart")),
            ],
            headers: vec![(LENGTH, Cow::Owned(grant.bytes.to_string()))],
        }
    }

    /// A download.
    pub fn read(grant: &'a ReadGrant) -> Self {
        let mut query = vec![
            ("response-content-type", Cow::Borrowed(grant.mime_type.as_str())),
            ("x-id", Cow::Borrowed("GetObject")),
        ];
        if let Some(name) = &grant.download_as {
            let disposition = disposition::attachment(name.as_str());
            query.push(("response-content-disposition", Cow::Owned(disposition)));
        }
        Self {
            method: "GET",
            key: &grant.key,
            query,
            headers: Vec::new(),
        }
    }

    /// Headers that the client must send unchanged.
    pub(crate) fn listed_headers(&self) -> Vec<(String, String)> {
        self.headers
            .iter()
            .filter(|(name, _)| *name != LENGTH)
            .map(|(name, value)| ((*name).to_owned(), value.clone().into_owned()))
            .collect()
    }
}
