//! Reactions to events.

use std::sync::Arc;

use rapidphoto_application::{
    ports::Ports,
    settings::Settings,
    signals::Signals,
    subscriptions::{AccountErasure, JobCompletion, Reactor, SubscriptionRunner},
};

use crate::task_group::TaskGroup;

/// Starts the reactors that every deployment has, and the relay to a broker, if there is one.
pub(crate) fn spawn(
    tasks: &mut TaskGroup,
    ports: &Ports,
    settings: &Settings,
    signals: &Signals,
    relay: Option<Arc<dyn Reactor>>,
) {
    let completion = Arc::new(JobCompletion::new(ports, settings.work)) as Arc<dyn Reactor>;
    let erasure = Arc::new(AccountErasure::new(ports, settings.work));
    let reactors = [
        ("job completion", Some(completion)),
        ("account erasure", Some(erasure)),
        ("relay", relay),
    ];
    for (name, reactor) in reactors {
        if let Some(reactor) = reactor {
            let runner = SubscriptionRunner::new(reactor, ports, signals.clone(), settings.work.poll);
            tasks.spawn(name, |stop| async move { runner.run(stop).await });
        }
    }
}
