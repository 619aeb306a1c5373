use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::BoxStream};
use rapidphoto_application::ports::{ProgressTick, ProgressTicks as _};
use rapidphoto_domain::{JobId, PhotoId, UserId, values::Progress};
use rapidphoto_memory::{FakeClock, SeededIds};
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, RabbitTicks};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::{config, shared};

pub(crate) fn tick(photo: u128, sent: u64) -> ProgressTick {
    ProgressTick {
        owner: UserId::from_bits(1),
        job: JobId::from_bits(2),
        photo: PhotoId::from_bits(photo),
        progress: Progress::new(sent, 100),
    }
}

/// The ticks of one process.
pub(crate) struct Process {
    pub(crate) ticks: Arc<RabbitTicks>,
    pub(crate) received: BoxStream<'static, ProgressTick>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Process {
    pub(crate) fn start(config: &BrokerConfig, seed: u64) -> Self {
        let ids = Arc::new(SeededIds::new(seed, Arc::new(FakeClock::default())));
        let ticks = Arc::new(RabbitTicks::new(&Broker::new(config).unwrap(), ids));
        let received = ticks.subscribe();
        let stop = CancellationToken::new();
        let running = tokio::spawn({
            let (ticks, stop) = (Arc::clone(&ticks), stop.clone());
            async move { ticks.run(stop).await }
        });
        Self {
            ticks,
            received,
            stop,
            running,
        }
    }

    pub(crate) async fn next(&mut self) -> ProgressTick {
        let next = tokio::time::timeout(Duration::from_mins(1), self.received.next());
        next.await.expect("a tick").unwrap()
    }

    /// Waits until this process receives the ticks of another one, by ticks of photo 9.
    pub(crate) async fn hears(&mut self, other: &Self) {
        for sent in 0..600 {
            other.ticks.publish(tick(9, sent % 100));
            let heard = tokio::time::timeout(Duration::from_millis(100), self.received.next());
            if heard.await.is_ok() {
                return;
            }
        }
        panic!("not within a minute");
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

/// Ticks up to that of photo 8, without those of photo 9.
async fn up_to_marker(process: &mut Process) -> Vec<ProgressTick> {
    let mut ticks = Vec::new();
    loop {
        let next = process.next().await;
        if next == tick(8, 8) {
            return ticks;
        }
        if next.photo != PhotoId::from_bits(9) {
            ticks.push(next);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ticks_reach_other_processes_coalesced_and_their_own_once() {
    let config = shared();
    let (mut one, mut other) = (Process::start(&config, 1), Process::start(&config, 2));
    other.hears(&one).await;
    one.hears(&other).await;
    for sent in 1..=50 {
        one.ticks.publish(tick(1, sent));
        one.ticks.publish(tick(2, sent));
    }
    let mut newest = Vec::new();
    while newest.len() < 2 {
        let next = other.next().await;
        if next.progress == Progress::new(50, 100) {
            newest.push(next.photo);
        }
    }
    newest.sort_unstable();
    assert_eq!(newest, [PhotoId::from_bits(1), PhotoId::from_bits(2)]);
    // After the marker of the other process, everything from the broker before it has arrived.
    other.ticks.publish(tick(8, 8));
    let own = up_to_marker(&mut one).await;
    assert_eq!(own.len(), 100, "each of the own ticks comes once");
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_ticks_stay_in_the_process() {
    let mut process = Process::start(&config("amqp://127.0.0.1:1"), 1);
    for sent in 1..=3 {
        process.ticks.publish(tick(1, sent));
        assert_eq!(process.next().await, tick(1, sent));
    }
    process.stop().await;
}
