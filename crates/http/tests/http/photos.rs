use insta::assert_json_snapshot;
use rapidphoto_application::ports::{Camera, Exposure, Location, PhotoMetadata, TakenAt};
use rapidphoto_domain::photo::{Check, Finding, PerceptualHash};
use rapidphoto_memory::StubInspector;

use crate::{
    app::{BODY, TestApp, text},
    names::renamed,
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
async fn a_photo_shows_what_is_known_of_it_at_each_stage() {
    let app = TestApp::start().await;
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
    let queued = app.get(&path).token(&token).sent(200).await;
    assert_eq!(queued.header("cache-control"), "no-store");
    assert_json_snapshot!("photo_queued", renamed(queued.json()));
    app.put(&job["items"][0]);
    app.work().await;
    let completed = app.get(&path).token(&token).sent(200).await.json();
    assert_json_snapshot!("photo_completed", renamed(completed));
    let history = app
        .get(&format!("{path}/history"))
        .token(&token)
        .sent(200)
        .await
        .json();
    assert_json_snapshot!("photo_history", renamed(history));
}

#[tokio::test]
async fn a_rejected_photo_says_why_with_both_values() {
    let app = TestApp::start().await;
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
    let photo = app.get(&path).token(&token).sent(200).await.json();
    assert_eq!(photo["status"], "REJECTED");
    assert_json_snapshot!("reasons", photo["reasons"]);
}

#[tokio::test]
async fn a_completed_photo_can_be_fetched_in_each_variant() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let job = app.completed_job(&token, 1).await;
    let path = format!(
        "/queries/photos/{}/download-url",
        text(&job["items"][0]["photoId"])
    );
    for (query, type_wanted, name) in [
        ("", "image/jpeg", "0.jpg"),
        ("?variant=original&stripMetadata=false", "image/jpeg", "0.jpg"),
        ("?variant=256", "image/jpeg", "0-256.jpg"),
        ("?variant=1024", "image/jpeg", "0-1024.jpg"),
    ] {
        let answer = app.get(&format!("{path}{query}")).token(&token).sent(200).await;
        assert_eq!(answer.header("cache-control"), "no-store");
        let fetched = app.objects.get_as_client(&text(&answer.json()["url"]));
        assert_eq!(fetched.status, 200);
        let header = |name: &str| {
            fetched
                .headers
                .iter()
                .find(|(known, _)| known == name)
                .unwrap()
                .1
                .clone()
        };
        assert_eq!(header("content-type"), type_wanted);
        assert!(header("content-disposition").ends_with(name), "{fetched:?}");
        assert_eq!(
            fetched.body == BODY,
            query.is_empty() || query.contains("original")
        );
    }
    assert_json_snapshot!(
        "download_url",
        renamed(app.get(&path).token(&token).sent(200).await.json())
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
            .refused(422, code)
            .await;
        assert_eq!(problem["errors"][0]["pointer"], parameter);
    }
}

#[tokio::test]
async fn a_photo_on_its_way_can_not_be_fetched() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let path = format!(
        "/queries/photos/{}/download-url",
        text(&job["items"][0]["photoId"])
    );
    let problem = app
        .get(&path)
        .token(&token)
        .refused(409, "photo_not_completed")
        .await;
    assert_json_snapshot!("photo_not_completed", renamed(problem));
}

#[tokio::test]
async fn a_photo_is_cancelled_on_its_way_and_deleted_at_its_end() {
    let app = TestApp::start().await;
    let token = app.user("ada").await;
    let job = app.job(&token, 1).await;
    let photo = text(&job["items"][0]["photoId"]);
    let give_up = || app.delete(&format!("/commands/photos/{photo}")).token(&token);
    assert_json_snapshot!("photo_cancelled", renamed(give_up().sent(200).await.json()));
    assert_json_snapshot!("photo_deleted", renamed(give_up().sent(200).await.json()));
    give_up().refused(404, "no_such_photo").await;
    for path in [
        format!("/queries/photos/{photo}"),
        format!("/queries/photos/{photo}/history"),
        format!("/queries/photos/{photo}/download-url"),
    ] {
        app.get(&path).token(&token).refused(404, "no_such_photo").await;
    }
}
