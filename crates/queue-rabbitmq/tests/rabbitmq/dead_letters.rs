//! The dead-letter queue on RabbitMQ fulfils the contract of dead-letter queues.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::ports::{DeadLetters, MessageError};
use rapidphoto_contracts::DeadLetterHarness;
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, RabbitDeadLetters};

use crate::support::{Probe, RunningConsumer, Scripted, shared, until};

struct RabbitHarness {
    config: BrokerConfig,
    probe: Probe,
}

impl DeadLetterHarness for RabbitHarness {
    async fn fresh() -> Self {
        let config = shared();
        Broker::new(&config).unwrap().declare().await.unwrap();
        let probe = Probe::connect(&config).await;
        Self { config, probe }
    }

    fn port(&self) -> Arc<dyn DeadLetters> {
        Arc::new(RabbitDeadLetters::new(&Broker::new(&self.config).unwrap()))
    }

    async fn add(&self, reason: &str, body: Bytes) {
        let before = self.probe.dead().await;
        let reason = reason.to_owned();
        let handler = Scripted::new(move |_: &Bytes, _| Err(MessageError::Malformed(reason.clone())));
        let consumer = RunningConsumer::start(&self.config, handler);
        self.probe.notify([body]).await;
        until("the message is dead-lettered", async || {
            self.probe.dead().await == before + 1
        })
        .await;
        consumer.stop().await;
    }

    async fn redriven(&self, expected: usize) -> Vec<Bytes> {
        let mut bodies = Vec::new();
        for _ in 0..100 {
            while let Some((_, body)) = self.probe.take(&self.probe.names.notifications).await {
                bodies.push(body);
            }
            if bodies.len() >= expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bodies
    }
}

rapidphoto_contracts::dead_letter_contract!(RabbitHarness);
