//! Log lines and metrics about the ends of jobs and photos.

use std::time::Duration;

use bytes::Bytes;
use rapidphoto_client::types::{JobStatus, PhotoStatus, StatusReason};
use rapidphoto_testkit::{Server, new_user};
use serde_json::Value;

use crate::fixtures::{DataDir, declare, finished_job, jpeg, photo, statuses};

/// Lines of the target `outcomes` with this message.
fn outcomes(server: &Server, message: &str) -> Vec<Value> {
    server
        .log()
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "outcomes" && line["message"] == message)
        .collect()
}

/// Waits for this number of lines; they are written after the commits that clients see.
async fn lines(server: &Server, message: &str, count: usize) -> Vec<Value> {
    let written = async {
        loop {
            let lines = outcomes(server, message);
            if lines.len() >= count {
                return lines;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), written)
        .await
        .unwrap_or_else(|_| panic!("{message}: {}", server.log()))
}

async fn metrics(server: &Server) -> String {
    let response = reqwest::get(format!("{}/metrics", server.api())).await.unwrap();
    response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_of_a_job_or_photo_is_one_log_line_with_the_same_ids() {
    let data_dir = DataDir::new();
    let options = DataDir::options().with("RAPIDPHOTO_LOG__FORMAT", "json");
    let server = data_dir.serve(&options).await;
    let session = new_user(&server.client().unwrap()).await.unwrap();
    let (good, bad) = (photo(1), Bytes::from_static(b"this is no photo"));
    let files = [jpeg(&good), jpeg(&bad), jpeg(&good), jpeg(&good)];
    let (job_id, items) = declare(&session, &files).await;
    session.put(&items[0], good.clone()).await.unwrap();
    session.put(&items[1], bad.clone()).await.unwrap();
    session.delete_photo(&items[2].photo_id).await.unwrap();
    session.finalize(&items[3].photo_id).await.unwrap();
    let job = finished_job(&session, &job_id).await;
    assert_eq!(
        statuses(&job),
        [
            PhotoStatus::Completed,
            PhotoStatus::Rejected,
            PhotoStatus::Cancelled,
            PhotoStatus::Failed
        ]
    );
    assert_eq!(job.status_reason, Some(StatusReason::PhotosRejectedAndFailed));

    let ended = lines(&server, "photo ended", 4).await;
    assert_eq!(ended.len(), 4, "{ended:?}");
    let of = |index: usize| {
        let id = items[index].photo_id.as_str();
        ended.iter().find(|line| line["photoId"] == id).unwrap()
    };
    let completed = of(0);
    assert_eq!(completed["status"], "COMPLETED");
    assert_eq!(completed["bytes"], good.len());
    assert_eq!(completed["reasons"], Value::Null);
    for stage in ["upload_ms", "verify_ms", "process_ms"] {
        assert!(completed[stage].is_u64(), "{stage}: {completed}");
    }
    for step in ["download_ms", "inspect_ms", "store_ms"] {
        assert!(completed["span"][step].is_u64(), "{step}: {completed}");
    }
    let rejected = of(1);
    assert_eq!(rejected["status"], "REJECTED");
    assert_eq!(rejected["reasons"], "unsupported_format");
    assert_eq!(of(2)["status"], "CANCELLED");
    let failed = of(3);
    assert_eq!(
        (&failed["status"], &failed["reasons"]),
        (&"FAILED".into(), &"upload_missing".into())
    );

    let created = lines(&server, "upload job created", 1).await;
    let job_ended = lines(&server, "upload job ended", 1).await;
    assert_eq!((created.len(), job_ended.len()), (1, 1));
    assert_eq!(created[0]["photos"], 4);
    assert!(created[0]["span"]["request_id"].is_string(), "{}", created[0]);
    assert_eq!(job_ended[0]["status"], "COMPLETED_WITH_ERRORS");
    for (member, count) in [("completed", 1), ("rejected", 1), ("failed", 1), ("cancelled", 1)] {
        assert_eq!(job_ended[0][member], count, "{member}");
    }
    assert!(job_ended[0]["total_ms"].as_u64().unwrap() < 3_600_000);
    let user = &created[0]["userId"];
    assert!(user.as_str().unwrap().starts_with("usr_"));
    for line in ended.iter().chain(&job_ended).chain(&created) {
        assert_eq!(
            (&line["jobId"], &line["userId"]),
            (&job_id.as_str().into(), user),
            "{line}"
        );
        assert_eq!(line["level"], "INFO");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_exist_before_their_first_event_and_the_process_is_described() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let text = metrics(&running.server).await;
    let version = env!("CARGO_PKG_VERSION");
    for line in [
        format!("rapidphoto_build_info{{version=\"{version}\"}} 1"),
        "rapidphoto_photo_completed_total 0".to_owned(),
        "rapidphoto_photo_rejected_total{reason=\"corrupt\"} 0".to_owned(),
        "rapidphoto_photo_failed_total{reason=\"processing_error\"} 0".to_owned(),
        "rapidphoto_upload_job_completed_total{status=\"FAILED\"} 0".to_owned(),
        "rapidphoto_storage_events_total{outcome=\"unintelligible\"} 0".to_owned(),
        "rapidphoto_storage_requests_total{operation=\"put_object\",outcome=\"refused\"} 0".to_owned(),
        "rapidphoto_security_events_total{event=\"refresh_token_reused\"} 0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
    }
    assert!(
        text.contains("rapidphoto_connections_refused_total{listener="),
        "{text}"
    );
    if cfg!(target_os = "linux") {
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
    }
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        assert!(
            line.starts_with("rapidphoto_") || line.starts_with("process_"),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_rejected_photos_says_why_it_is_failed() {
    let data_dir = DataDir::new();
    let running = data_dir.start().await;
    let bad = Bytes::from_static(b"this is no photo");
    let (job_id, items) = declare(&running.session, &[jpeg(&bad)]).await;
    running.session.put(&items[0], bad).await.unwrap();
    let job = finished_job(&running.session, &job_id).await;
    assert_eq!((job.status, job.failed_count), (JobStatus::Failed, 0));
    assert_eq!(job.status_reason, Some(StatusReason::PhotosRejected));
    let history = running.session.history(&items[0].photo_id).await.unwrap();
    let rejection = history.events.last().unwrap();
    assert_eq!(rejection.event_type, "PhotoRejected");
    let finding = &rejection.data["reasons"][0];
    assert_eq!(finding["code"], "unsupported_format");
    assert_eq!(finding["check"], finding["code"]);
}
