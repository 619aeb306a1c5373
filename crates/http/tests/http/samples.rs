//! Valid parameters of requests.

use serde_json::Value;

pub(crate) const JOB: &str = "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";
pub(crate) const PHOTO: &str = "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";
pub(crate) const UPLOAD_ID: &str = "4b1f9c52-8a5e-4c1d-9f0e-2d6f0c4f7a11";

/// Replaces the parameters of a path template by ids that do not exist.
pub(crate) fn sample_path(template: &str) -> String {
    let path = template
        .replace("{jobId}", JOB)
        .replace("{photoId}", PHOTO)
        .replace("{label}", "beach")
        .replace("{messageId}", "unknown");
    assert!(!path.contains('{'), "{template} has a parameter without a sample");
    path
}

/// Operations of the OpenAPI document: method, path template and description.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut operations = Vec::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation));
        }
    }
    operations
}
