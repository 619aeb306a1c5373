//! Endpoints for operators of a process that serves no API: `/healthz`, `/readyz` and `/metrics`.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rapidphoto_api_types::Health;
use tokio::{net::TcpListener, sync::watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{app::Readiness, operations::readiness_report};

/// Time for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// A process, as operators see it.
#[derive(Clone)]
pub struct Process {
    /// Check of the process' dependencies, for `/readyz`.
    pub readiness: Arc<dyn Readiness>,
    /// Renders all metrics of the process in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// True once the process is stopping: `/readyz` says so.
    pub draining: watch::Receiver<bool>,
}

/// Serves a process' endpoints for operators in plain text until `stop`.
pub async fn serve_process(listener: TcpListener, process: Process, stop: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Such as too many open files, which does not end by itself at once.
                tracing::warn!(%error, "a connection of an operator can't be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (process, stop) = (process.clone(), stop.clone());
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let process = process.clone();
                async move { Ok::<_, Infallible>(process.respond(&request).await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .serve_connection(TokioIo::new(stream), service);
            // Errors are those of the client.
            let _ = stop.run_until_cancelled(connection).await;
        });
    }
    connections.close();
    connections.wait().await;
}

impl Process {
    async fn respond(&self, request: &Request<Incoming>) -> Response<Full<bytes::Bytes>> {
        const JSON: &str = "application/json";
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return response(StatusCode::METHOD_NOT_ALLOWED, JSON, "{}");
        }
        match request.uri().path() {
            "/healthz" => {
                let status = "alive".to_owned();
                let body = serde_json::to_string(&Health { status }).unwrap_or_default();
                response(StatusCode::OK, JSON, body)
            }
            "/readyz" => {
                let stopping = *self.draining.borrow();
                let (is_ready, report) = readiness_report(self.readiness.dependencies().await, stopping);
                let status = if is_ready {
                    StatusCode::OK
                } else {
                    StatusCode::SERVICE_UNAVAILABLE
                };
                response(status, JSON, serde_json::to_string(&report).unwrap_or_default())
            }
            "/metrics" => {
                let text = (self.metrics)();
                response(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text)
            }
            _ => response(StatusCode::NOT_FOUND, JSON, "{}"),
        }
    }
}

fn response(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<bytes::Bytes>,
) -> Response<Full<bytes::Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let content_type = http::HeaderValue::from_static(content_type);
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
