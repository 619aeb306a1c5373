//! Our URLs equal those that the SDK presigns, for any key, name and credentials.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "clippy.toml allows them in tests, and does not see that this file holds nothing else"
)]

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_sdk_s3::{
    Client,
    config::{
        BehaviorVersion, Credentials, Region, RequestChecksumCalculation, StalledStreamProtectionConfig,
    },
    presigning::{PresignedRequest, PresigningConfig},
    types::ServerSideEncryption,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use proptest::{prelude::*, sample::select};
use rapidphoto_application::ports::{Clock, PartGrant, Presigner, PutGrant, ReadGrant};
use rapidphoto_domain::values::{Checksum, Filename, MimeType, MultipartId, PartNumber};
use rapidphoto_storage_s3::{Addressing, ConditionalWrites, Encryption, S3Config, S3Credentials, S3Store};

struct FixedClock(DateTime<Utc>);

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        self.0
    }
}

/// Everything that a signature depends on.
#[derive(Debug, Clone)]
struct Case {
    config: S3Config,
    keys: (String, String, Option<String>),
    now: DateTime<Utc>,
    valid_for: Duration,
    key: String,
    bytes: u64,
    mime_type: MimeType,
    checksum: Option<[u8; 32]>,
    download_as: Option<String>,
}

impl Case {
    fn store(&self) -> S3Store {
        S3Store::new(&self.config, Arc::new(FixedClock(self.now))).unwrap()
    }

    fn sdk(&self) -> Client {
        let (access_key, secret_key, token) = self.keys.clone();
        let mut sdk = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.config.region.clone()))
            .credentials_provider(Credentials::new(access_key, secret_key, token, None, "test"))
            .force_path_style(self.config.addressing == Addressing::Path)
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let endpoint = self
            .config
            .public_endpoint
            .as_ref()
            .or(self.config.endpoint.as_ref());
        if let Some(endpoint) = endpoint {
            sdk = sdk.endpoint_url(format!("{}/", endpoint.trim_end_matches('/')));
        }
        Client::from_conf(sdk.build())
    }

    fn validity(&self) -> PresigningConfig {
        PresigningConfig::builder()
            .start_time(SystemTime::from(self.now))
            .expires_in(self.valid_for)
            .build()
            .unwrap()
    }

    async fn sdk_put(&self) -> PresignedRequest {
        let (algorithm, kms_key) = match &self.config.encryption {
            None => (None, None),
            Some(Encryption::S3) => (Some(ServerSideEncryption::Aes256), None),
            Some(Encryption::Kms { key }) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        };
        let conditional = self.config.conditional_writes != ConditionalWrites::Off;
        self.sdk()
            .put_object()
            .bucket(&self.config.bucket)
            .key(&self.key)
            .content_length(self.bytes.try_into().unwrap())
            .content_type(self.mime_type.as_str())
            .set_if_none_match(conditional.then(|| "*".to_owned()))
            .set_checksum_sha256(self.checksum.map(|checksum| STANDARD.encode(checksum)))
            .set_server_side_encryption(algorithm)
            .set_ssekms_key_id(kms_key)
            .presigned(self.validity())
            .await
            .unwrap()
    }

    async fn sdk_part(&self, grant: &PartGrant) -> PresignedRequest {
        self.sdk()
            .upload_part()
            .bucket(&self.config.bucket)
            .key(&self.key)
            .part_number(grant.number.get().into())
            .upload_id(grant.upload.as_str())
            .content_length(self.bytes.try_into().unwrap())
            .presigned(self.validity())
            .await
            .unwrap()
    }

    async fn sdk_get(&self, disposition: Option<String>) -> PresignedRequest {
        self.sdk()
            .get_object()
            .bucket(&self.config.bucket)
            .key(&self.key)
            .response_content_type(self.mime_type.as_str())
            .set_response_content_disposition(disposition)
            .presigned(self.validity())
            .await
            .unwrap()
    }
}

/// A URL without the order of its parameters, which the signature does not depend on.
fn parts(url: &str) -> (String, Vec<String>) {
    let (path, query) = url.split_once('?').unwrap();
    let mut parameters: Vec<_> = query.split('&').map(str::to_owned).collect();
    parameters.sort_unstable();
    (path.to_owned(), parameters)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
        } else {
            byte
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn locations() -> impl Strategy<Value = (Option<String>, Option<String>, Addressing, String)> {
    let endpoint = prop::option::of(select(vec![
        "http://minio:9000",
        "http://127.0.0.1:9000",
        "http://objects.example:80",
        "https://objects.example:443/",
        "https://objects.example:8443/a/b",
        "https://0123456789abcdef.r2.cloudflarestorage.com",
    ]));
    let addressing = select(vec![Addressing::Path, Addressing::VirtualHost]);
    let bucket = select(vec!["photos", "my-photos-2", "photos.of.example"]);
    (endpoint.clone(), endpoint, addressing, bucket).prop_map(|(endpoint, public, addressing, bucket)| {
        let owned = |endpoint: Option<&str>| endpoint.map(str::to_owned);
        (owned(endpoint), owned(public), addressing, bucket.to_owned())
    })
}

fn configs() -> impl Strategy<Value = S3Config> {
    let region = select(vec!["eu-central-1", "us-east-1", "cn-north-1", "auto"]);
    let conditional = select(vec![
        ConditionalWrites::Auto,
        ConditionalWrites::On,
        ConditionalWrites::Off,
    ]);
    let encryption = select(vec![
        None,
        Some(Encryption::S3),
        Some(Encryption::Kms { key: None }),
        Some(Encryption::Kms {
            key: Some("arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab".to_owned()),
        }),
    ]);
    (locations(), region, conditional, encryption).prop_map(
        |((endpoint, public_endpoint, addressing, bucket), region, conditional_writes, encryption)| {
            S3Config {
                endpoint,
                public_endpoint,
                addressing,
                conditional_writes,
                encryption,
                ..S3Config::new(bucket, region, S3Credentials::new("unset", "unset"))
            }
        },
    )
}

fn cases() -> impl Strategy<Value = Case> {
    let keys = (
        "[A-Z0-9]{4,20}",
        "[A-Za-z0-9+/]{1,60}",
        prop::option::of("[A-Za-z0-9+/=]{1,300}"),
    );
    // From 1970 to 2100; up to a week.
    let times = (0..4_102_444_800_i64, 1..=604_800_u64);
    // Segments that consist of dots are left out: HTTP clients resolve them.
    let key = prop_oneof![
        "[a-z0-9_]{1,12}(/[ -~]{0,8}[a-z]){0,3}",
        "[a-z]{1,4}/[ +ü&=?#%~!*'()猫]{1,12}x",
        "\\PC{1,20}x".prop_filter("no leading slash", |key| !key.starts_with('/')),
    ];
    let mime_type = select(vec![MimeType::Jpeg, MimeType::Png, MimeType::Webp]);
    let name = prop::option::of(prop_oneof!["[ -~]{1,20}\\.jpg", "\\PC{1,20}\\.jpg"]);
    let content = (
        0..5_000_000_000_u64,
        mime_type,
        prop::option::of(any::<[u8; 32]>()),
        name,
    );
    (configs(), keys, times, key, content).prop_map(
        |(mut config, keys, (now, seconds), key, (bytes, mime_type, checksum, download_as))| {
            config.credentials = match &keys {
                (access_key, secret_key, None) => S3Credentials::new(access_key, secret_key),
                (access_key, secret_key, Some(token)) => {
                    S3Credentials::temporary(access_key, secret_key, token)
                }
            };
            Case {
                config,
                keys,
                now: DateTime::from_timestamp(now, 0).unwrap(),
                valid_for: Duration::from_secs(seconds),
                key,
                bytes,
                mime_type,
                checksum,
                download_as,
            }
        },
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn upload_urls_equal_the_sdks(case in cases()) {
        let grant = PutGrant {
            key: case.key.clone(),
            mime_type: case.mime_type,
            bytes: case.bytes,
            checksum: case.checksum.map(Checksum::from_bytes),
            valid_for: case.valid_for,
        };
        let (ours, sdks) = runtime().block_on(async {
            (Presigner::put(&case.store(), &grant).await.unwrap(), case.sdk_put().await)
        });
        prop_assert_eq!(parts(&ours.url), parts(sdks.uri()));
        let mut headers: Vec<_> = sdks
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .filter(|(name, _)| name != "host" && name != "content-length")
            .collect();
        headers.sort_unstable();
        prop_assert_eq!(ours.headers, headers);
    }

    #[test]
    fn part_urls_equal_the_sdks(case in cases(), number in 1..=10_000_u16, upload in "[!-~]{1,80}") {
        let grant = PartGrant {
            key: case.key.clone(),
            upload: MultipartId::parse(&upload).unwrap(),
            number: PartNumber::new(number).unwrap(),
            bytes: case.bytes,
            valid_for: case.valid_for,
        };
        let (ours, sdks) = runtime().block_on(async {
            (case.store().part(&grant).await.unwrap(), case.sdk_part(&grant).await)
        });
        prop_assert_eq!(parts(&ours.url), parts(sdks.uri()));
        prop_assert_eq!(ours.headers, vec![]);
    }

    #[test]
    fn download_urls_equal_the_sdks(case in cases()) {
        let name = case.download_as.as_deref().and_then(|name| Filename::parse(name).ok());
        let grant = ReadGrant {
            key: case.key.clone(),
            download_as: name,
            mime_type: case.mime_type,
            valid_for: case.valid_for,
        };
        let (ours, sdks) = runtime().block_on(async {
            let ours = Presigner::get(&case.store(), &grant).await.unwrap();
            // The disposition's own format is tested where it is made.
            let disposition = ours
                .url
                .split(['?', '&'])
                .find_map(|pair| pair.strip_prefix("response-content-disposition="))
                .map(decoded);
            assert_eq!(disposition.is_some(), grant.download_as.is_some());
            let sdks = case.sdk_get(disposition).await;
            (ours, sdks)
        });
        prop_assert_eq!(parts(&ours.url), parts(sdks.uri()));
    }

    /// One store signs for changing days and validities: the cached key is never another day's.
    #[test]
    fn a_cached_key_signs_only_its_own_day(case in cases(), days in prop::collection::vec(0..3_i64, 2..6)) {
        let clock = Arc::new(SteppingClock(std::sync::Mutex::new(case.now)));
        let store = S3Store::new(&case.config, clock.clone()).unwrap();
        for day in days {
            let case = Case {
                now: case.now + chrono::Duration::days(day),
                ..case.clone()
            };
            *clock.0.lock().unwrap() = case.now;
            let grant = ReadGrant {
                key: case.key.clone(),
                download_as: None,
                mime_type: case.mime_type,
                valid_for: case.valid_for,
            };
            let (ours, sdks) = runtime().block_on(async {
                (Presigner::get(&store, &grant).await.unwrap(), case.sdk_get(None).await)
            });
            prop_assert_eq!(parts(&ours.url), parts(sdks.uri()));
        }
    }
}

struct SteppingClock(std::sync::Mutex<DateTime<Utc>>);

impl Clock for SteppingClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}
