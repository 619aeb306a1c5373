use actix_web::HttpResponse;
use rapidphoto_api_types::{Subscription, Subscriptions};
use rapidphoto_application::{admin::SubscriptionReport, ports::Scope};
use rapidphoto_domain::UserId;

use crate::{
    call::{Call, HandlerResult, json},
    endpoint::Endpoint,
};

pub(super) fn endpoint() -> Endpoint {
    Endpoint::scoped::<__path_subscriptions>(Scope::Admin, subscriptions)
}

/// Subscriptions to the event log, with their positions and lags.
#[utoipa::path(
    get,
    path = "/admin/subscriptions",
    tag = "administration",
    responses((status = 200, description = "The subscriptions, ordered by name.", body = Subscriptions))
)]
async fn subscriptions(call: Call, _: UserId) -> HandlerResult {
    let use_cases = call.use_cases();
    let reports = call
        .on_main(async move { use_cases.list_subscriptions.handle().await })
        .await??;
    let body = Subscriptions {
        items: reports.into_iter().map(body).collect(),
    };
    json(&mut HttpResponse::Ok(), &body)
}

fn body(report: SubscriptionReport) -> Subscription {
    let (lag, parked) = match report.lag {
        Ok(lag) => (Some(lag), None),
        Err(reason) => (None, Some(reason.0)),
    };
    Subscription {
        name: report.state.name,
        position: report.state.cursor.to_string(),
        leased_until: report.state.leased_until,
        owner: report.state.owner,
        lag: lag.map(|lag| lag.events as u64),
        behind_since: lag.and_then(|lag| lag.since),
        parked,
    }
}
