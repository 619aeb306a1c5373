use insta::assert_json_snapshot;
use rapidphoto_application::ports::{Camera, Exposure, Location, PhotoMetadata, TakenAt};
use rapidphoto_domain::photo::{Check, Finding, PerceptualHash};
use rapidphoto_memory::{StubInspector, fixtures::BODY};

use crate::{
    normalize::normalized,
    server::{TestServer, text},
};

fn metadata() -> PhotoMetadata {
    PhotoMetadata {
        taken_at: Some(TakenAt {
            local: "2026-07-14T18:03:11".parse().unwrap(),
            offset_minutes: Some(120),
        }),
        camera: Some(Camera {
            make: Some("Leica".to_owned()),
            model: Some("M6".to_owned()),
            lens: None,
        }),
        location: Some(Location {
            latitude: 48.2,
            longitude: 16.37,
            altitude: None,
        }),
        exposure: Some(Exposure {
            exposure_time: Some(0.004),
            f_number: Some(2.8),
            iso: Some(400),
            focal_length: None,
        }),
        orientation: Some(6),
        software: None,
    }
}

#[tokio::test]
async fn a_photo_shows_its_metadata_at_each_stage() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    app.inspector
        .answer(Ok(rapidphoto_application::ports::Inspection {
            metadata: metadata(),
            perceptual_hash: Some(PerceptualHash(0x00ff)),
            sharpness: Some(12.5),
            ..StubInspector::good_photo()
        }));
    let job = app.job(&token, 1).await;
    let path = format!("/queries/photos/{}", text(&job["items"][0]["photoId"]));
    let queued = app.get(&path).token(&token).expect_status(200).await;
    assert_eq!(queued.header("cache-control"), "no-store");
    assert_json_snapshot!("photo_queued", normalized(queued.json()));
    app.put(&job["items"][0]);
    app.work().await;
    let completed = app.get(&path).token(&token).expect_status(200).await.json();
    assert_json_snapshot!("photo_completed", normalized(completed));
    let history = app
        .get(&format!("{path}/history"))
        .token(&token)
        .expect_status(200)
        .await
        .json();
    assert_json_snapshot!("photo_history", normalized(history));
}

#[tokio::test]
async fn rejection_reasons_have_the_measured_and_allowed_values() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    app.inspector
        .answer(Ok(rapidphoto_application::ports::Inspection {
            findings: vec![Finding::measured(
                Check::TooManyPixels,
                200_000_000_u64,
                100_000_000_u64,
            )],
            ..StubInspector::good_photo()
        }));
    let job = app.completed_job(&token, 1).await;
    let path = format!("/queries/photos/{}", text(&job["items"][0]["photoId"]));
    let photo = app.get(&path).token(&token).expect_status(200).await.json();
    assert_eq!(photo["status"], "REJECTED");
    assert_json_snapshot!("reasons", photo["reasons"]);
}

#[tokio::test]
async fn a_completed_photo_can_be_downloaded_in_each_variant() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.completed_job(&token, 1).await;
    let path = format!(
        "/queries/photos/{}/download-url",
        text(&job["items"][0]["photoId"])
    );
    for (query, content_type, name) in [
        ("", "image/jpeg", "0.jpg"),
        ("?variant=original&stripMetadata=false", "image/jpeg", "0.jpg"),
        ("?variant=256", "image/jpeg", "0-256.jpg"),
        ("?variant=1024", "image/jpeg", "0-1024.jpg"),
    ] {
        let response = app
            .get(&format!("{path}{query}"))
            .token(&token)
            .expect_status(200)
            .await;
        assert_eq!(response.header("cache-control"), "no-store");
        let downloaded = app.objects.get_as_client(&text(&response.json()["url"]));
        assert_eq!(downloaded.status, 200);
        let header = |name: &str| {
            downloaded
                .headers
                .iter()
                .find(|(known, _)| known == name)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(header("content-type"), content_type);
        assert!(header("content-disposition").ends_with(name), "{downloaded:?}");
        assert_eq!(
            downloaded.body == BODY,
            query.is_empty() || query.contains("original")
        );
    }
    assert_json_snapshot!(
        "download_url",
        normalized(app.get(&path).token(&token).expect_status(200).await.json())
    );
    for (query, code, parameter) in [
        ("?variant=512", "invalid_parameter", "variant"),
        ("?variant=256&variant=1024", "invalid_parameter", "variant"),
        (
            "?stripMetadata=true",
            "metadata_stripping_unavailable",
            "stripMetadata",
        ),
        ("?stripMetadata=perhaps", "invalid_parameter", "stripMetadata"),
        ("?size=1", "unsupported_parameter", "size"),
    ] {
        let problem = app
            .get(&format!("{path}{query}"))
            .token(&token)
            .expect_problem(422, code)
            .await;
        assert_eq!(problem["errors"][0]["pointer"], parameter);
    }
}

#[tokio::test]
async fn an_incomplete_photo_can_not_be_downloaded() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let path = format!(
        "/queries/photos/{}/download-url",
        text(&job["items"][0]["photoId"])
    );
    let problem = app
        .get(&path)
        .token(&token)
        .expect_problem(409, "photo_not_completed")
        .await;
    assert_json_snapshot!("photo_not_completed", normalized(problem));
}

#[tokio::test]
async fn deleting_cancels_a_photo_in_progress_and_deletes_a_final_one() {
    let app = TestServer::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let photo = text(&job["items"][0]["photoId"]);
    let delete = || app.delete(&format!("/commands/photos/{photo}")).token(&token);
    assert_json_snapshot!(
        "photo_cancelled",
        normalized(delete().expect_status(200).await.json())
    );
    assert_json_snapshot!(
        "photo_deleted",
        normalized(delete().expect_status(200).await.json())
    );
    delete().expect_problem(404, "no_such_photo").await;
    for path in [
        format!("/queries/photos/{photo}"),
        format!("/queries/photos/{photo}/history"),
        format!("/queries/photos/{photo}/download-url"),
    ] {
        app.get(&path)
            .token(&token)
            .expect_problem(404, "no_such_photo")
            .await;
    }
}
