use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::StoreError;

/// Parses a value stored as text.
pub(crate) fn parsed<T>(what: &'static str, text: &str) -> Result<T, StoreError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|source| StoreError::malformed(what)(Box::new(source)))
}

/// Decodes a value stored as JSON.
pub(crate) fn decoded<T: DeserializeOwned>(what: &'static str, json: Value) -> Result<T, StoreError> {
    serde_json::from_value(json).map_err(|source| StoreError::malformed(what)(Box::new(source)))
}

/// Encodes a value as JSON for storage.
pub(crate) fn encoded<T: Serialize>(what: &'static str, value: &T) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|source| StoreError::Unencodable(what, source))
}
