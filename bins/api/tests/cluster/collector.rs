//! A collector of spans: OTLP over HTTP.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value,
};
use prost::Message as _;

/// Receives spans in the background until the test ends.
pub(crate) struct Collector {
    url: String,
    spans: Arc<Mutex<BTreeSet<ReceivedSpan>>>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReceivedSpan {
    pub(crate) service: String,
    pub(crate) name: String,
    /// Hexadecimal.
    pub(crate) trace: String,
    pub(crate) id: Vec<u8>,
    /// Empty for the first span of a trace.
    pub(crate) parent: Vec<u8>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::<Mutex<BTreeSet<_>>>::default();
        let received = Arc::clone(&spans);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let export = receive(&mut stream.unwrap());
                received.lock().unwrap().extend(export);
            }
        });
        Self { url, spans }
    }

    /// URL for the processes.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> BTreeSet<ReceivedSpan> {
        self.spans.lock().unwrap().clone()
    }
}

/// Receives one export and answers it.
fn receive(stream: &mut TcpStream) -> Vec<ReceivedSpan> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        .unwrap();
    spans(&body)
}

fn spans(body: &[u8]) -> Vec<ReceivedSpan> {
    let export = ExportTraceServiceRequest::decode(body).unwrap();
    let mut spans = Vec::new();
    for of_process in export.resource_spans {
        let attributes = of_process.resource.unwrap_or_default().attributes;
        let service = attributes
            .into_iter()
            .find(|attribute| attribute.key == "service.name");
        let service = match service.and_then(|attribute| attribute.value?.value) {
            Some(Value::StringValue(name)) => name,
            other => panic!("{other:?} is no name of a service"),
        };
        let of_scopes = of_process.scope_spans.into_iter();
        spans.extend(of_scopes.flat_map(|scope| scope.spans).map(|span| ReceivedSpan {
            service: service.clone(),
            name: span.name,
            trace: format!("{:032x}", u128::from_be_bytes(span.trace_id.try_into().unwrap())),
            id: span.span_id,
            parent: span.parent_span_id,
        }));
    }
    spans
}
