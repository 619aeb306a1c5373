use std::{sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
    },
};
use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::{
    client,
    config::{SqsConfig, SqsConfigError},
    error::SqsError,
};

/// Maximum number of messages in one request (SQS developer guide, "Amazon SQS message quotas").
pub(crate) const BATCH: usize = 10;

/// Message attribute of a dead letter: why it can't be handled.
pub(crate) const REASON: &str = "reason";

/// A queue of storage notifications and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    pub(crate) config: SqsConfig,
    /// URL of the dead-letter queue, once it is known.
    dead_letter_url: Arc<OnceCell<String>>,
}

/// Redrive policy of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedrivePolicy {
    /// Amazon resource name of the dead-letter queue.
    pub dead_letter_target_arn: String,
    /// Deliveries after which a message is moved there.
    #[serde(deserialize_with = "number")]
    pub max_receive_count: u32,
}

/// Policies contain numbers as numbers or as strings.
fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Number(u32),
        Text(String),
    }
    match Number::deserialize(deserializer)? {
        Number::Number(number) => Ok(number),
        Number::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}

impl SqsQueue {
    /// A queue by its configuration. It sends no request to it.
    ///
    /// # Errors
    /// [`SqsConfigError`] if the configuration is invalid.
    pub async fn new(config: SqsConfig) -> Result<Self, SqsConfigError> {
        Ok(Self {
            client: client::build(&config).await?,
            config,
            dead_letter_url: Arc::default(),
        })
    }

    /// Redrive policy of the queue; `None` if it has none.
    ///
    /// # Errors
    /// [`SqsError`], also if the queue does not exist.
    pub async fn redrive_policy(&self) -> Result<Option<RedrivePolicy>, SqsError> {
        let url = &self.config.queue_url;
        let response = self
            .client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .map_err(|error| SqsError::of("GetQueueAttributes", url, error))?;
        let attributes = response.attributes();
        let policy = attributes.and_then(|attributes| attributes.get(&QueueAttributeName::RedrivePolicy));
        // A removed policy is an empty string.
        let Some(policy) = policy.filter(|policy| !policy.is_empty()) else {
            return Ok(None);
        };
        serde_json::from_str(policy)
            .map(Some)
            .map_err(|_| SqsError::RedrivePolicy {
                url: url.clone(),
                policy: policy.clone(),
            })
    }

    /// URL of the dead-letter queue.
    pub(crate) async fn dead_letter_url(&self) -> Result<&str, SqsError> {
        if let Some(configured) = &self.config.dead_letter_queue_url {
            return Ok(configured);
        }
        let find = || async {
            let url = &self.config.queue_url;
            let policy = self.redrive_policy().await?;
            let arn = policy
                .ok_or_else(|| SqsError::NoDeadLetterQueue(url.clone()))?
                .dead_letter_target_arn;
            // arn:aws:sqs:REGION:ACCOUNT:NAME
            let mut parts = arn.rsplit(':');
            let (Some(name), Some(account)) = (parts.next(), parts.next()) else {
                return Err(SqsError::RedrivePolicy {
                    url: url.clone(),
                    policy: arn,
                });
            };
            let response = self
                .client
                .get_queue_url()
                .queue_name(name)
                .queue_owner_aws_account_id(account)
                .send()
                .await
                .map_err(|error| SqsError::of("GetQueueUrl", &arn, error))?;
            response.queue_url.ok_or(SqsError::NoSuchQueue(arn))
        };
        self.dead_letter_url
            .get_or_try_init(find)
            .await
            .map(String::as_str)
    }

    /// Receives up to 10 messages with their attributes, and hides them for `visibility`.
    pub(crate) async fn receive(
        &self,
        url: &str,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, SqsError> {
        let response = self
            .client
            .receive_message()
            .queue_url(url)
            .max_number_of_messages(seconds_or_count(BATCH as u64))
            .wait_time_seconds(seconds_or_count(wait.as_secs()))
            .visibility_timeout(seconds_or_count(visibility.as_secs()))
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_attribute_names(REASON)
            .send()
            .await
            .map_err(|error| SqsError::of("ReceiveMessage", url, error))?;
        Ok(response.messages.unwrap_or_default())
    }

    /// Sends a message, with the reason why it is a dead letter.
    pub(crate) async fn send(&self, url: &str, body: &str, reason: Option<&str>) -> Result<(), SqsError> {
        let mut request = self.client.send_message().queue_url(url).message_body(body);
        if let Some(reason) = reason {
            let attribute = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(reason)
                .build()
                .map_err(|error| SqsError::request("SendMessage", error))?;
            request = request.message_attributes(REASON, attribute);
        }
        request
            .send()
            .await
            .map_err(|error| SqsError::of("SendMessage", url, error))?;
        Ok(())
    }

    /// Hides a message from other consumers for this time from now on.
    pub(crate) async fn hide(&self, url: &str, receipt: &str, time: Duration) -> Result<(), SqsError> {
        self.client
            .change_message_visibility()
            .queue_url(url)
            .receipt_handle(receipt)
            .visibility_timeout(seconds_or_count(time.as_secs()))
            .send()
            .await
            .map_err(|error| SqsError::of("ChangeMessageVisibility", url, error))?;
        Ok(())
    }

    /// Makes messages visible to other consumers.
    pub(crate) async fn release(&self, url: &str, receipts: &[String]) -> Result<(), SqsError> {
        const OPERATION: &str = "ChangeMessageVisibilityBatch";
        for batch in receipts.chunks(BATCH) {
            let mut request = self.client.change_message_visibility_batch().queue_url(url);
            for (index, receipt) in batch.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(0)
                    .build()
                    .map_err(|error| SqsError::request(OPERATION, error))?;
                request = request.entries(entry);
            }
            request
                .send()
                .await
                .map_err(|error| SqsError::of(OPERATION, url, error))?;
        }
        Ok(())
    }

    /// Deletes up to 10 messages. An error may concern some of them only.
    pub(crate) async fn delete(&self, url: &str, receipts: &[String]) -> Result<(), SqsError> {
        const OPERATION: &str = "DeleteMessageBatch";
        let mut request = self.client.delete_message_batch().queue_url(url);
        for (index, receipt) in receipts.iter().enumerate() {
            let entry = DeleteMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(receipt)
                .build()
                .map_err(|error| SqsError::request(OPERATION, error))?;
            request = request.entries(entry);
        }
        let response = request
            .send()
            .await
            .map_err(|error| SqsError::of(OPERATION, url, error))?;
        match response.failed.first() {
            None => Ok(()),
            Some(failed) => Err(SqsError::request(
                OPERATION,
                format!(
                    "{} of {} messages: {}: {}",
                    response.failed.len(),
                    receipts.len(),
                    failed.code,
                    failed.message.as_deref().unwrap_or("no message")
                ),
            )),
        }
    }
}

fn seconds_or_count(value: u64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redrive_policies_are_read() {
        for count in ["5", "\"5\""] {
            let policy = format!(
                r#"{{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":{count}}}"#
            );
            let policy: RedrivePolicy = serde_json::from_str(&policy).unwrap();
            assert_eq!(policy.max_receive_count, 5);
            assert_eq!(policy.dead_letter_target_arn, "arn:aws:sqs:eu-west-1:1:dead");
        }
    }
}
