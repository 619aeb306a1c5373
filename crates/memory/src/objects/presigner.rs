use std::sync::atomic::Ordering;

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use rapidphoto_application::ports::{PartGrant, PresignedUrl, Presigner, PutGrant, ReadGrant, Unavailable};

use super::{
    MemoryObjects,
    bucket::{Permission, Signed},
};
use crate::{Operation, lock::lock};

#[async_trait]
impl Presigner for MemoryObjects {
    async fn put(&self, grant: &PutGrant) -> Result<PresignedUrl, Unavailable> {
        self.faults.enter(Operation::Bucket).await?;
        let mut headers = vec![
            header("content-type", grant.mime_type.as_str()),
            header("if-none-match", "*"),
        ];
        if let Some(checksum) = grant.checksum {
            headers.push(header(
                "x-amz-checksum-sha256",
                &STANDARD.encode(checksum.as_bytes()),
            ));
        }
        let signed = Signed {
            key: grant.key.clone(),
            expires_at: self.clock.now() + grant.valid_for,
            permits: Permission::Put {
                headers: headers.clone(),
                bytes: grant.bytes,
                checksum: grant.checksum,
            },
        };
        Ok(self.register(signed, headers))
    }

    async fn part(&self, grant: &PartGrant) -> Result<PresignedUrl, Unavailable> {
        self.faults.enter(Operation::Bucket).await?;
        let signed = Signed {
            key: grant.key.clone(),
            expires_at: self.clock.now() + grant.valid_for,
            permits: Permission::Part {
                upload: grant.upload.clone(),
                number: grant.number,
                bytes: grant.bytes,
            },
        };
        Ok(self.register(signed, Vec::new()))
    }

    fn protects_objects(&self) -> bool {
        self.protects.load(Ordering::Relaxed)
    }

    async fn get(&self, grant: &ReadGrant) -> Result<PresignedUrl, Unavailable> {
        self.faults.enter(Operation::Bucket).await?;
        let mut headers = vec![header("content-type", grant.mime_type.as_str())];
        if let Some(name) = &grant.download_as {
            let disposition = format!("attachment; filename*=UTF-8''{}", percent_encoded(name.as_str()));
            headers.push(header("content-disposition", &disposition));
        }
        let signed = Signed {
            key: grant.key.clone(),
            expires_at: self.clock.now() + grant.valid_for,
            permits: Permission::Get { headers },
        };
        Ok(self.register(signed, Vec::new()))
    }
}

impl MemoryObjects {
    fn register(&self, signed: Signed, headers: Vec<(String, String)>) -> PresignedUrl {
        let mut bucket = lock(&self.bucket);
        let url = format!(
            "memory://{}/{}?signature={}",
            self.name,
            percent_encoded(&signed.key),
            bucket.signed.len()
        );
        let expires_at = signed.expires_at;
        bucket.signed.insert(url.clone(), signed);
        PresignedUrl {
            url,
            headers,
            expires_at,
        }
    }
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Percent-encodes all but the unreserved characters of RFC 3986 and the slash.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}
