//! Server-sent events (the HTML standard's text/event-stream).

mod frame;
mod pump;
mod teller;

use actix_web::{HttpResponse, http::header};
use bytes::Bytes;
use futures::stream;
use rapidphoto_application::live::LiveStream;
use rapidphoto_domain::UserId;
use tokio::sync::mpsc;

use crate::call::Call;
use pump::Pump;
use teller::Teller;

/// How many frames wait for a client that reads slowly. What does not fit waits in the live tail, which disconnects a
/// watcher that falls behind too far.
const FRAMES_WAITING: usize = 64;

/// Answers with a stream.
pub(crate) fn answer(call: &Call, owner: UserId, live: LiveStream) -> HttpResponse {
    let config = &call.shared.app.config;
    let (frames, receiver) = mpsc::channel::<Bytes>(FRAMES_WAITING);
    let pump = Pump {
        owner,
        use_cases: call.use_cases(),
        live,
        frames,
        teller: Teller::new(config.poll_after),
        heartbeat: config.heartbeat,
        closing: call.shared.closing.clone(),
    };
    // The log is read on the main runtime; the worker only passes frames on.
    call.shared.app.main_runtime.spawn(pump.run());
    let body = stream::unfold(receiver, |mut receiver| async move {
        let frame = receiver.recv().await?;
        Some((Ok::<_, std::convert::Infallible>(frame), receiver))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store, no-transform"))
        // Tells nginx, and those who follow it, to pass every frame on at once.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body)
}
