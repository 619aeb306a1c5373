use std::{collections::BTreeSet, time::Duration};

use rapidphoto_application::ports::Scope;
use rapidphoto_domain::UserId;
use rapidphoto_http::{Access, endpoints};
use serde_json::json;

use crate::{
    samples::{JOB, PHOTO, sample_path},
    server::TestServer,
};

/// All endpoints that require a token: method, path, scope.
fn protected() -> Vec<(&'static str, String, Scope)> {
    let endpoints = endpoints();
    let protected = endpoints.iter().filter_map(|endpoint| match endpoint.access() {
        Access::Public => None,
        Access::Scope(scope) | Access::Stream(scope) => {
            Some((endpoint.method(), sample_path(endpoint.path()), scope))
        }
    });
    let protected: Vec<_> = protected.collect();
    assert_eq!(protected.len(), 27, "{protected:?}");
    protected
}

#[test]
fn every_protected_endpoint_requires_its_scope() {
    let derived = protected();
    let derived: BTreeSet<_> = derived
        .iter()
        .map(|(method, path, scope)| (*method, path.as_str(), scope.as_str()))
        .collect();
    let (read, write, admin) = ("photos:read", "photos:write", "admin");
    let expected: [(&str, &str, &str); 27] = [
        ("POST", "/commands/auth/stream-ticket", read),
        ("POST", "/commands/upload-jobs", write),
        ("POST", &format!("/commands/upload-jobs/{JOB}/cancel"), write),
        ("POST", "/commands/upload/progress", write),
        ("POST", &format!("/commands/upload/{PHOTO}/parts"), write),
        ("POST", &format!("/commands/upload/{PHOTO}/finalize"), write),
        ("POST", &format!("/commands/upload/{PHOTO}/renew"), write),
        ("POST", &format!("/commands/photos/{PHOTO}/retry"), write),
        ("GET", &format!("/queries/upload/{PHOTO}/parts"), read),
        ("DELETE", &format!("/commands/photos/{PHOTO}"), write),
        ("POST", &format!("/commands/photos/{PHOTO}/tags"), write),
        ("DELETE", &format!("/commands/photos/{PHOTO}/tags/beach"), write),
        ("GET", &format!("/queries/upload-jobs/{JOB}"), read),
        ("GET", &format!("/queries/upload-jobs/{JOB}/events"), read),
        ("GET", "/queries/events", read),
        ("GET", "/queries/ws", read),
        ("GET", "/queries/upload-jobs", read),
        ("GET", "/queries/photos", read),
        ("GET", "/queries/tags", read),
        ("GET", &format!("/queries/photos/{PHOTO}"), read),
        ("GET", &format!("/queries/photos/{PHOTO}/download-url"), read),
        ("GET", &format!("/queries/photos/{PHOTO}/history"), read),
        ("GET", "/queries/limits", read),
        ("GET", "/admin/dead-letters", admin),
        ("POST", "/admin/dead-letters/redrive", admin),
        ("POST", "/admin/dead-letters/unknown/redrive", admin),
        ("GET", "/admin/subscriptions", admin),
    ];
    assert_eq!(derived, BTreeSet::from(expected));
}

#[tokio::test]
async fn requests_without_a_valid_token_are_rejected() {
    let app = TestServer::start().await;
    let user = UserId::from_bits(7);
    let all = [Scope::PhotosRead, Scope::PhotosWrite, Scope::Admin];
    let expired = app.token(user, &all, Duration::from_secs(1));
    app.clock.advance(Duration::from_secs(2));
    for (method, path, _) in protected() {
        let request = || app.request(method.parse().unwrap(), &path);
        request().expect_problem(401, "authentication_required").await;
        request()
            .header("authorization", "Bearer")
            .expect_problem(401, "authentication_required")
            .await;
        request()
            .basic("ada@example.org", "x")
            .expect_problem(401, "authentication_required")
            .await;
        request()
            .token(&expired)
            .expect_problem(401, "token_expired")
            .await;
        for forged in ["x", "plain.usr_1.admin.9", &expired[1..]] {
            let problem = request().token(forged).expect_status(401).await;
            assert!(
                problem
                    .header("www-authenticate")
                    .contains("error=\"invalid_token\"")
            );
        }
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let app = TestServer::start().await;
    for (method, path, scope) in protected() {
        let others: Vec<Scope> = [Scope::PhotosRead, Scope::PhotosWrite, Scope::Admin]
            .into_iter()
            .filter(|other| *other != scope)
            .collect();
        let token = app.token(UserId::from_bits(7), &others, Duration::from_mins(1));
        let response = app
            .request(method.parse().unwrap(), &path)
            .token(&token)
            .expect_status(403)
            .await;
        let name = scope.as_str();
        assert!(
            response.text().contains(&format!("`{name}`")),
            "{}",
            response.text()
        );
        let challenge = response.header("www-authenticate");
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains(&format!("scope=\"{name}\"")), "{challenge}");
    }
}

#[tokio::test]
async fn objects_of_another_user_are_not_found() {
    let app = TestServer::start().await;
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let job = app.completed_job(&ada, 1).await;
    let (job, photo) = (
        job["jobId"].as_str().unwrap(),
        job["items"][0]["photoId"].as_str().unwrap(),
    );
    for (method, path, _) in protected() {
        let path = path.replace(JOB, job).replace(PHOTO, photo);
        if !path.contains(job) && !path.contains(photo) {
            continue;
        }
        let mut request = app.request(method.parse().unwrap(), &path).token(&eve);
        if method == "POST" && path.ends_with("/tags") {
            request = request.json(&json!({ "labels": ["beach"] }));
        } else if method == "POST" && path.ends_with("/parts") {
            request = request.json(&json!({ "partNumbers": [1] }));
        }
        let response = request.send().await;
        assert_eq!(response.status, 404, "{method} {path}: {}", response.text());
    }
    let ticket = app
        .post("/commands/auth/stream-ticket")
        .token(&eve)
        .json(&json!({ "jobId": job }));
    ticket.expect_problem(404, "no_such_job").await;
    let tick = json!({ "photoId": photo, "bytesSent": 1, "bytesTotal": 20 });
    let progress = app
        .post("/commands/upload/progress")
        .token(&eve)
        .json(&tick)
        .expect_status(202)
        .await;
    assert_eq!(progress.json()["accepted"], 0);
    let list = app
        .get("/queries/photos")
        .token(&eve)
        .expect_status(200)
        .await
        .json();
    assert_eq!(list["items"], json!([]));
    let own = app
        .get(&format!("/queries/photos/{photo}"))
        .token(&ada)
        .expect_status(200)
        .await
        .json();
    assert_eq!(own["status"], "COMPLETED", "the photo is unchanged");
}
