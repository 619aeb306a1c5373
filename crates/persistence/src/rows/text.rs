use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::error::RecordError;

/// Reads what is stored as text.
pub(crate) fn parsed<T>(what: &'static str, text: &str) -> Result<T, RecordError>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse()
        .map_err(|source| RecordError::unreadable(what)(Box::new(source)))
}

/// Reads what is stored as JSON.
pub(crate) fn decoded<T: DeserializeOwned>(what: &'static str, json: Value) -> Result<T, RecordError> {
    serde_json::from_value(json).map_err(|source| RecordError::unreadable(what)(Box::new(source)))
}

/// The JSON that a value is stored as.
pub(crate) fn encoded<T: Serialize>(what: &'static str, value: &T) -> Result<Value, RecordError> {
    serde_json::to_value(value).map_err(|source| RecordError::Unstorable(what, source))
}
