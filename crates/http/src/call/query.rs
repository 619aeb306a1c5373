use actix_web::web;

use crate::refusal::{Refusal, kinds};

/// A query's parameters. Each is taken out once; what is left is not known here, and is refused rather than ignored.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: &str) -> Result<Self, Refusal> {
        web::Query::<Vec<(String, String)>>::from_query(raw)
            .map(|pairs| Self(pairs.into_inner()))
            .map_err(|error| Refusal::new(kinds::BAD_REQUEST).saying(format!("The query: {error}.")))
    }

    /// A parameter's value, if it is there.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(place) = self.0.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(place);
        if self.0.iter().any(|(key, _)| key == name) {
            let message = "the parameter is there more than once";
            return Err(Refusal::new(kinds::INVALID_PARAMETER).at(name, "repeated", message));
        }
        Ok(Some(value))
    }

    /// A parameter's value, read by `read`; `wanted` says what it can be.
    pub(crate) fn take_as<T>(
        &mut self,
        name: &str,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let Some(raw) = self.take(name)? else {
            return Ok(None);
        };
        read(&raw).map(Some).ok_or_else(|| invalid(name, wanted))
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), Refusal> {
        if self.0.is_empty() {
            return Ok(());
        }
        let refusal = Refusal::new(kinds::UNSUPPORTED_PARAMETER);
        Err(self
            .0
            .into_iter()
            .take(MAX_NAMED)
            .fold(refusal, |refusal, (name, _)| {
                let name: String = name.chars().take(super::MAX_MESSAGE).collect();
                refusal.at(name, "unsupported_parameter", "the parameter is not known here")
            }))
    }
}

/// How many unknown parameters are named at most.
const MAX_NAMED: usize = 20;

/// A parameter that can't have the value it has.
fn invalid(name: &str, wanted: &str) -> Refusal {
    Refusal::new(kinds::INVALID_PARAMETER).at(name, "invalid_value", wanted)
}
