use aws_sdk_s3::{
    error::BuildError,
    types::{
        Event, EventBridgeConfiguration, FilterRule, FilterRuleName, NotificationConfiguration,
        NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter, TopicConfiguration,
    },
};

use super::bucket::{
    Bucket, BucketSettings, BucketStep, Found, InitError, NotificationTarget, add_md5, failed, found,
    unsupported, up_to_date,
};

const PART: &str = "notifications";
const ID: &str = "rapidphoto-originals";

/// Sends notifications of new originals to their receiver.
pub(super) async fn step(bucket: &Bucket, settings: &BucketSettings) -> Result<BucketStep, InitError> {
    let Some(target) = &settings.notifications else {
        return Ok(up_to_date(PART));
    };
    let change = description(settings, target);
    let request = bucket
        .client
        .get_bucket_notification_configuration()
        .bucket(&bucket.name);
    let mut configuration = match found(PART, request.send().await)? {
        Found::Some(present) => NotificationConfiguration::builder()
            .set_topic_configurations(present.topic_configurations)
            .set_queue_configurations(present.queue_configurations)
            .set_lambda_function_configurations(present.lambda_function_configurations)
            .set_event_bridge_configuration(present.event_bridge_configuration)
            .build(),
        Found::None => NotificationConfiguration::builder().build(),
        Found::Unsupported => return Ok(unsupported(PART, change)),
    };
    let changed = add(&mut configuration, target, &settings.prefix).map_err(|error| failed(PART, error))?;
    if !changed {
        return Ok(up_to_date(PART));
    }
    let request = bucket
        .client
        .put_bucket_notification_configuration()
        .bucket(&bucket.name)
        .notification_configuration(configuration)
        .customize()
        .mutate_request(add_md5);
    bucket.apply(PART, change, request.send()).await
}

fn description(settings: &BucketSettings, target: &NotificationTarget) -> String {
    let prefix = &settings.prefix;
    match target {
        NotificationTarget::Queue(arn) | NotificationTarget::Topic(arn) => {
            format!("send s3:ObjectCreated:* of {prefix}…/original to {arn}")
        }
        NotificationTarget::EventBridge => "send events to Amazon EventBridge".to_owned(),
    }
}

/// Adds the target. Returns false if it is there already, perhaps by another's rule: AWS refuses overlapping ones.
fn add(
    configuration: &mut NotificationConfiguration,
    target: &NotificationTarget,
    prefix: &str,
) -> Result<bool, BuildError> {
    match target {
        NotificationTarget::Queue(arn) => {
            let queues = configuration.queue_configurations.get_or_insert_default();
            if queues
                .iter()
                .any(|queue| queue.queue_arn() == arn && covers(queue.events(), queue.filter(), prefix))
            {
                return Ok(false);
            }
            queues.retain(|queue| queue.id() != Some(ID));
            queues.push(
                QueueConfiguration::builder()
                    .id(ID)
                    .queue_arn(arn)
                    .events(Event::S3ObjectCreated)
                    .filter(originals(prefix))
                    .build()?,
            );
        }
        NotificationTarget::Topic(arn) => {
            let topics = configuration.topic_configurations.get_or_insert_default();
            if topics
                .iter()
                .any(|topic| topic.topic_arn() == arn && covers(topic.events(), topic.filter(), prefix))
            {
                return Ok(false);
            }
            topics.retain(|topic| topic.id() != Some(ID));
            topics.push(
                TopicConfiguration::builder()
                    .id(ID)
                    .topic_arn(arn)
                    .events(Event::S3ObjectCreated)
                    .filter(originals(prefix))
                    .build()?,
            );
        }
        NotificationTarget::EventBridge => {
            if configuration.event_bridge_configuration.is_some() {
                return Ok(false);
            }
            configuration.event_bridge_configuration = Some(EventBridgeConfiguration::builder().build());
        }
    }
    Ok(true)
}

fn rules(filter: Option<&NotificationConfigurationFilter>) -> &[FilterRule] {
    filter
        .and_then(NotificationConfigurationFilter::key)
        .map_or(&[], S3KeyFilter::filter_rules)
}

/// Returns true if a rule with these events and this filter sends notifications of all originals.
fn covers(events: &[Event], filter: Option<&NotificationConfigurationFilter>, prefix: &str) -> bool {
    let created = |event: &Event| event.as_str().trim_start_matches("s3:") == "ObjectCreated:*";
    events.iter().any(created)
        && rules(filter).iter().all(|rule| {
            let value = rule.value().unwrap_or_default();
            // AWS answers with names in title case.
            match rule
                .name()
                .map(|name| name.as_str().to_ascii_lowercase())
                .as_deref()
            {
                Some("prefix") => prefix.starts_with(value),
                Some("suffix") => "/original".ends_with(value),
                _ => false,
            }
        })
}

fn originals(prefix: &str) -> NotificationConfigurationFilter {
    let rule = |name, value: &str| FilterRule::builder().name(name).value(value).build();
    let key = S3KeyFilter::builder()
        .filter_rules(rule(FilterRuleName::Prefix, prefix))
        .filter_rules(rule(FilterRuleName::Suffix, "/original"))
        .build();
    NotificationConfigurationFilter::builder().key(key).build()
}
