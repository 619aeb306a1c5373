//! Files that are sent in parts.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use rapidphoto_application::{
    jobs::{
        CreateJob, CreateJobError, CreateJobHandler, CreatedJob, JobItem, RawFile, RenewUpload,
        RenewUploadError, RenewUploadHandler, UploadOptions, UploadStrategy,
    },
    ports::EventMetadata,
    uploads::{
        FinalizeUpload, FinalizeUploadError, FinalizeUploadHandler, OpenUploadError, PartUrls, PartUrlsError,
        PartUrlsHandler, RequestPartUrls, UploadedParts, UploadedPartsHandler,
    },
};
use rapidphoto_domain::{
    PhotoId,
    photo::{MIN_PART_BYTES, Photo},
    values::{Checksum, ETag, PartNumber},
};
use rapidphoto_memory::{ClientAnswer, TestApp, fixtures};
use sha2::{Digest as _, Sha256};

pub(crate) const IN_PARTS: UploadOptions = UploadOptions {
    strategy: UploadStrategy::Parts,
    part_size: Some(MIN_PART_BYTES),
    dedupe: false,
};

/// Size of the last of two parts.
const TAIL: usize = 7;

pub(crate) fn number(number: u16) -> PartNumber {
    PartNumber::new(number).unwrap()
}

/// Bytes of a part of a file with two parts.
pub(crate) fn body(part: u16) -> Bytes {
    let length = if part == 1 {
        usize::try_from(MIN_PART_BYTES).unwrap()
    } else {
        TAIL
    };
    Bytes::from(vec![u8::try_from(part).unwrap(); length])
}

/// A file with two parts, the second of 7 bytes, and its checksum.
pub(crate) fn two_parts() -> RawFile {
    let checksum = Checksum::from_bytes(Sha256::digest([body(1), body(2)].concat()).into());
    RawFile {
        bytes: MIN_PART_BYTES + TAIL as u64,
        checksum: Some(("sha256".to_owned(), checksum.to_string())),
        ..fixtures::file(0)
    }
}

pub(crate) async fn create(
    app: &TestApp,
    files: Vec<RawFile>,
    options: UploadOptions,
) -> Result<CreatedJob, CreateJobError> {
    let command = CreateJob {
        owner: app.owner,
        files,
        options,
        idempotency_key: None,
        metadata: EventMetadata::default(),
    };
    CreateJobHandler::new(&app.ports, Arc::clone(&app.settings))
        .handle(command)
        .await
}

/// Declares one file that is sent in parts.
pub(crate) async fn declare(app: &TestApp, file: RawFile) -> PhotoId {
    create(app, vec![file], IN_PARTS).await.unwrap().items[0].photo
}

pub(crate) async fn part_urls(
    app: &TestApp,
    photo: PhotoId,
    numbers: impl IntoIterator<Item = u16>,
) -> Result<PartUrls, PartUrlsError> {
    let command = RequestPartUrls {
        owner: app.owner,
        photo,
        numbers: numbers.into_iter().map(number).collect(),
        metadata: EventMetadata::default(),
    };
    PartUrlsHandler::new(&app.ports, &app.settings)
        .handle(command)
        .await
}

pub(crate) fn put(app: &TestApp, urls: &PartUrls, part: u16, body: Bytes) -> ClientAnswer {
    let (_, url) = urls
        .parts
        .iter()
        .find(|(known, _)| *known == number(part))
        .unwrap();
    app.objects.put_as_client(url, body)
}

/// Requests the URL of a part and sends its bytes.
pub(crate) async fn send(app: &TestApp, photo: PhotoId, part: u16) -> ETag {
    send_bytes(app, photo, part, body(part)).await
}

pub(crate) async fn send_bytes(app: &TestApp, photo: PhotoId, part: u16, body: Bytes) -> ETag {
    let urls = part_urls(app, photo, [part]).await.unwrap();
    let answer = put(app, &urls, part, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    ETag::parse(&answer.headers[0].1).unwrap()
}

/// Declares a file with two parts and sends both.
pub(crate) async fn sent(app: &TestApp) -> PhotoId {
    let photo = declare(app, two_parts()).await;
    for part in [1, 2] {
        send(app, photo, part).await;
    }
    photo
}

/// Declares a file with one part and sends it.
pub(crate) async fn sent_one(app: &TestApp) -> PhotoId {
    let photo = declare(app, fixtures::file(0)).await;
    send_bytes(app, photo, 1, fixtures::BODY.into()).await;
    photo
}

pub(crate) async fn uploaded(app: &TestApp, photo: PhotoId) -> Result<UploadedParts, OpenUploadError> {
    let handler = UploadedPartsHandler::new(&app.ports, &app.settings);
    handler.handle(app.owner, photo).await
}

pub(crate) async fn finalize(app: &TestApp, photo: PhotoId) -> Result<Photo, FinalizeUploadError> {
    finalize_listed(app, photo, None).await
}

pub(crate) async fn finalize_listed(
    app: &TestApp,
    photo: PhotoId,
    parts: Option<BTreeMap<PartNumber, ETag>>,
) -> Result<Photo, FinalizeUploadError> {
    let command = FinalizeUpload {
        owner: app.owner,
        photo,
        parts,
        metadata: EventMetadata::default(),
    };
    FinalizeUploadHandler::new(&app.ports, app.settings.work)
        .handle(command)
        .await
}

pub(crate) async fn renew(app: &TestApp, photo: PhotoId) -> Result<JobItem, RenewUploadError> {
    let command = RenewUpload {
        owner: app.owner,
        photo,
        metadata: EventMetadata::default(),
    };
    RenewUploadHandler::new(&app.ports, &app.settings)
        .handle(command)
        .await
}
