use crate::{admin, commands, endpoint::Endpoint, operations, queries};

/// All endpoints of the API.
pub fn endpoints() -> Vec<Endpoint> {
    [
        commands::endpoints(),
        queries::endpoints(),
        admin::endpoints(),
        operations::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
