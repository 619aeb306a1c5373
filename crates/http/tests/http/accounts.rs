use std::time::Duration;

use insta::assert_json_snapshot;
use serde_json::json;

use crate::{
    app::{TestApp, text},
    names::renamed,
};

#[tokio::test]
async fn an_account_is_made_and_logs_in() {
    let app = TestApp::start().await;
    let account = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let registered = app.post("/commands/auth/register").json(&account).sent(201).await;
    assert_json_snapshot!("registered", renamed(registered.json()));
    let tokens = app.post("/commands/auth/login").json(&account).sent(200).await;
    assert_eq!(tokens.header("cache-control"), "no-store");
    assert_json_snapshot!("tokens", renamed(tokens.json()));
    let basic = app
        .post("/commands/auth/login")
        .basic("ada@example.org", "correct horse battery");
    let token = text(&basic.sent(200).await.json()["accessToken"]);
    app.get("/queries/photos").token(&token).sent(200).await;
}

#[tokio::test]
async fn an_account_that_can_not_be_made_says_why() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let register = |email: &str, password: &str| {
        app.post("/commands/auth/register")
            .json(&json!({ "email": email, "password": password }))
    };
    let good = "correct horse battery";
    let taken = register("ADA@example.org", good)
        .refused(409, "email_taken")
        .await;
    assert_json_snapshot!("email_taken", renamed(taken));
    let bad = register("no address", good).refused(422, "invalid_email").await;
    assert_eq!(bad["errors"][0]["pointer"], "/email");
    let short = register("bob@example.org", "short")
        .refused(422, "invalid_password")
        .await;
    assert_eq!(short["errors"][0]["pointer"], "/password");
    let closed = TestApp::with(|parts| parts.settings.auth.registration_open = false).await;
    let account = json!({ "email": "ada@example.org", "password": good });
    let register = closed.post("/commands/auth/register").json(&account);
    register.refused(403, "registration_closed").await;
}

#[tokio::test]
async fn wrong_credentials_all_look_the_same() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let log_in = |email: &str| {
        let credentials = json!({ "email": email, "password": "wrong horse battery" });
        app.post("/commands/auth/login").json(&credentials)
    };
    let mut wrong = log_in("ada@example.org")
        .refused(401, "invalid_credentials")
        .await;
    let mut unknown = log_in("bob@example.org")
        .refused(401, "invalid_credentials")
        .await;
    let mut absurd = log_in("no address").refused(401, "invalid_credentials").await;
    for problem in [&mut wrong, &mut unknown, &mut absurd] {
        problem["requestId"] = json!(null);
    }
    assert_eq!(wrong, unknown);
    assert_eq!(wrong, absurd);
}

#[tokio::test]
async fn a_browser_is_not_made_to_ask_for_a_password_unless_it_used_basic() {
    let app = TestApp::start().await;
    let body = json!({ "email": "ada@example.org", "password": "wrong horse battery" });
    let by_body = app.post("/commands/auth/login").json(&body).sent(401).await;
    assert!(by_body.header("www-authenticate").starts_with("Bearer "));
    let by_basic = app.post("/commands/auth/login").basic("ada@example.org", "wrong");
    assert!(
        by_basic
            .sent(401)
            .await
            .header("www-authenticate")
            .starts_with("Basic ")
    );
}

#[tokio::test]
async fn bad_basic_credentials_are_refused() {
    let app = TestApp::start().await;
    // Not base64; not UTF-8; no colon.
    for header in ["Basic %%%", "Basic //79", "Basic YWRh"] {
        let problem = app.post("/commands/auth/login").header("authorization", header);
        let problem = problem.refused(422, "invalid_header").await;
        assert_eq!(problem["errors"][0]["pointer"], "Authorization");
    }
    let both = app
        .post("/commands/auth/login")
        .basic("ada@example.org", "correct horse battery");
    both.json(&json!({})).refused(422, "ambiguous_credentials").await;
}

#[tokio::test]
async fn the_sixth_wrong_password_in_a_minute_is_not_even_tried() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let log_in = |password: &str| {
        let credentials = json!({ "email": "ada@example.org", "password": password });
        app.post("/commands/auth/login").json(&credentials)
    };
    for _ in 0..5 {
        log_in("wrong horse battery")
            .refused(401, "invalid_credentials")
            .await;
    }
    let refused = log_in("correct horse battery").sent(429).await;
    assert_eq!(refused.header("retry-after"), "60");
    app.clock.advance(Duration::from_secs(61));
    log_in("correct horse battery").sent(200).await;
}

#[tokio::test]
async fn who_asks_for_less_gets_less() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let log_in = |scope: &str| {
        let credentials = json!({
            "email": "ada@example.org", "password": "correct horse battery", "scope": scope,
        });
        app.post("/commands/auth/login").json(&credentials)
    };
    let tokens = log_in("photos:read unknown").sent(200).await.json();
    assert_eq!(tokens["scope"], "photos:read");
    log_in("admin").refused(422, "invalid_scope").await;
}

#[tokio::test]
async fn refresh_tokens_rotate_until_the_login_ends() {
    let app = TestApp::start().await;
    app.user("ada").await;
    let credentials = json!({ "email": "ada@example.org", "password": "correct horse battery" });
    let log_in = || async {
        let tokens = app
            .post("/commands/auth/login")
            .json(&credentials)
            .sent(200)
            .await
            .json();
        text(&tokens["refreshToken"])
    };
    let refresh = |token: &str| {
        app.post("/commands/auth/refresh")
            .json(&json!({ "refreshToken": token }))
    };
    let first = log_in().await;
    let second = refresh(&first).sent(200).await.json();
    let again = refresh(&first).sent(200).await.json();
    assert_eq!(
        second["refreshToken"], again["refreshToken"],
        "an answer that was lost comes again"
    );
    app.clock.advance(Duration::from_secs(31));
    let reused = refresh(&first).sent(401).await;
    assert!(
        reused.text().contains("refresh_token_reused"),
        "{}",
        reused.text()
    );
    let revoked = text(&second["refreshToken"]);
    refresh(&revoked).refused(401, "invalid_refresh_token").await;

    let token = log_in().await;
    let log_out = || {
        app.post("/commands/auth/logout")
            .json(&json!({ "refreshToken": token }))
    };
    assert!(log_out().sent(204).await.body.is_empty());
    log_out().sent(204).await;
    refresh(&token).refused(401, "invalid_refresh_token").await;
    refresh("rft_forged").refused(401, "invalid_refresh_token").await;
}
