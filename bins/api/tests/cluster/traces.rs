//! Traces and log lines over the processes of a deployment.

use rapidphoto_client::types::PhotoStatus;
use serde_json::Value;

use crate::{
    collector::{Collector, ReceivedSpan},
    deployment::{Deployment, Program},
    upload::{finished, photos, upload},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_goes_from_the_creation_of_a_job_to_the_last_commit_of_its_photos() {
    let collector = Collector::start();
    let mut deployment = Deployment::start(0, 0).await;
    let more = [
        ("RAPIDPHOTO_LOG__OTLP_ENDPOINT", collector.url()),
        ("RAPIDPHOTO_LOG__FORMAT", "json"),
    ];
    let api = deployment.new_process(Program::Api, &more).await;
    deployment.apis.push(api);
    let mut worker = deployment.new_process(Program::Worker, &more).await;
    let session = deployment.new_user("traced@example.org").await;
    let job = upload(&session, &photos(0, 2), 0).await;
    let snapshot = finished(&session, &job).await;
    let photo = &snapshot.photos[0];
    assert_eq!(photo.status, PhotoStatus::Completed);
    let photo = photo.photo_id.clone();
    // Sends the last spans.
    let mut api = deployment.apis.remove(0);
    for process in [&mut api, &mut worker] {
        assert!(process.terminate().await.unwrap().success());
    }

    // The trace as the log of events has it.
    let traces = deployment.query(&format!(
        "SELECT DISTINCT split_part(metadata->>'traceparent', '-', 2) FROM events WHERE job_id = '{job}'"
    ));
    assert_eq!(
        traces.len(),
        32,
        "one trace for all events of the job: {traces:?}"
    );
    let spans: Vec<ReceivedSpan> = collector.spans().into_iter().collect();
    let of_trace = |service: &str, name: &str| -> Vec<&ReceivedSpan> {
        let named = |span: &&ReceivedSpan| (&*span.service, &*span.name) == (service, name);
        spans
            .iter()
            .filter(named)
            .filter(|span| span.trace == traces)
            .collect()
    };
    let request = of_trace("rapidphoto-api", "http_request");
    assert_eq!(request.len(), 1, "{spans:#?}");
    assert!(request[0].parent.is_empty(), "the trace begins with the request");
    for (name, at_least) in [("storage_event", 2), ("work", 4), ("job_completion", 1)] {
        let in_worker = of_trace("rapidphoto-worker", name);
        assert!(in_worker.len() >= at_least, "{name}: {spans:#?}");
        // The completion follows from the last photo's work.
        assert!(
            name == "job_completion" || in_worker.iter().all(|span| span.parent == request[0].id),
            "{name}: {in_worker:#?}"
        );
    }

    let logs = [
        ("rapidphoto-api", api.log(), "upload job created"),
        ("rapidphoto-worker", worker.log(), "photo ended"),
    ];
    for (program, log, message) in logs {
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let line = lines
            .iter()
            .find(|line| {
                line["message"] == message && (program == "rapidphoto-api" || line["photoId"] == *photo)
            })
            .unwrap_or_else(|| panic!("{program} has no line {message:?}:\n{log}"));
        assert_eq!(
            (&line["jobId"], &line["traceId"]),
            (&job.as_str().into(), &traces.as_str().into())
        );
        // Whatever is logged about a photo says which job and which trace it belongs to.
        for line in lines.iter().filter(|line| line["photoId"] == *photo) {
            assert_eq!(
                (&line["jobId"], &line["traceId"]),
                (&job.as_str().into(), &traces.as_str().into()),
                "{line}"
            );
        }
    }
}
