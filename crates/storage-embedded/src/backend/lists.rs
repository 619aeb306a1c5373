use std::ops::Bound;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::dto::{
    Bucket, CommonPrefix, ETag, EncodingType, ListBucketsInput, ListBucketsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object, ObjectStorageClass, Owner,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::blocking::blocking;
use super::bucket::Backend;
use super::conditions::timestamp;
use super::errors;
use super::get::signed;
use crate::directory::{Directory, ObjectRecord};
use crate::notifications::encode_key;

/// Maximum number of entries of a page.
const MAX_PAGE: u16 = 1000;

/// Size of a page: the requested one, up to the maximum.
pub(super) fn page_size(requested: Option<i32>) -> S3Result<u16> {
    match requested {
        None => Ok(MAX_PAGE),
        Some(requested) => match u32::try_from(requested) {
            Ok(requested) => Ok(u16::try_from(requested).unwrap_or(MAX_PAGE).min(MAX_PAGE)),
            Err(_) => Err(s3_error!(
                InvalidArgument,
                "The maximum number of entries must not be negative: {requested}"
            )),
        },
    }
}

/// Encoding of keys in a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encoding {
    url: bool,
}

impl Encoding {
    pub(super) fn new(requested: Option<&EncodingType>) -> S3Result<Self> {
        match requested.map(EncodingType::as_str) {
            None => Ok(Self { url: false }),
            Some(EncodingType::URL) => Ok(Self { url: true }),
            Some(other) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request: {other}; only url is known"
            )),
        }
    }

    pub(super) fn apply(self, key: String) -> String {
        if self.url { encode_key(&key) } else { xml_text(key) }
    }
}

/// Replaces characters that XML does not have.
pub(super) fn xml_text(key: String) -> String {
    if key.chars().all(is_in_xml) {
        key
    } else {
        key.replace(|character| !is_in_xml(character), "\u{fffd}")
    }
}

/// Characters of XML 1.0.
pub(super) fn is_in_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Beginning of a key up to and with the first delimiter after the prefix.
pub(super) fn common_prefix<'a>(key: &'a str, prefix: &str, delimiter: &str) -> Option<&'a str> {
    let rest = key.strip_prefix(prefix)?;
    let end = rest.find(delimiter)? + prefix.len() + delimiter.len();
    key.get(..end)
}

/// A page of objects.
struct Page {
    objects: Vec<(String, ObjectRecord, u64)>,
    prefixes: Vec<String>,
    /// Last entry of the page, a key or a common prefix, if there are more.
    next: Option<String>,
}

/// Selection of objects.
struct Selection {
    prefix: String,
    delimiter: Option<String>,
    /// Key or common prefix of the last entry before the page.
    after: String,
    limit: u16,
}

impl Backend {
    pub(super) async fn list_objects_page(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_keys)?;
        let after = match &input.continuation_token {
            Some(token) => decode_token(token)?,
            None => input.start_after.clone().unwrap_or_default(),
        };
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let owner = input.fetch_owner.unwrap_or_default().then(|| self.owner());
        let selection = Selection {
            prefix: prefix.clone(),
            delimiter: delimiter.clone(),
            after,
            limit,
        };
        let page = self.page(selection).await?;
        let count = page.objects.len() + page.prefixes.len();
        let next = page.next.as_deref().map(encode_token);
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.apply(prefix)),
            max_keys: Some(i32::from(limit)),
            key_count: i32::try_from(count).ok(),
            continuation_token: input.continuation_token,
            is_truncated: Some(next.is_some()),
            next_continuation_token: next,
            contents: Some(contents(page.objects, encoding, owner.as_ref())),
            common_prefixes: Some(common_prefixes(page.prefixes, encoding)),
            delimiter: delimiter.map(|delimiter| encoding.apply(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|key| encoding.apply(key)),
            ..ListObjectsV2Output::default()
        }))
    }

    /// The first version of the operation.
    pub(super) async fn list_objects_after_marker(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        self.check_scope(&request, &request.input.bucket)?;
        let input = request.input;
        let encoding = Encoding::new(input.encoding_type.as_ref())?;
        let limit = page_size(input.max_keys)?;
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.filter(|delimiter| !delimiter.is_empty());
        let selection = Selection {
            prefix: prefix.clone(),
            delimiter: delimiter.clone(),
            after: input.marker.clone().unwrap_or_default(),
            limit,
        };
        let page = self.page(selection).await?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.apply(prefix)),
            marker: Some(encoding.apply(input.marker.unwrap_or_default())),
            max_keys: Some(i32::from(limit)),
            is_truncated: Some(page.next.is_some()),
            contents: Some(contents(page.objects, encoding, Some(&self.owner()))),
            common_prefixes: Some(common_prefixes(page.prefixes, encoding)),
            delimiter: delimiter.map(|delimiter| encoding.apply(delimiter)),
            next_marker: page.next.map(|next| encoding.apply(next)),
            encoding_type: input.encoding_type,
            ..ListObjectsOutput::default()
        }))
    }

    pub(super) fn list_own_bucket(
        &self,
        request: &S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        self.check_region(request)?;
        let prefix = request.input.prefix.clone().unwrap_or_default();
        let region = request.input.bucket_region.as_ref();
        let listed = self.bucket.starts_with(&prefix) && region.is_none_or(|region| *region == self.region);
        let bucket = Bucket {
            bucket_region: Some(self.region.clone()),
            creation_date: self.directory.created().ok().map(timestamp),
            name: Some(self.bucket.clone()),
        };
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(listed.then_some(bucket).into_iter().collect()),
            owner: Some(self.owner()),
            prefix: request.input.prefix.clone(),
            ..ListBucketsOutput::default()
        }))
    }

    /// Owner of the bucket and its objects: the holder of the only key pair.
    fn owner(&self) -> Owner {
        Owner {
            display_name: None,
            id: Some(self.bucket.clone()),
        }
    }

    async fn page(&self, selection: Selection) -> S3Result<Page> {
        let directory = Arc::clone(&self.directory);
        blocking(move || {
            let (keys, prefixes, next) = select(&directory, &selection)?;
            let mut objects = Vec::with_capacity(keys.len());
            for key in keys {
                // An object may have been removed meanwhile.
                if let Some(object) = directory.find(&key)? {
                    objects.push((key, object.record, object.size));
                }
            }
            Ok(Page {
                objects,
                prefixes,
                next,
            })
        })
        .await
        .map_err(|error| errors::from_io("list objects", error))
    }
}

type Selected = (Vec<String>, Vec<String>, Option<String>);

/// Keys and common prefixes of a page, and its last entry if there are more.
fn select(directory: &Directory, selection: &Selection) -> std::io::Result<Selected> {
    let Selection {
        prefix,
        delimiter,
        after,
        limit,
    } = selection;
    let (mut keys, mut prefixes) = (Vec::new(), Vec::<String>::new());
    let mut last = None;
    let mut truncated = false;
    // Start of the search for the next keys: after a common prefix, behind all keys that begin with it.
    let mut first = if after < prefix {
        Bound::Included(prefix.clone())
    } else {
        Bound::Excluded(after.clone())
    };
    loop {
        let mut skipped = None;
        directory.visit_keys(first.as_ref().map(String::as_str), &mut |key| {
            if !key.starts_with(prefix.as_str()) {
                return false;
            }
            let common = delimiter
                .as_ref()
                .and_then(|delimiter| common_prefix(key, prefix, delimiter));
            // A marker that is a common prefix stands for all keys that begin with it.
            if let Some(common) = common.filter(|common| *common == after) {
                skipped = Some(common.to_owned());
                return false;
            }
            if keys.len() + prefixes.len() == usize::from(*limit) {
                truncated = true;
                return false;
            }
            last = Some(common.unwrap_or(key).to_owned());
            if let Some(common) = common {
                prefixes.push(common.to_owned());
                skipped = Some(common.to_owned());
                false
            } else {
                keys.push(key.to_owned());
                true
            }
        })?;
        match skipped.as_deref().and_then(behind) {
            Some(next) if !truncated => first = Bound::Included(next),
            _ => break,
        }
    }
    Ok((keys, prefixes, last.filter(|_| truncated)))
}

/// First text in the order of bytes that is greater than all that begin with `prefix`; `None` if there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // There is no character between these two.
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            _ => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

fn contents(
    objects: Vec<(String, ObjectRecord, u64)>,
    encoding: Encoding,
    owner: Option<&Owner>,
) -> Vec<Object> {
    let objects = objects.into_iter().map(|(key, record, size)| Object {
        e_tag: Some(ETag::Strong(record.etag)),
        key: Some(encoding.apply(key)),
        last_modified: Some(timestamp(record.modified)),
        owner: owner.cloned(),
        size: Some(signed(size)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    });
    objects.collect()
}

fn common_prefixes(prefixes: Vec<String>, encoding: Encoding) -> Vec<CommonPrefix> {
    let prefixes = prefixes.into_iter().map(|prefix| CommonPrefix {
        prefix: Some(encoding.apply(prefix)),
    });
    prefixes.collect()
}

fn encode_token(last: &str) -> String {
    URL_SAFE_NO_PAD.encode(last)
}

fn decode_token(token: &str) -> S3Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_behind_a_prefix_is_greater_than_all_that_begin_with_it() {
        assert_eq!(behind("a/").as_deref(), Some("a0"));
        assert_eq!(behind("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(behind("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(behind("\u{10ffff}"), None);
    }

    #[test]
    fn keys_are_grouped_at_the_first_delimiter_after_the_prefix() {
        assert_eq!(common_prefix("a/b/c", "", "/"), Some("a/"));
        assert_eq!(common_prefix("a/b/c", "a/", "/"), Some("a/b/"));
        assert_eq!(common_prefix("a/b", "a/", "/"), None);
        assert_eq!(common_prefix("a//b", "a/", "/"), Some("a//"));
        assert_eq!(common_prefix("ünï–x", "ü", "–"), Some("ünï–"));
    }
}
