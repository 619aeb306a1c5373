use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, BrokerError};

use crate::support::{Probe, shared};

async fn declare(config: &BrokerConfig) -> Result<(), BrokerError> {
    Broker::new(config).unwrap().declare().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_topology_is_declared_again_without_an_effect() {
    let config = shared();
    declare(&config).await.unwrap();
    let probe = Probe::connect(&config).await;
    probe.notify(["kept"]).await;
    declare(&config).await.unwrap();
    assert_eq!((probe.waiting().await, probe.dead().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_with_different_prefixes_share_a_broker() {
    let (one, other) = (shared(), shared());
    declare(&one).await.unwrap();
    declare(&other).await.unwrap();
    let (one, other) = (Probe::connect(&one).await, Probe::connect(&other).await);
    one.notify(["a"]).await;
    assert_eq!((one.waiting().await, other.waiting().await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_another_limit_is_an_error_that_names_both_values() {
    let mut config = shared();
    config.delivery_limit = 3;
    declare(&config).await.unwrap();
    config.delivery_limit = 5;
    let error = declare(&config).await.unwrap_err();
    let BrokerError::Mismatch { kind, name, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(
        (*kind, name.as_str()),
        ("queue", format!("{}.storage-events", config.prefix).as_str())
    );
    let text = error.to_string();
    for part in ["x-delivery-limit", "'5'", "'3'", "delete"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_queue_or_exchange_of_another_type_is_an_error() {
    let config = shared();
    let probe = Probe::connect(&config).await;
    let options = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let exchange = probe.names.events.as_str();
    let declared = probe.channel.exchange_declare(
        exchange.into(),
        ExchangeKind::Direct,
        options,
        FieldTable::default(),
    );
    declared.await.unwrap();
    let error = declare(&config).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Mismatch { kind: "exchange", name, .. } if name == exchange),
        "{error:?}"
    );

    let config = shared();
    let probe = Probe::connect(&config).await;
    let queue = probe.names.dead_letters.as_str();
    let options = QueueDeclareOptions {
        durable: true,
        ..QueueDeclareOptions::default()
    };
    let declared = probe
        .channel
        .queue_declare(queue.into(), options, FieldTable::default());
    declared.await.unwrap();
    let error = declare(&config).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Mismatch { kind: "queue", name, .. } if name == queue),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_is_an_error_without_the_password() {
    let mut config = shared();
    config.password = Some("hunter2".to_owned());
    let error = declare(&config).await.unwrap_err();
    assert!(matches!(error, BrokerError::Unreachable(_)), "{error:?}");
    assert!(format!("{error:?}").contains("ACCESS_REFUSED"), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
