//! The object store in memory fulfils the contract of object stores.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use rapidphoto_application::ports::{MultipartUploads, ObjectStore, Presigner};
use rapidphoto_contracts::{Answer, MultipartHarness, ObjectHarness};
use rapidphoto_memory::{ClientAnswer, FakeClock, MemoryObjects};

struct MemoryHarness {
    clock: Arc<FakeClock>,
    objects: Arc<MemoryObjects>,
}

impl ObjectHarness for MemoryHarness {
    async fn fresh() -> Self {
        let clock = Arc::new(FakeClock::default());
        Self {
            clock: clock.clone(),
            objects: Arc::new(MemoryObjects::new("photos", clock)),
        }
    }

    fn store(&self) -> Arc<dyn ObjectStore> {
        self.objects.clone()
    }

    fn presigner(&self) -> Arc<dyn Presigner> {
        self.objects.clone()
    }

    async fn put(&self, url: &str, headers: &[(String, String)], body: Bytes) -> Answer {
        answer(self.objects.put_with_headers(url, headers, body))
    }

    async fn get(&self, url: &str) -> Answer {
        answer(self.objects.get_as_client(url))
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

impl MultipartHarness for MemoryHarness {
    fn multipart(&self) -> Arc<dyn MultipartUploads> {
        self.objects.clone()
    }
}

fn answer(answer: ClientAnswer) -> Answer {
    let ClientAnswer {
        status,
        headers,
        body,
    } = answer;
    Answer {
        status,
        headers,
        body,
    }
}

rapidphoto_contracts::object_contract!(MemoryHarness);
rapidphoto_contracts::multipart_contract!(MemoryHarness);
