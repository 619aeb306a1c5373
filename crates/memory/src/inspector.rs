use std::{collections::VecDeque, sync::Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rapidphoto_application::ports::{
    EncodedThumbnail, InspectError, Inspection, InspectionLimits, PhotoInspector, PhotoMetadata,
};
use rapidphoto_domain::values::{MimeType, ThumbnailEdge};

use crate::lock::lock;

/// An inspector with results set by a test; by default a valid JPEG photo of 4032 by 3024 pixels.
#[derive(Default)]
pub struct StubInspector(Mutex<Script>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Inspection, InspectError>>,
    inspected: Vec<(Bytes, InspectionLimits)>,
}

impl StubInspector {
    /// Queues a result for one later call, after those queued before.
    pub fn answer(&self, answer: Result<Inspection, InspectError>) {
        lock(&self.0).answers.push_back(answer);
    }

    /// Arguments of all calls, in order.
    pub fn inspected(&self) -> Vec<(Bytes, InspectionLimits)> {
        lock(&self.0).inspected.clone()
    }

    /// Default result.
    pub fn good_photo() -> Inspection {
        Inspection {
            mime_type: Some(MimeType::Jpeg),
            width: 4032,
            height: 3024,
            thumbnails: ThumbnailEdge::ALL.map(thumbnail).into(),
            findings: Vec::new(),
            metadata: PhotoMetadata::default(),
            perceptual_hash: None,
            sharpness: None,
        }
    }
}

/// A thumbnail with only the markers SOI and EOI; no test decodes it.
fn thumbnail(edge: ThumbnailEdge) -> EncodedThumbnail {
    EncodedThumbnail {
        edge,
        width: edge.pixels(),
        height: edge.pixels() / 4 * 3,
        jpeg: Bytes::from_static(&[0xff, 0xd8, 0xff, 0xd9]),
    }
}

#[async_trait]
impl PhotoInspector for StubInspector {
    async fn inspect(&self, bytes: Bytes, limits: InspectionLimits) -> Result<Inspection, InspectError> {
        tokio::task::yield_now().await;
        let mut script = lock(&self.0);
        script.inspected.push((bytes, limits));
        script
            .answers
            .pop_front()
            .unwrap_or_else(|| Ok(Self::good_photo()))
    }
}
