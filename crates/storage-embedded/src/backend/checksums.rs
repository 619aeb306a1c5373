use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{Checksum, ChecksumType};
use s3s::{S3Result, s3_error};

use crate::directory::{Checksums, Digests, ReceivedUpload};

/// Checksum algorithm of S3.
pub(super) struct Algorithm {
    header: &'static str,
    pub(super) name: &'static str,
    /// Length of a checksum in bytes.
    bytes: usize,
    computed: fn(&Checksum) -> Option<&String>,
    enable: fn(&mut ChecksumHasher),
    /// Type of an upload in parts for which the client chose none.
    default_type: &'static str,
    other_type: Option<&'static str>,
}

const COUNT: usize = 5;

/// In the order of the arrays of [`DeclaredChecksums`].
static ALGORITHMS: [Algorithm; COUNT] = [
    Algorithm {
        header: "x-amz-checksum-crc32",
        name: "CRC32",
        bytes: 4,
        computed: |all| all.checksum_crc32.as_ref(),
        enable: |hasher| hasher.crc32 = Some(Crc32::new()),
        default_type: ChecksumType::COMPOSITE,
        other_type: Some(ChecksumType::FULL_OBJECT),
    },
    Algorithm {
        header: "x-amz-checksum-crc32c",
        name: "CRC32C",
        bytes: 4,
        computed: |all| all.checksum_crc32c.as_ref(),
        enable: |hasher| hasher.crc32c = Some(Crc32c::new()),
        default_type: ChecksumType::COMPOSITE,
        other_type: Some(ChecksumType::FULL_OBJECT),
    },
    Algorithm {
        header: "x-amz-checksum-crc64nvme",
        name: "CRC64NVME",
        bytes: 8,
        computed: |all| all.checksum_crc64nvme.as_ref(),
        enable: |hasher| hasher.crc64nvme = Some(Crc64Nvme::new()),
        default_type: ChecksumType::FULL_OBJECT,
        other_type: None,
    },
    Algorithm {
        header: "x-amz-checksum-sha1",
        name: "SHA1",
        bytes: 20,
        computed: |all| all.checksum_sha1.as_ref(),
        enable: |hasher| hasher.sha1 = Some(Sha1::new()),
        default_type: ChecksumType::COMPOSITE,
        other_type: None,
    },
    Algorithm {
        header: "x-amz-checksum-sha256",
        name: "SHA256",
        bytes: 32,
        computed: |all| all.checksum_sha256.as_ref(),
        enable: |hasher| hasher.sha256 = Some(Sha256::new()),
        default_type: ChecksumType::COMPOSITE,
        other_type: None,
    },
];

/// Checksums of an S3 input or output, in the order of [`ALGORITHMS`].
macro_rules! checksums_of {
    ($dto:expr) => {
        [
            $dto.checksum_crc32.clone(),
            $dto.checksum_crc32c.clone(),
            $dto.checksum_crc64nvme.clone(),
            $dto.checksum_sha1.clone(),
            $dto.checksum_sha256.clone(),
        ]
    };
}

/// Sets the checksums of an S3 output.
macro_rules! set_checksums {
    ($dto:expr, $checksums:expr) => {
        $dto.checksum_crc32 = $checksums.get("CRC32").cloned();
        $dto.checksum_crc32c = $checksums.get("CRC32C").cloned();
        $dto.checksum_crc64nvme = $checksums.get("CRC64NVME").cloned();
        $dto.checksum_sha1 = $checksums.get("SHA1").cloned();
        $dto.checksum_sha256 = $checksums.get("SHA256").cloned();
    };
}
pub(super) use {checksums_of, set_checksums};

/// Checksums declared by the client, in base64, verified before anything is stored.
#[derive(Debug, Default)]
pub(super) struct DeclaredChecksums {
    md5: Option<String>,
    algorithms: [Option<String>; COUNT],
}

impl DeclaredChecksums {
    /// Checksums in the request's headers.
    pub(super) fn new(md5: Option<String>, algorithms: [Option<String>; COUNT]) -> S3Result<Self> {
        if md5.as_deref().is_some_and(|md5| !is_digest(md5, 16)) {
            return Err(s3_error!(
                InvalidDigest,
                "The Content-MD5 you specified is not valid."
            ));
        }
        let declared = Self { md5, algorithms };
        declared.check_format()?;
        Ok(declared)
    }

    /// Adds the checksums in the trailers of a chunked body.
    pub(super) fn add_trailers(&mut self, trailers: &HeaderMap) -> S3Result<()> {
        for (algorithm, declared) in ALGORITHMS.iter().zip(&mut self.algorithms) {
            if let Some(value) = trailers.get(algorithm.header) {
                let value = value.to_str().map_err(|error| s3_error!(error, InvalidRequest))?;
                *declared = Some(value.to_owned());
            }
        }
        self.check_format()
    }

    /// Digests for the declared checksums and for those that `x-amz-trailer` lists.
    pub(super) fn digests(&self, headers: &HeaderMap) -> Digests {
        let trailers = headers
            .get("x-amz-trailer")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut checksums = ChecksumHasher::default();
        for (algorithm, declared) in ALGORITHMS.iter().zip(&self.algorithms) {
            let announced = || {
                trailers
                    .split(',')
                    .any(|header| header.trim().eq_ignore_ascii_case(algorithm.header))
            };
            if declared.is_some() || announced() {
                (algorithm.enable)(&mut checksums);
            }
        }
        Digests {
            md5: self.md5.as_ref().map(|_| Md5::new()),
            checksums,
        }
    }

    /// Checks the received bytes against the declared checksums.
    pub(super) fn verify(&self, received: &ReceivedUpload) -> S3Result<()> {
        if self
            .md5
            .as_ref()
            .is_some_and(|declared| Some(declared) != received.md5.map(|md5| STANDARD.encode(md5)).as_ref())
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        for (algorithm, declared) in ALGORITHMS.iter().zip(&self.algorithms) {
            // A declared checksum that was not computed is an error, too.
            if declared.is_some() && declared.as_ref() != (algorithm.computed)(&received.checksums) {
                return Err(s3_error!(
                    BadDigest,
                    "The {} you specified did not match the calculated checksum.",
                    algorithm.name
                ));
            }
        }
        Ok(())
    }

    /// The declared checksums by the names of their algorithms.
    pub(super) fn by_name(&self) -> Checksums {
        let declared = ALGORITHMS.iter().zip(&self.algorithms);
        declared
            .filter_map(|(algorithm, value)| Some((algorithm.name.to_owned(), value.clone()?)))
            .collect()
    }

    fn check_format(&self) -> S3Result<()> {
        for (algorithm, declared) in ALGORITHMS.iter().zip(&self.algorithms) {
            if declared
                .as_deref()
                .is_some_and(|declared| !is_digest(declared, algorithm.bytes))
            {
                return Err(s3_error!(
                    InvalidRequest,
                    "Value for {} header is invalid.",
                    algorithm.header
                ));
            }
        }
        Ok(())
    }
}

impl Algorithm {
    /// # Errors
    /// If S3 has no such algorithm.
    pub(super) fn named(name: &str) -> S3Result<&'static Self> {
        ALGORITHMS
            .iter()
            .find(|algorithm| algorithm.name == name)
            .ok_or_else(|| {
                s3_error!(
                    InvalidRequest,
                    "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
                 [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
                )
            })
    }

    /// Type of the checksum of an upload in parts.
    ///
    /// # Errors
    /// If the algorithm has no such type.
    pub(super) fn upload_type(&self, chosen: Option<&str>) -> S3Result<&'static str> {
        let known = [Some(self.default_type), self.other_type];
        match chosen {
            None => Ok(self.default_type),
            Some(chosen) => known
                .into_iter()
                .flatten()
                .find(|known| *known == chosen)
                .ok_or_else(|| {
                    s3_error!(
                        InvalidRequest,
                        "The {chosen} checksum type cannot be used with the {} checksum algorithm.",
                        self.name
                    )
                }),
        }
    }

    /// Adds this algorithm to the digests.
    pub(super) fn add_to(&self, digests: &mut Digests) {
        (self.enable)(&mut digests.checksums);
    }

    pub(super) fn computed<'a>(&self, received: &'a ReceivedUpload) -> Option<&'a String> {
        (self.computed)(&received.checksums)
    }

    /// Checksum of the checksums of parts, with their number.
    pub(super) fn composite<'a>(&self, parts: impl Iterator<Item = &'a str>) -> String {
        let mut hasher = ChecksumHasher::default();
        (self.enable)(&mut hasher);
        let mut count = 0_usize;
        for part in parts {
            hasher.update(&STANDARD.decode(part).unwrap_or_default());
            count += 1;
        }
        let computed = hasher.finalize();
        let checksum = (self.computed)(&computed).map_or("", String::as_str);
        format!("{checksum}-{count}")
    }
}

fn is_digest(base64: &str, bytes: usize) -> bool {
    STANDARD.decode(base64).is_ok_and(|digest| digest.len() == bytes)
}
