use std::time::Duration;

use insta::assert_json_snapshot;
use rapidphoto_application::settings::Registration;
use serde_json::json;

use crate::{
    normalize::normalized,
    server::{TestServer, text},
};

#[tokio::test]
async fn a_registered_user_can_log_in() {
    let app = TestServer::start().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let registered = app
        .post("/commands/auth/register")
        .json(&account)
        .expect_status(201)
        .await;
    assert_json_snapshot!("registered", normalized(registered.json()));
    let tokens = app
        .post("/commands/auth/login")
        .json(&account)
        .expect_status(200)
        .await;
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_json_snapshot!("tokens", normalized(tokens.json()));
    let basic = app
        .post("/commands/auth/login")
        .basic("ada@example.org", "correct horse battery");
    let token = text(&basic.expect_status(200).await.json()["accessToken"]);
    app.get("/queries/photos").token(&token).expect_status(200).await;
}

#[tokio::test]
async fn registration_errors_name_the_field() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let register = |email: &str, password: &str| {
        app.post("/commands/auth/register")
            .json(&json!({ "email": email, "password": password }))
    };
    let good = "correct horse battery";
    let taken = register("ADA@example.org", good)
        .expect_problem(409, "email_taken")
        .await;
    assert_json_snapshot!("email_taken", normalized(taken));
    let bad = register("no address", good)
        .expect_problem(422, "invalid_email")
        .await;
    assert_eq!(bad["errors"][0]["pointer"], "/email");
    let short = register("bob@example.org", "short")
        .expect_problem(422, "invalid_password")
        .await;
    assert_eq!(short["errors"][0]["pointer"], "/password");
    let closed = TestServer::with(|parts| parts.settings.auth.registration = Registration::Closed).await;
    let account = json!({ "email": "ada@example.org", "password": good });
    let register = closed.post("/commands/auth/register").json(&account);
    register.expect_problem(403, "registration_closed").await;
}

#[tokio::test]
async fn all_wrong_credentials_get_the_same_response() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let log_in = |email: &str| {
        let credentials = json!({ "email": email, "password": "wrong horse battery" });
        app.post("/commands/auth/login").json(&credentials)
    };
    let mut wrong = log_in("ada@example.org")
        .expect_problem(401, "invalid_credentials")
        .await;
    let mut unknown = log_in("bob@example.org")
        .expect_problem(401, "invalid_credentials")
        .await;
    let mut absurd = log_in("no address")
        .expect_problem(401, "invalid_credentials")
        .await;
    for problem in [&mut wrong, &mut unknown, &mut absurd] {
        problem["requestId"] = json!(null);
    }
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, absurd);
}

#[tokio::test]
async fn the_challenge_is_basic_only_after_basic_credentials() {
    let app = TestServer::start().await;
    let body = json!({ "email": "ada@example.org", "password": "wrong horse battery" });
    let by_body = app
        .post("/commands/auth/login")
        .json(&body)
        .expect_status(401)
        .await;
    assert!(by_body.header("www-authenticate").starts_with("Bearer "));
    let by_basic = app.post("/commands/auth/login").basic("ada@example.org", "wrong");
    assert!(
        by_basic
            .expect_status(401)
            .await
            .header("www-authenticate")
            .starts_with("Basic ")
    );
}

#[tokio::test]
async fn invalid_basic_credentials_are_rejected() {
    let app = TestServer::start().await;
    // Not base64; not UTF-8; no colon.
    for header in ["Basic %%%", "Basic //79", "Basic YWRh"] {
        let problem = app.post("/commands/auth/login").header("authorization", header);
        let problem = problem.expect_problem(422, "invalid_header").await;
        assert_eq!(problem["errors"][0]["pointer"], "Authorization");
    }
    let both = app
        .post("/commands/auth/login")
        .basic("ada@example.org", "correct horse battery");
    both.json(&json!({}))
        .expect_problem(422, "ambiguous_credentials")
        .await;
}

#[tokio::test]
async fn logins_after_five_failures_in_a_minute_are_rejected() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let log_in = |password: &str| {
        let credentials = json!({ "email": "ada@example.org", "password": password });
        app.post("/commands/auth/login").json(&credentials)
    };
    for _ in 0..5 {
        log_in("wrong horse battery")
            .expect_problem(401, "invalid_credentials")
            .await;
    }
    let rejected = log_in("correct horse battery").expect_status(429).await;
    assert_eq!(rejected.header("retry-after"), "60");
    app.clock.advance(Duration::from_secs(61));
    log_in("correct horse battery").expect_status(200).await;
}

#[tokio::test]
async fn a_login_can_request_fewer_scopes() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let log_in = |scope: &str| {
        let credentials = json!({
            "email": "ada@example.org", "password": "correct horse battery", "scope": scope,
        });
        app.post("/commands/auth/login").json(&credentials)
    };
    let tokens = log_in("photos:read unknown").expect_status(200).await.json();
    assert_eq!(tokens["scope"], "photos:read");
    log_in("admin").expect_problem(422, "invalid_scope").await;
}

#[tokio::test]
async fn refresh_tokens_rotate_until_logout() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let credentials = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let log_in = || async {
        let tokens = app
            .post("/commands/auth/login")
            .json(&credentials)
            .expect_status(200)
            .await
            .json();
        text(&tokens["refreshToken"])
    };
    let refresh = |token: &str| {
        app.post("/commands/auth/refresh")
            .json(&json!({ "refreshToken": token }))
    };
    let first = log_in().await;
    let second = refresh(&first).expect_status(200).await.json();
    let again = refresh(&first).expect_status(200).await.json();
    assert_eq!(
        second["refreshToken"], again["refreshToken"],
        "a lost response can be requested again"
    );
    app.clock.advance(Duration::from_secs(31));
    let reused = refresh(&first).expect_status(401).await;
    assert!(
        reused.text().contains("refresh_token_reused"),
        "{}",
        reused.text()
    );
    let revoked = text(&second["refreshToken"]);
    refresh(&revoked)
        .expect_problem(401, "invalid_refresh_token")
        .await;

    let token = log_in().await;
    let log_out = || {
        app.post("/commands/auth/logout")
            .json(&json!({ "refreshToken": token }))
    };
    assert!(log_out().expect_status(204).await.body.is_empty());
    log_out().expect_status(204).await;
    refresh(&token).expect_problem(401, "invalid_refresh_token").await;
    refresh("rft_forged")
        .expect_problem(401, "invalid_refresh_token")
        .await;
}

#[tokio::test]
async fn registrations_from_one_network_are_limited() {
    let app = TestServer::start().await;
    let register = |n: usize| {
        let account =
            json!({ "email": format!("user-{n}@example.org"), "password": "correct horse battery" });
        app.post("/commands/auth/register").json(&account)
    };
    for n in 0..10 {
        register(n).expect_status(201).await;
    }
    // The answer for an existing account is the same, so that accounts can't be enumerated beyond the limit.
    for n in [10, 0] {
        let refused = register(n).expect_status(429).await;
        assert_eq!(refused.header("retry-after"), "60");
        assert!(refused.text().contains("\"too_many_registrations\""));
    }
    app.clock.advance(Duration::from_mins(1));
    register(10).expect_status(201).await;
}

#[tokio::test]
async fn logins_from_one_network_are_limited_whatever_the_accounts_are() {
    let app = TestServer::start().await;
    app.user("ada").await;
    let log_in = |email: &str| {
        let credentials = json!({ "email": email, "password": "wrong horse battery" });
        app.post("/commands/auth/login").json(&credentials)
    };
    // One login was that of the user.
    for n in 1..60 {
        log_in(&format!("user-{n}@example.org"))
            .expect_problem(401, "invalid_credentials")
            .await;
    }
    log_in("ada@example.org")
        .expect_problem(429, "too_many_failed_logins")
        .await;
}
