use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1};
use s3s::dto::{Checksum, PutObjectInput};
use s3s::{S3Result, s3_error};

use crate::directory::ReceivedUpload;

/// Checksums declared by the client, in base64, verified before the object is stored.
#[derive(Debug, Default)]
pub(super) struct DeclaredChecksums {
    md5: Option<String>,
    algorithms: [Option<String>; ALGORITHMS.len()],
}

type Computed = fn(&Checksum) -> Option<&String>;

/// Header of each algorithm, its name in S3, its length in bytes, and its value among the computed checksums.
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

impl DeclaredChecksums {
    /// Checksums in the request's headers.
    pub(super) fn from_headers(input: &PutObjectInput) -> S3Result<Self> {
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
        let declared = Self { md5, algorithms };
        declared.check_format()?;
        Ok(declared)
    }

    /// Adds the checksums in the trailers of a chunked body.
    pub(super) fn add_trailers(&mut self, trailers: &HeaderMap) -> S3Result<()> {
        for ((header, ..), declared) in ALGORITHMS.iter().zip(&mut self.algorithms) {
            if let Some(value) = trailers.get(*header) {
                let value = value.to_str().map_err(|error| s3_error!(error, InvalidRequest))?;
                *declared = Some(value.to_owned());
            }
        }
        self.check_format()
    }

    /// Hasher for the declared checksums and for those that `x-amz-trailer` lists.
    pub(super) fn hasher(&self, headers: &HeaderMap) -> ChecksumHasher {
        let trailers = headers
            .get("x-amz-trailer")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let needed = |name: &str| {
            let declared = ALGORITHMS
                .iter()
                .zip(&self.algorithms)
                .any(|((header, ..), declared)| *header == name && declared.is_some());
            declared
                || trailers
                    .split(',')
                    .any(|header| header.trim().eq_ignore_ascii_case(name))
        };
        ChecksumHasher {
            crc32: needed("x-amz-checksum-crc32").then(Crc32::new),
            crc32c: needed("x-amz-checksum-crc32c").then(Crc32c::new),
            crc64nvme: needed("x-amz-checksum-crc64nvme").then(Crc64Nvme::new),
            sha1: needed("x-amz-checksum-sha1").then(Sha1::new),
            // SHA-256 is always computed by the spool.
            sha256: None,
        }
    }

    /// Checks the received bytes against the declared checksums.
    pub(super) fn verify(&self, received: &ReceivedUpload) -> S3Result<()> {
        if self
            .md5
            .as_ref()
            .is_some_and(|declared| *declared != STANDARD.encode(received.md5))
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        for ((_, name, _, computed), declared) in ALGORITHMS.iter().zip(&self.algorithms) {
            // A declared checksum that was not computed is an error, too.
            if declared.is_some() && declared.as_ref() != computed(&received.checksums) {
                return Err(s3_error!(
                    BadDigest,
                    "The {name} you specified did not match the calculated checksum."
                ));
            }
        }
        Ok(())
    }

    fn check_format(&self) -> S3Result<()> {
        for ((header, _, bytes, _), declared) in ALGORITHMS.iter().zip(&self.algorithms) {
            if declared
                .as_deref()
                .is_some_and(|declared| !is_digest(declared, *bytes))
            {
                return Err(s3_error!(InvalidRequest, "Value for {header} header is invalid."));
            }
        }
        Ok(())
    }
}

fn is_digest(base64: &str, bytes: usize) -> bool {
    STANDARD.decode(base64).is_ok_and(|digest| digest.len() == bytes)
}
