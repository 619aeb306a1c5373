use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1};
use s3s::dto::{Checksum, PutObjectInput};
use s3s::{S3Result, s3_error};

use crate::directory::Received;

/// The digests that an uploader told, in base64, to be checked before anything is stored.
#[derive(Debug, Default)]
pub(super) struct Told {
    md5: Option<String>,
    algorithms: [Option<String>; ALGORITHMS.len()],
}

type Computed = fn(&Checksum) -> Option<&String>;

/// The header of each algorithm, how S3 calls it, its length in bytes, and where its outcome stands.
const ALGORITHMS: [(&str, &str, usize, Computed); 5] = [
    ("x-amz-checksum-crc32", "CRC32", 4, |all| {
        all.checksum_crc32.as_ref()
    }),
    ("x-amz-checksum-crc32c", "CRC32C", 4, |all| {
        all.checksum_crc32c.as_ref()
    }),
    ("x-amz-checksum-crc64nvme", "CRC64NVME", 8, |all| {
        all.checksum_crc64nvme.as_ref()
    }),
    ("x-amz-checksum-sha1", "SHA1", 20, |all| {
        all.checksum_sha1.as_ref()
    }),
    ("x-amz-checksum-sha256", "SHA256", 32, |all| {
        all.checksum_sha256.as_ref()
    }),
];

impl Told {
    /// What the request's headers tell.
    pub(super) fn in_head(input: &PutObjectInput) -> S3Result<Self> {
        let md5 = input.content_md5.clone();
        if md5.as_deref().is_some_and(|md5| !is_digest(md5, 16)) {
            return Err(s3_error!(
                InvalidDigest,
                "The Content-MD5 you specified is not valid."
            ));
        }
        let algorithms = [
            input.checksum_crc32.clone(),
            input.checksum_crc32c.clone(),
            input.checksum_crc64nvme.clone(),
            input.checksum_sha1.clone(),
            input.checksum_sha256.clone(),
        ];
        let told = Self { md5, algorithms };
        told.well_formed()?;
        Ok(told)
    }

    /// Adds what stood behind the body.
    pub(super) fn add_trailers(&mut self, trailers: &HeaderMap) -> S3Result<()> {
        for ((header, ..), told) in ALGORITHMS.iter().zip(&mut self.algorithms) {
            if let Some(value) = trailers.get(*header) {
                let value = value.to_str().map_err(|error| s3_error!(error, InvalidRequest))?;
                *told = Some(value.to_owned());
            }
        }
        self.well_formed()
    }

    /// Computes what was told, and what is announced to be told behind the body.
    pub(super) fn hasher(&self, headers: &HeaderMap) -> ChecksumHasher {
        let announced = headers
            .get("x-amz-trailer")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let asked = |name: &str| {
            let told = ALGORITHMS
                .iter()
                .zip(&self.algorithms)
                .any(|((header, ..), told)| *header == name && told.is_some());
            told || announced
                .split(',')
                .any(|header| header.trim().eq_ignore_ascii_case(name))
        };
        ChecksumHasher {
            crc32: asked("x-amz-checksum-crc32").then(Crc32::new),
            crc32c: asked("x-amz-checksum-crc32c").then(Crc32c::new),
            crc64nvme: asked("x-amz-checksum-crc64nvme").then(Crc64Nvme::new),
            sha1: asked("x-amz-checksum-sha1").then(Sha1::new),
            // It is always computed.
            sha256: None,
        }
    }

    /// Whether what arrived is what was told.
    pub(super) fn verify(&self, received: &Received) -> S3Result<()> {
        if self
            .md5
            .as_ref()
            .is_some_and(|told| *told != STANDARD.encode(received.md5))
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        for ((_, name, _, computed), told) in ALGORITHMS.iter().zip(&self.algorithms) {
            // One that was told and not computed is as wrong as one that differs.
            if told.is_some() && told.as_ref() != computed(&received.checksums) {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }

    fn well_formed(&self) -> S3Result<()> {
        for ((header, _, bytes, _), told) in ALGORITHMS.iter().zip(&self.algorithms) {
            if told.as_deref().is_some_and(|told| !is_digest(told, *bytes)) {
                return Err(s3_error!(InvalidRequest, "Value for {header} header is invalid."));
            }
        }
        Ok(())
    }
}

fn is_digest(base64: &str, bytes: usize) -> bool {
    STANDARD.decode(base64).is_ok_and(|digest| digest.len() == bytes)
}
