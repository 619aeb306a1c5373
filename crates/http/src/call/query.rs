use actix_web::web;

use crate::problem::{MAX_MESSAGE, Problem, kinds};

/// Maximum number of unknown parameters that a problem lists.
const MAX_LISTED: usize = 20;

/// Query parameters. A handler takes each parameter that it knows; those left are rejected rather than ignored.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(raw: &str) -> Result<Self, Problem> {
        web::Query::<Vec<(String, String)>>::from_query(raw)
            .map(|pairs| Self(pairs.into_inner()))
            .map_err(|error| {
                Problem::new(kinds::BAD_REQUEST).detail(format!("The query could not be parsed: {error}."))
            })
    }

    /// Value of a parameter, if it is present.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let Some(index) = self.0.iter().position(|(key, _)| key == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.swap_remove(index);
        if self.0.iter().any(|(key, _)| key == name) {
            let message = "the parameter occurs more than once";
            return Err(Problem::new(kinds::INVALID_PARAMETER).error_at(name, "repeated", message));
        }
        Ok(Some(value))
    }

    /// Value of a parameter that was not taken, if it is present.
    pub(crate) fn peek(&self, name: &str) -> Option<&str> {
        let mut parameters = self.0.iter();
        let found = parameters.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Parsed value of a parameter; `allowed` describes the valid values to the client.
    pub(crate) fn take_as<T>(
        &mut self,
        name: &str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(raw) = self.take(name)? else {
            return Ok(None);
        };
        parse(&raw).map(Some).ok_or_else(|| {
            let message = format!("the value must be {allowed}");
            Problem::new(kinds::INVALID_PARAMETER).error_at(name, "invalid_value", message)
        })
    }

    /// Rejects the parameters that were not taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown = self.0.into_iter().take(MAX_LISTED);
        let problem = Problem::new(kinds::UNSUPPORTED_PARAMETER);
        Err(unknown.fold(problem, |problem, (name, _)| {
            let name: String = name.chars().take(MAX_MESSAGE).collect();
            let message = "this endpoint does not support the parameter";
            problem.error_at(name, "unsupported_parameter", message)
        }))
    }
}
