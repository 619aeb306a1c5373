use std::collections::BTreeSet;

use aws_sdk_s3::{
    error::BuildError,
    types::{CorsConfiguration, CorsRule},
};

use super::bucket::{
    Bucket, BucketSettings, BucketStep, Found, InitError, add_md5, failed, found, unsupported, up_to_date,
};

const PART: &str = "CORS";
const ID: &str = "rapidphoto";

/// Lets the pages of the origins upload and download.
pub(super) async fn step(bucket: &Bucket, settings: &BucketSettings) -> Result<BucketStep, InitError> {
    let request = bucket.client.get_bucket_cors().bucket(&bucket.name);
    let present = match found(PART, request.send().await)? {
        Found::Some(cors) => cors.cors_rules.unwrap_or_default(),
        Found::None => Vec::new(),
        Found::Unsupported => return Ok(unsupported(PART, description(settings))),
    };
    let wanted = rule(settings).map_err(|error| failed(PART, error))?;
    if settings.allowed_origins.is_empty() || present.iter().any(|rule| is_same(rule, &wanted)) {
        return Ok(up_to_date(PART));
    }
    let mut rules: Vec<_> = present.into_iter().filter(|rule| rule.id() != Some(ID)).collect();
    rules.push(wanted);
    let configuration = CorsConfiguration::builder()
        .set_cors_rules(Some(rules))
        .build()
        .map_err(|error| failed(PART, error))?;
    let request = bucket
        .client
        .put_bucket_cors()
        .bucket(&bucket.name)
        .cors_configuration(configuration)
        .customize()
        .mutate_request(add_md5);
    bucket.apply(PART, description(settings), request.send()).await
}

/// Compares all but the id, which not every store keeps, and the order.
fn is_same(one: &CorsRule, other: &CorsRule) -> bool {
    fn sorted(values: &[String]) -> BTreeSet<&String> {
        values.iter().collect()
    }
    let parts = |rule| {
        let lists = [
            CorsRule::allowed_origins,
            CorsRule::allowed_methods,
            CorsRule::allowed_headers,
            CorsRule::expose_headers,
        ];
        lists.map(|list| sorted(list(rule)))
    };
    parts(one) == parts(other) && one.max_age_seconds() == other.max_age_seconds()
}

fn description(settings: &BucketSettings) -> String {
    format!(
        "allow GET, HEAD and PUT with all headers from {}, and expose ETag",
        settings.allowed_origins.join(", ")
    )
}

fn rule(settings: &BucketSettings) -> Result<CorsRule, BuildError> {
    CorsRule::builder()
        .id(ID)
        .set_allowed_origins(Some(settings.allowed_origins.clone()))
        .set_allowed_methods(Some(["GET", "HEAD", "PUT"].map(str::to_owned).into()))
        .allowed_headers("*")
        .expose_headers("ETag")
        .max_age_seconds(3600)
        .build()
}
