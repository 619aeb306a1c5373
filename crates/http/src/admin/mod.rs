//! Endpoints for operators with the scope `admin`.

mod dead_letters;
mod subscriptions;

use crate::endpoint::Endpoint;

pub(crate) fn endpoints() -> Vec<Endpoint> {
    vec![
        dead_letters::list_endpoint(),
        dead_letters::redrive_all_endpoint(),
        dead_letters::redrive_endpoint(),
        subscriptions::endpoint(),
    ]
}
