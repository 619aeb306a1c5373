use bytes::Bytes;
use rapidphoto_application::ports::PresignedUrl;
use rapidphoto_domain::values::ETag;

use super::{
    MemoryObjects,
    bucket::{Bucket, Permission, Signed, checksum},
};
use crate::lock::lock;

/// Response of the store to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAnswer {
    /// HTTP status, as of an S3 server.
    pub status: u16,
    /// Headers, with names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl MemoryObjects {
    /// Uploads as a client that sends the request as signed.
    pub fn put_as_client(&self, presigned: &PresignedUrl, body: impl Into<Bytes>) -> ClientAnswer {
        self.put_with_headers(&presigned.url, &presigned.headers, body)
    }

    /// Uploads with the client's own headers. The signed headers, length, checksum and expiry are enforced, and no
    /// object is replaced.
    pub fn put_with_headers(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
    ) -> ClientAnswer {
        let body = body.into();
        let mut bucket = lock(&self.bucket);
        self.put_signed(&mut bucket, url, headers, body)
            .unwrap_or_else(|error| error)
    }

    /// Reads through a presigned URL.
    pub fn get_as_client(&self, url: &str) -> ClientAnswer {
        let bucket = lock(&self.bucket);
        self.get_signed(&bucket, url).unwrap_or_else(|error| error)
    }

    fn put_signed(
        &self,
        bucket: &mut Bucket,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
    ) -> Result<ClientAnswer, ClientAnswer> {
        let signed = self.permitted(bucket, url)?;
        let (required, bytes, declared) = match signed.permits {
            Permission::Put {
                headers,
                bytes,
                checksum,
            } => (headers, bytes, checksum),
            Permission::Part {
                upload,
                number,
                bytes,
            } => {
                if body.len() as u64 != bytes {
                    return Err(error(403, "SignatureDoesNotMatch"));
                }
                let stored = bucket.store_part(&signed.key, &upload, number, body);
                return stored
                    .map(|e_tag| stored_as(&e_tag))
                    .ok_or_else(|| error(404, "NoSuchUpload"));
            }
            Permission::Get { .. } => return Err(error(403, "SignatureDoesNotMatch")),
        };
        let sent = |name: &str| {
            let mut sent = headers.iter().filter(|(sent, _)| sent.eq_ignore_ascii_case(name));
            sent.next().map(|(_, value)| value.as_str())
        };
        let as_signed = required.iter().all(|(name, value)| sent(name) == Some(value));
        if !as_signed || body.len() as u64 != bytes {
            return Err(error(403, "SignatureDoesNotMatch"));
        }
        if declared.is_some_and(|declared| declared != checksum(&body)) {
            return Err(error(400, "BadDigest"));
        }
        if bucket.objects.contains_key(&signed.key) {
            // The client may have lost the response to its first upload, and the application the announcement.
            self.announce(bucket, &signed.key);
            return Err(error(412, "PreconditionFailed"));
        }
        let content_type = sent("content-type").unwrap_or("application/octet-stream");
        let e_tag = bucket.store(&signed.key, body, content_type);
        self.announce(bucket, &signed.key);
        e_tag
            .map(|e_tag| stored_as(&e_tag))
            .ok_or_else(|| error(500, "InternalError"))
    }

    fn get_signed(&self, bucket: &Bucket, url: &str) -> Result<ClientAnswer, ClientAnswer> {
        let signed = self.permitted(bucket, url)?;
        let Permission::Get { headers } = signed.permits else {
            return Err(error(403, "SignatureDoesNotMatch"));
        };
        let object = bucket.objects.get(&signed.key);
        let object = object.ok_or_else(|| error(404, "NoSuchKey"))?;
        Ok(ClientAnswer {
            status: 200,
            headers,
            body: object.body.clone(),
        })
    }

    fn permitted(&self, bucket: &Bucket, url: &str) -> Result<Signed, ClientAnswer> {
        let signed = bucket.signed.get(url).cloned();
        signed
            .filter(|signed| self.clock.now() < signed.expires_at)
            .ok_or_else(|| error(403, "AccessDenied"))
    }
}

fn stored_as(e_tag: &ETag) -> ClientAnswer {
    ClientAnswer {
        status: 200,
        headers: vec![("etag".to_owned(), e_tag.quoted())],
        body: Bytes::new(),
    }
}

fn error(status: u16, code: &str) -> ClientAnswer {
    ClientAnswer {
        status,
        headers: Vec::new(),
        body: Bytes::from(format!("<Error><Code>{code}</Code></Error>")),
    }
}
