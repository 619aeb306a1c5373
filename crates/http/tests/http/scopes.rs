use std::time::Duration;

use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;
use serde_json::json;

use crate::app::TestApp;

const JOB: &str = "job_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";
const PHOTO: &str = "ph_01KAGZ3T6W8Q3M5V7Y9B1D3F5H";

/// Every endpoint that wants a token: method, path, scope.
fn guarded() -> Vec<(&'static str, String, Scope)> {
    let (read, write) = (Scope::PhotosRead, Scope::PhotosWrite);
    vec![
        ("POST", "/commands/auth/stream-ticket".to_owned(), read),
        ("POST", "/commands/upload-jobs".to_owned(), write),
        ("POST", format!("/commands/upload-jobs/{JOB}/cancel"), write),
        ("POST", "/commands/upload/progress".to_owned(), write),
        ("POST", format!("/commands/upload/{PHOTO}/finalize"), write),
        ("DELETE", format!("/commands/photos/{PHOTO}"), write),
        ("GET", format!("/queries/upload-jobs/{JOB}"), read),
        ("GET", format!("/queries/upload-jobs/{JOB}/events"), read),
        ("GET", "/queries/events".to_owned(), read),
        ("GET", "/queries/photos".to_owned(), read),
        ("GET", format!("/queries/photos/{PHOTO}"), read),
        ("GET", format!("/queries/photos/{PHOTO}/download-url"), read),
        ("GET", format!("/queries/photos/{PHOTO}/history"), read),
    ]
}

#[tokio::test]
async fn nothing_is_told_without_a_good_token() {
    let app = TestApp::start().await;
    let user = UserId::from_bits(7);
    let all = [Scope::PhotosRead, Scope::PhotosWrite, Scope::Admin];
    let good = app.token(user, &all, Duration::from_secs(1));
    app.clock.advance(Duration::from_secs(2));
    for (method, path, _) in guarded() {
        let ask = || app.ask(method.parse().unwrap(), &path);
        ask().refused(401, "authentication_required").await;
        ask()
            .header("authorization", "Bearer")
            .refused(401, "authentication_required")
            .await;
        ask()
            .basic("ada@example.org", "x")
            .refused(401, "authentication_required")
            .await;
        ask().token(&good).refused(401, "token_expired").await;
        for forged in ["x", "plain.usr_1.admin.9", &good[1..]] {
            let problem = ask().token(forged).sent(401).await;
            assert!(
                problem
                    .header("www-authenticate")
                    .contains("error=\"invalid_token\"")
            );
        }
    }
}

#[tokio::test]
async fn a_token_without_the_scope_is_told_which_one_is_missing() {
    let app = TestApp::start().await;
    for (method, path, scope) in guarded() {
        let others: Vec<Scope> = [Scope::PhotosRead, Scope::PhotosWrite, Scope::Admin]
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        let token = app.token(UserId::from_bits(7), &others, Duration::from_mins(1));
        let refused = app
            .ask(method.parse().unwrap(), &path)
            .token(&token)
            .sent(403)
            .await;
        let name = scope.as_str();
        assert!(
            refused.text().contains(&format!("`{name}`")),
            "{}",
            refused.text()
        );
        let challenge = refused.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains(&format!("scope=\"{name}\"")), "{challenge}");
    }
}

#[tokio::test]
async fn another_users_things_are_not_there() {
    let app = TestApp::start().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let job = app.completed_job(&ada, 1).await;
    let (job, photo) = (
        job["jobId"].as_str().unwrap(),
        job["items"][0]["photoId"].as_str().unwrap(),
    );
    for (method, path, _) in guarded() {
        let path = path.replace(JOB, job).replace(PHOTO, photo);
        if !path.contains(job) && !path.contains(photo) {
            continue;
        }
        let theirs = app.ask(method.parse().unwrap(), &path).token(&eve).send().await;
        assert_eq!(theirs.status, 404, "{method} {path}: {}", theirs.text());
    }
    let ticket = app
        .post("/commands/auth/stream-ticket")
        .token(&eve)
        .json(&json!({ "jobId": job }));
    ticket.refused(404, "no_such_job").await;
    let tick = json!({ "photoId": photo, "bytesSent": 1, "bytesTotal": 20 });
    let progress = app
        .post("/commands/upload/progress")
        .token(&eve)
        .json(&tick)
        .sent(202)
        .await;
    assert_eq!(progress.json()["accepted"], 0);
    let list = app.get("/queries/photos").token(&eve).sent(200).await.json();
    assert_eq!(list["items"], json!([]));
    let own = app
        .get(&format!("/queries/photos/{photo}"))
        .token(&ada)
        .sent(200)
        .await
        .json();
    assert_eq!(own["status"], "COMPLETED", "nobody has touched it");
}
