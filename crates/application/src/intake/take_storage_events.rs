use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use metrics::counter;
use rapidphoto_domain::values::{KeySpace, OriginalKey};

use super::{Arrival, ReportArrival, ReportArrivalHandler, StorageEvent, StorageMessage};
use crate::{
    ports::{EventMetadata, MessageRefused, Ports, StorageMessages},
    settings::Settings,
};

/// Takes storage's notifications in. What an event says of size and tag is not believed; that it came is a reason to
/// look.
#[derive(Clone)]
pub struct TakeStorageEvents {
    arrivals: ReportArrivalHandler,
    bucket: String,
    keys: KeySpace,
}

impl TakeStorageEvents {
    /// The entrance on these ports.
    pub fn new(ports: &Ports, settings: &Settings) -> Self {
        Self {
            arrivals: ReportArrivalHandler::new(ports, settings.work),
            bucket: settings.storage.bucket.clone(),
            keys: settings.storage.keys.clone(),
        }
    }

    /// The originals of this deployment that events tell of, each with its newest event.
    fn originals<'a>(
        &self,
        events: &'a [StorageEvent],
    ) -> BTreeMap<&'a str, (OriginalKey, &'a StorageEvent)> {
        let mut originals = BTreeMap::<_, (OriginalKey, &StorageEvent)>::new();
        for event in events {
            // Thumbnails and other prefixes are most of what a busy bucket tells: they must cost next to nothing.
            let Some(original) = self.keys.parse_original(&event.key) else {
                continue;
            };
            if event.bucket != self.bucket {
                tracing::warn!(
                    bucket = event.bucket,
                    key = event.key,
                    "a storage event of another bucket"
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

    async fn take_original(&self, original: OriginalKey, event: &StorageEvent) -> Result<(), MessageRefused> {
        let OriginalKey { owner, photo } = original;
        let report = ReportArrival {
            owner,
            photo,
            metadata: EventMetadata::default(),
        };
        let arrival = self
            .arrivals
            .handle(report)
            .await
            .map_err(|why| MessageRefused::Unavailable(why.into()))?;
        let outcome = match arrival {
            Arrival::Reported(_) => "reported",
            Arrival::Already(_) => "repeated",
            Arrival::Unknown => {
                tracing::warn!(%owner, %photo, "a storage event of a photo that is not known");
                "unknown"
            }
        };
        counter!("storage_events_total", "outcome" => outcome).increment(1);
        tracing::debug!(%photo, outcome, size = event.size, e_tag = event.e_tag, "a storage event");
        Ok(())
    }
}

#[async_trait]
impl StorageMessages for TakeStorageEvents {
    async fn take(&self, body: Bytes) -> Result<(), MessageRefused> {
        let unintelligible = |why: String| {
            counter!("storage_events_total", "outcome" => "unintelligible").increment(1);
            MessageRefused::Unintelligible(why)
        };
        let message = StorageMessage::read(&body).map_err(|why| unintelligible(why.to_string()))?;
        for name in &message.ignored {
            tracing::debug!(name, "a storage event that tells of no new object");
        }
        for (original, event) in self.originals(&message.created).into_values() {
            self.take_original(original, event).await?;
        }
        if message.broken.is_empty() {
            Ok(())
        } else {
            Err(unintelligible(message.broken.join("; ")))
        }
    }
}
