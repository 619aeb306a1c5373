use crate::{commands, endpoint::Endpoint, operations, queries};

/// All endpoints of the API.
pub fn endpoints() -> Vec<Endpoint> {
    [
        commands::endpoints(),
        queries::endpoints(),
        operations::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
