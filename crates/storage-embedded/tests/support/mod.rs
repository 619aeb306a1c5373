//! A running store and its clients, shared by all test binaries.

mod multipart;
mod notifications;
mod requests;
mod server;

pub(crate) use multipart::{PART, Upload, named, quoted};
pub(crate) use requests::{
    etag, expired_presigning, md5, read_response, request_head, send_bytes, send_presigned, sha256,
    valid_presigning,
};
pub(crate) use server::{
    ACCESS_KEY, BUCKET, FixedClock, REGION, SECRET_KEY, StorageServer, TEST_TIMEOUT, sdk_config,
};
