use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use metrics::counter;
use rapidphoto_application::ports::{BoxError, Unavailable};

/// A request to SQS failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqsError {
    /// The queue does not exist.
    #[error("the queue {0} does not exist; create it, or correct its URL in the configuration")]
    NoSuchQueue(String),
    /// The queue has a redrive policy that does not name a queue.
    #[error("the redrive policy of the queue {url} can't be read: {policy}")]
    RedrivePolicy {
        /// URL of the queue.
        url: String,
        /// The policy.
        policy: String,
    },
    /// No queue is known for messages that can't be handled.
    #[error(
        "the queue {0} has no dead-letter queue; add a redrive policy to it, or configure a dead-letter queue"
    )]
    NoDeadLetterQueue(String),
    /// SQS can't be reached, or refused the request.
    #[error("the request {operation} to SQS failed")]
    Request {
        /// Name of the operation.
        operation: &'static str,
        /// Cause.
        #[source]
        source: BoxError,
    },
}

impl SqsError {
    /// Error of a request about a queue.
    pub(crate) fn of<E, R>(operation: &'static str, url: &str, error: SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        // The first is the code of the query protocol, which servers still send in a header.
        if matches!(
            error.code(),
            Some("AWS.SimpleQueueService.NonExistentQueue" | "QueueDoesNotExist")
        ) {
            return Self::NoSuchQueue(url.to_owned());
        }
        Self::request(operation, error)
    }

    pub(crate) fn request(operation: &'static str, source: impl Into<BoxError>) -> Self {
        Self::Request {
            operation,
            source: source.into(),
        }
    }
}

impl From<SqsError> for Unavailable {
    fn from(error: SqsError) -> Self {
        Self {
            what: "the dead-letter queue",
            source: error.into(),
        }
    }
}

/// Logs and counts a failed request.
pub(crate) fn failed(error: &SqsError, what: &str) {
    counter!("sqs_request_failures_total").increment(1);
    tracing::warn!(error = error as &dyn std::error::Error, "{what}");
}
