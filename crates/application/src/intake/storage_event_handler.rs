use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use metrics::counter;
use rapidphoto_domain::values::{KeySpace, OriginalKey};
use tracing::{Instrument as _, field};

use super::{Arrival, ReportArrival, ReportArrivalHandler, StorageEvent, StorageMessage};
use crate::{
    ports::{Aggregates, MessageError, Ports, StorageMessages, TracedPhoto},
    settings::Settings,
    trace,
};

/// Handler of storage notifications. The reported size and entity tag are not trusted: an event only causes a `look` at
/// the object.
pub struct StorageEventHandler {
    arrivals: ReportArrivalHandler,
    aggregates: Arc<dyn Aggregates>,
    bucket: String,
    keys: KeySpace,
}

impl StorageEventHandler {
    /// Creates a handler.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        for outcome in ["reported", "repeated", "unknown", "unintelligible"] {
            counter!("storage_events_total", "outcome" => outcome).increment(0);
        }
        Self {
            arrivals: ReportArrivalHandler::new(ports, settings.work),
            aggregates: Arc::clone(&ports.database.aggregates),
            bucket: settings.storage.bucket.clone(),
            keys: settings.storage.keys.clone(),
        }
    }

    /// Originals of this deployment among the reported objects, each with its newest event.
    fn originals<'a>(
        &self,
        events: &'a [StorageEvent],
    ) -> BTreeMap<&'a str, (OriginalKey, &'a StorageEvent)> {
        let mut originals = BTreeMap::<_, (OriginalKey, &StorageEvent)>::new();
        for event in events {
            // Checked first, because most events of a busy bucket are about thumbnails and other prefixes.
            let Some(original) = self.keys.parse_original(&event.key) else {
                continue;
            };
            if event.bucket != self.bucket {
                tracing::warn!(
                    bucket = event.bucket,
                    key = event.key,
                    "ignored a storage event of another bucket"
                );
                continue;
            }
            let newest = originals.entry(event.key.as_str()).or_insert((original, event));
            if newest.1.sequencer < event.sequencer {
                newest.1 = event;
            }
        }
        originals
    }

    /// Reports an original in the trace of its photo.
    async fn report_original(&self, original: OriginalKey, event: &StorageEvent) -> Result<(), MessageError> {
        let loaded = self.aggregates.traced_photo(original.photo).await;
        let traced = loaded.map_err(|why| MessageError::Unavailable(why.into()))?;
        let span = tracing::info_span!(
            "storage_event",
            photoId = %original.photo, userId = %original.owner,
            jobId = field::Empty, traceId = field::Empty,
        );
        let traceparent = traced.as_ref().and_then(|traced| traced.traceparent.as_deref());
        trace::follow(&span, traceparent);
        if let Some(traced) = &traced {
            span.record("jobId", field::display(traced.photo.value.job));
        }
        self.report_traced(original, event, traced).instrument(span).await
    }

    async fn report_traced(
        &self,
        original: OriginalKey,
        event: &StorageEvent,
        traced: Option<TracedPhoto>,
    ) -> Result<(), MessageError> {
        let OriginalKey { owner, photo } = original;
        let report = ReportArrival {
            owner,
            photo,
            metadata: trace::metadata(),
        };
        let arrival = self
            .arrivals
            .handle_loaded(report, traced.map(|traced| traced.photo))
            .await
            .map_err(|why| MessageError::Unavailable(why.into()))?;
        let outcome = match arrival {
            Arrival::Reported(_) => "reported",
            Arrival::AlreadyReported(_) => "repeated",
            Arrival::Unknown => {
                tracing::warn!("ignored a storage event of an unknown photo");
                "unknown"
            }
        };
        counter!("storage_events_total", "outcome" => outcome).increment(1);
        tracing::debug!(outcome, size = event.size, "handled a storage event");
        Ok(())
    }
}

#[async_trait]
impl StorageMessages for StorageEventHandler {
    async fn take(&self, body: Bytes) -> Result<(), MessageError> {
        let malformed = |why: String| {
            counter!("storage_events_total", "outcome" => "unintelligible").increment(1);
            MessageError::Malformed(why)
        };
        let message = StorageMessage::read(&body).map_err(|why| malformed(why.to_string()))?;
        for name in &message.ignored {
            tracing::debug!(name, "ignored a storage event that reports no new object");
        }
        for (original, event) in self.originals(&message.created).into_values() {
            self.report_original(original, event).await?;
        }
        match message.malformed.as_slice() {
            [] => Ok(()),
            [only] => Err(malformed(only.clone())),
            [first, others @ ..] => Err(malformed(format!("{first} (and {} more errors)", others.len()))),
        }
    }
}
