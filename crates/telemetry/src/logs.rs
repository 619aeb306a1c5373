use std::io::{self, IsTerminal as _, Write};

use tracing::Subscriber;
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{self, MakeWriter},
    registry::LookupSpan,
};

use crate::{
    config::{LogFormat, TelemetryError},
    json_lines::JsonLines,
    redaction,
};

/// Levels of noisy libraries. s3s logs every rejected request as an error of its own; failures behind it are logged by the
/// embedded store.
const LIBRARY_LEVELS: &str = "s3s=off,s3s::service=error,\
    aws_runtime=warn,aws_sdk_s3=warn,aws_sigv4=warn,aws_smithy_http_client=warn,aws_smithy_runtime=warn,\
    h2=warn,hyper=warn,hyper_util=warn,mio=warn,reqwest=warn,rustls=warn,tower=warn,\
    opentelemetry=warn,opentelemetry-otlp=warn,opentelemetry_sdk=warn";

/// Parses a filter; a library that it names overrides [`LIBRARY_LEVELS`], an empty filter means `info`.
pub(crate) fn filter(directives: &str) -> Result<EnvFilter, TelemetryError> {
    let directives = if directives.trim().is_empty() {
        "info"
    } else {
        directives
    };
    EnvFilter::builder()
        .parse(format!("{LIBRARY_LEVELS},{directives}"))
        .map_err(TelemetryError::Filter)
}

/// Returns true if log lines go to a terminal.
pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Layer that writes log lines in a format to a writer.
pub(crate) fn layer<S, W>(format: LogFormat, colours: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .with_writer(Redacting(writer))
        // Reporting a closed stderr on stderr would panic.
        .log_internal_errors(false);
    match format {
        LogFormat::Human => lines.with_ansi(colours).boxed(),
        LogFormat::Json => lines.json().event_format(JsonLines::new()).boxed(),
    }
}

/// Writer that redacts secrets. It relies on each line arriving in a single `write`, as `tracing-subscriber` does it.
struct Redacting<W>(W);

impl<'writer, W: MakeWriter<'writer>> MakeWriter<'writer> for Redacting<W> {
    type Writer = Redacting<W::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        Redacting(self.0.make_writer())
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match str::from_utf8(line) {
            Ok(text) => self.0.write_all(redaction::redacted(text).as_bytes())?,
            Err(_) => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::field;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, directives: &str, log: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::registry()
            .with(filter(directives).unwrap())
            .with(layer(format, false, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, log);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_lines_are_objects_with_the_name_of_their_span() {
        let lines = logged(LogFormat::Json, "", || {
            let span = tracing::info_span!("request", id = "r-1");
            span.in_scope(|| tracing::warn!(photo = 7, "too \"big\"\n{}", "\u{1b}[31m"));
            tracing::info!("done");
        });
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["level"], "WARN");
        assert_eq!(lines[0]["photo"], 7);
        assert_eq!(lines[0]["span"]["name"], "request");
        assert_eq!(lines[0]["span"]["id"], "r-1");
        assert!(lines[0]["message"].as_str().unwrap().starts_with("too \"big\"\n"));
        assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["message"], "done");
    }

    #[test]
    fn json_lines_have_the_ids_of_the_spans_around_them() {
        let lines = logged(LogFormat::Json, "", || {
            let outer = tracing::info_span!("work", photoId = "p-1", jobId = "j-1", traceId = field::Empty);
            outer.record("traceId", "t-1");
            outer.in_scope(|| {
                tracing::info!("outer");
                let inner = tracing::info_span!("step", photoId = "p-2");
                inner.in_scope(|| tracing::info!(jobId = "j-2", "inner"));
            });
            tracing::info!("outside");
        });
        let lines: Vec<serde_json::Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let ids = |line: usize| ["traceId", "jobId", "photoId"].map(|name| lines[line][name].as_str());
        assert_eq!(ids(0), [Some("t-1"), Some("j-1"), Some("p-1")]);
        assert_eq!(ids(1), [Some("t-1"), Some("j-2"), Some("p-2")]);
        assert_eq!(ids(2), [None; 3]);
        assert_eq!(lines[1]["span"]["name"], "step");
    }

    #[test]
    fn a_redacted_json_line_is_still_an_object() {
        let lines = logged(LogFormat::Json, "info", || {
            tracing::info!(
                uri = "/queries/events?ticket=st_s3cr3t&x=1",
                header = "Bearer s3cr3t",
                debug = ?("authorization", "Bearer s3cr3t"),
                ticket = "s3cr3t",
                "asked"
            );
        });
        assert!(!lines.contains("s3cr3t"), "{lines}");
        let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["message"], "asked");
        assert_eq!(line["uri"], "/queries/events?ticket=…&x=1");
    }

    #[test]
    fn human_readable_lines_contain_no_secrets() {
        let line = logged(LogFormat::Human, "info", || {
            tracing::info!(
                password = "s3cr3t",
                "got {}",
                "https://s3/b/k?X-Amz-Date=1&X-Amz-Signature=s3cr3t"
            );
        });
        assert!(line.contains("X-Amz-Date=1"), "{line}");
        assert!(!line.contains("s3cr3t"), "{line}");
    }

    #[test]
    fn noisy_libraries_log_nothing_until_the_filter_names_them() {
        let log = || {
            tracing::error!(target: "s3s::ops", "a client's mistake");
            tracing::info!(target: "hyper::proto", "chatter");
            tracing::debug!(target: "rapidphoto_http", "detail");
        };
        assert_eq!(logged(LogFormat::Human, "info", log), "");
        let debug = logged(LogFormat::Human, "debug", log);
        assert!(
            debug.contains("detail") && !debug.contains("chatter") && !debug.contains("mistake"),
            "{debug}"
        );
        let named = logged(LogFormat::Human, "info,hyper=info,s3s=error", log);
        assert!(
            named.contains("chatter") && named.contains("mistake") && !named.contains("detail"),
            "{named}"
        );
    }

    #[test]
    fn invalid_filters_are_errors() {
        assert!(matches!(
            filter("rapidphoto=loud"),
            Err(TelemetryError::Filter(_))
        ));
        assert!(filter("info,rapidphoto_http=trace").is_ok());
    }
}
