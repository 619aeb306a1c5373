//! `rapidphoto store`: the embedded storage as a process of its own, which announces new objects to the message broker.

use std::{
    sync::Arc,
};

use anyhow::Context as _;
use rapidphoto_application::ports::{Clock, Ids};
use rapidphoto_listener::Acceptor;
use rapidphoto_queue_rabbitmq::NotificationPublisher;
use rapidphoto_storage_embedded::{EmbeddedStore, Listener};
use serde_json::json;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, ConfigError, Program, Running, SystemClock, SystemIds, broker,
    listeners,
    serve::{self, Metrics},
    task_group::TaskGroup,
    wiring,
};
