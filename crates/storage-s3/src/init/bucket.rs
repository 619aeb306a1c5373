//! The bucket that is set up, and the settings that it should have.

use std::fmt;

use aws_sdk_s3::{
    Client,
    config::http::{HttpRequest, HttpResponse},
    error::{ProvideErrorMetadata, SdkError},
    operation::{create_bucket::CreateBucketError, head_bucket::HeadBucketError},
    types::{BucketLocationConstraint, CreateBucketConfiguration, PublicAccessBlockConfiguration},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use rapidphoto_application::ports::Unavailable;

use crate::{config::S3ConfigError, errors};

/// Settings that the bucket should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// Origins of the pages that upload, such as `https://photos.example`; no CORS rule if there are none.
    pub allowed_origins: Vec<String>,
    /// Prefix of the deployment's keys, such as `prod/`. Rules apply to it alone.
    pub prefix: String,
    /// Age in days at which incomplete multipart uploads are removed; at least 1.
    pub abort_uploads_after_days: i32,
    /// Age in days at which objects of 512 KiB and more, which are originals, move to the storage class `STANDARD_IA`; at
    /// least 30, as AWS requires.
    pub infrequent_access_after_days: Option<i32>,
    /// Receiver of notifications of new originals.
    pub notifications: Option<NotificationTarget>,
}

/// Receiver of notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationTarget {
    /// ARN of an SQS queue.
    Queue(String),
    /// ARN of an SNS topic, or of a topic of Ceph, which sends to its AMQP broker.
    Topic(String),
    /// Amazon EventBridge, whose rules are made elsewhere.
    EventBridge,
}

impl BucketSettings {
    pub(super) fn check(&self) -> Result<(), InitError> {
        if self.abort_uploads_after_days < 1 {
            return Err(InitError::Days {
                what: "incomplete uploads are removed",
                days: self.abort_uploads_after_days,
                minimum: 1,
            });
        }
        match self.infrequent_access_after_days {
            Some(days) if days < 30 => Err(InitError::Days {
                what: "objects move to infrequent access",
                days,
                minimum: 30,
            }),
            _ => Ok(()),
        }
    }
}

/// A part of the bucket's settings, with what was found and done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketStep {
    /// The part, such as `CORS`.
    pub part: &'static str,
    /// Its state.
    pub state: BucketState,
}

/// State of a part of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketState {
    /// It is as it should be.
    UpToDate,
    /// It differs; a dry run has left it so. Contains the change.
    Differs(String),
    /// It has been changed. Contains the change.
    Changed(String),
    /// The store has no such setting in its S3 API. Contains what to set by hand.
    Unsupported(String),
}

impl fmt::Display for BucketStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.part;
        match &self.state {
            BucketState::UpToDate => write!(f, "{part}: up to date"),
            BucketState::Differs(change) => write!(f, "{part}: would {change}"),
            BucketState::Changed(change) => write!(f, "{part}: done: {change}"),
            BucketState::Unsupported(change) => {
                write!(f, "{part}: not supported by this store: set it by hand: {change}")
            }
        }
    }
}

/// The bucket's settings can't be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The connection is configured wrongly.
    #[error("the configuration of the object storage is invalid")]
    Config(#[from] S3ConfigError),
    /// A number of days is below its minimum.
    #[error("{what} after {days} days; it must be {minimum} at least")]
    Days {
        /// Event that happens then.
        what: &'static str,
        /// Configured number of days.
        days: i32,
        /// Smallest valid number.
        minimum: i32,
    },
    /// The store can't be reached, or refuses a change.
    #[error("{part} of the bucket can't be read or changed")]
    Store {
        /// Part of the settings, such as `CORS`.
        part: &'static str,
        /// Cause.
        #[source]
        source: Unavailable,
    },
}

/// The bucket that is set up.
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) region: String,
    pub(super) is_aws: bool,
    pub(super) dry_run: bool,
}

/// Answer of the store to a request for a setting.
pub(super) enum Found<T> {
    Some(T),
    None,
    Unsupported,
}

impl Bucket {
    pub(super) async fn create(&self) -> Result<BucketStep, InitError> {
        let part = "bucket";
        let change = format!("create {}", self.name);
        match self.client.head_bucket().bucket(&self.name).send().await {
            Ok(_) => return Ok(up_to_date(part)),
            Err(SdkError::ServiceError(error)) if matches!(error.err(), HeadBucketError::NotFound(_)) => {}
            Err(error) => return Err(failed(part, error)),
        }
        if self.dry_run {
            return Ok(BucketStep {
                part,
                state: BucketState::Differs(format!("{change}, and then its settings")),
            });
        }
        let mut request = self.client.create_bucket().bucket(&self.name);
        // AWS requires the region, except for its first one. Other stores know no such constraint.
        if self.is_aws && self.region != "us-east-1" {
            request = request.create_bucket_configuration(
                CreateBucketConfiguration::builder()
                    .location_constraint(BucketLocationConstraint::from(self.region.as_str()))
                    .build(),
            );
        }
        match request.send().await {
            Ok(_) => {}
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), CreateBucketError::BucketAlreadyOwnedByYou(_)) => {}
            Err(error) => return Err(failed(part, error)),
        }
        Ok(BucketStep {
            part,
            state: BucketState::Changed(change),
        })
    }

    pub(super) async fn block_public_access(&self) -> Result<BucketStep, InitError> {
        let part = "public access block";
        let change = "block all public access".to_owned();
        // With BlockPublicAcls, Ceph 16 refuses all uploads. Public ACLs are ignored anyway.
        let block_acls = self.is_aws;
        let wanted = PublicAccessBlockConfiguration::builder()
            .block_public_acls(block_acls)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self.client.get_public_access_block().bucket(&self.name);
        let found = match request.send().await {
            // Ceph 16 answers with another root element than AWS, which the SDK does not read.
            Err(error) if errors::status(&error) == Some(200) => {
                let body = error.raw_response().and_then(|response| response.body().bytes());
                let body = String::from_utf8_lossy(body.unwrap_or_default());
                Found::Some(
                    PublicAccessBlockConfiguration::builder()
                        .block_public_acls(block_acls)
                        .ignore_public_acls(body.contains("<IgnorePublicAcls>true<"))
                        .block_public_policy(body.contains("<BlockPublicPolicy>true<"))
                        .restrict_public_buckets(body.contains("<RestrictPublicBuckets>true<"))
                        .build(),
                )
            }
            answer => match found(part, answer)? {
                Found::Some(block) => block
                    .public_access_block_configuration
                    .map_or(Found::None, Found::Some),
                Found::None => Found::None,
                Found::Unsupported => Found::Unsupported,
            },
        };
        match found {
            Found::Some(block) if block == wanted => Ok(up_to_date(part)),
            Found::Unsupported => Ok(unsupported(part, change)),
            Found::Some(_) | Found::None => {
                let request = self
                    .client
                    .put_public_access_block()
                    .bucket(&self.name)
                    .public_access_block_configuration(wanted);
                self.apply(part, change, request.customize().mutate_request(add_md5).send())
                    .await
            }
        }
    }

    /// Sends the request that makes a change, unless this is a dry run.
    pub(super) async fn apply<T, E>(
        &self,
        part: &'static str,
        change: String,
        request: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<BucketStep, InitError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let state = if self.dry_run {
            BucketState::Differs(change)
        } else {
            match request.await {
                Ok(_) => BucketState::Changed(change),
                Err(error) if errors::is_unsupported(&error) => BucketState::Unsupported(change),
                Err(error) => return Err(failed(part, error)),
            }
        };
        Ok(BucketStep { part, state })
    }
}

/// Tells a missing setting and a missing feature from errors.
pub(super) fn found<T, E>(
    part: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Found<T>, InitError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(setting) => Ok(Found::Some(setting)),
        Err(error) if errors::is_missing(&error) => Ok(Found::None),
        Err(error) if errors::is_unsupported(&error) => Ok(Found::Unsupported),
        Err(error) => Err(failed(part, error)),
    }
}

pub(super) fn failed(part: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> InitError {
    InitError::Store {
        part,
        source: Unavailable::storage(error),
    }
}

pub(super) const fn up_to_date(part: &'static str) -> BucketStep {
    BucketStep {
        part,
        state: BucketState::UpToDate,
    }
}

pub(super) const fn unsupported(part: &'static str, change: String) -> BucketStep {
    BucketStep {
        part,
        state: BucketState::Unsupported(change),
    }
}

/// Adds the MD5 of the body, which Ceph requires for some settings; the SDK sends a CRC32 instead.
pub(super) fn add_md5(request: &mut HttpRequest) {
    if let Some(body) = request.body().bytes() {
        let digest = STANDARD.encode(Md5::digest(body));
        request.headers_mut().insert("content-md5", digest);
    }
}
