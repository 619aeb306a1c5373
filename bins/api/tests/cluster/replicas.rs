//! Two replicas of the API are one to their clients: budgets hold across both, and a session's end ends its streams on both.

use std::time::Duration;

use rapidphoto_client::{
    Client, ClientError, Session,
    types::{CreateJobResponse, FileRequest},
};
use rapidphoto_testkit::PASSWORD;
use tokio::time::timeout;

use crate::deployment::{Deployment, Program};

const EMAIL: &str = "ada@example.org";

/// A guard against hanging; the end of a session in another process takes seconds.
const LIMIT: Duration = Duration::from_mins(1);

/// Returns true if the request was refused because of a rate.
fn is_limited<T>(answer: &Result<T, ClientError>) -> bool {
    match answer {
        Ok(_) => false,
        Err(ClientError::Problem(problem)) => problem.status == 429,
        Err(other) => panic!("{other}"),
    }
}

/// A request for a new job.
async fn create_job(session: &Session) -> Result<CreateJobResponse, ClientError> {
    let file = FileRequest {
        filename: "photo.jpg".to_owned(),
        mime_type: "image/jpeg".to_owned(),
        bytes: 1000,
        upload_id: None,
        checksum: None,
    };
    session.create_job(&[file], None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rates_of_logins_and_jobs_hold_across_replicas() {
    let mut deployment = Deployment::start(0, 0).await;
    for _ in 0..2 {
        let limits = [("RAPIDPHOTO_LIMITS__JOBS_PER_MINUTE", "5")];
        let api = deployment.new_process(Program::Api, &limits).await;
        deployment.apis.push(api);
    }
    deployment.new_user(EMAIL).await;
    let clients = [deployment.client(0), deployment.client(1)];
    let mut sessions = Vec::new();
    for client in &clients {
        sessions.push(client.log_in(EMAIL, PASSWORD).await.unwrap());
    }
    let mut jobs = Vec::new();
    for number in 0..12 {
        jobs.push(create_job(&sessions[number % 2]).await);
    }
    let created = jobs.iter().filter(|job| !is_limited(job)).count();
    assert_eq!(created, 5, "{jobs:?}");
    let guess = |client: &Client| {
        let client = client.clone();
        async move { client.log_in(EMAIL, "a wrong password").await }
    };
    let guesses = (0..16).map(|number| guess(&clients[number % 2]));
    let guesses = futures::future::join_all(guesses).await;
    let tried = guesses.iter().filter(|guess| match guess {
        Err(ClientError::Problem(problem)) if problem.status == 401 => true,
        other => !is_limited(other),
    });
    assert_eq!(tried.count(), 5, "{guesses:?}");
    for client in &clients {
        assert!(is_limited(&client.log_in(EMAIL, PASSWORD).await));
    }
    // The database names neither the account nor its network.
    let keys = deployment.query("SELECT count(*), max(length(key)) FROM attempts");
    assert!(keys.ends_with("|16") && !keys.starts_with("0|"), "{keys}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_session_ends_its_streams_on_every_replica() {
    let deployment = Deployment::start(2, 0).await;
    let http = reqwest::Client::new();
    let urls = [0, 1].map(|api| deployment.apis[api].announced("api").unwrap().to_owned());
    // Ends are no matter of the broker.
    deployment.broker.stop();
    deployment.new_user(EMAIL).await;
    let credentials = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let post = async |url: &str, path: &str, body: String| {
        let request = http.post(format!("{url}/commands/auth/{path}"));
        let request = request.header("content-type", "application/json").body(body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.text().await.unwrap()
    };
    let member = |json: &str, name: &str| {
        let (_, rest) = json.split_once(&format!(r#""{name}":""#)).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let stream = async |url: &str, access: String| {
        let request = http.get(format!("{url}/queries/events")).bearer_auth(access);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer
    };
    let ends = async |mut stream: reqwest::Response| {
        let mut text = String::new();
        let read = async {
            while let Some(chunk) = stream.chunk().await.unwrap() {
                text.push_str(&String::from_utf8_lossy(&chunk));
            }
        };
        timeout(LIMIT, read).await.expect("the stream does not end");
        assert!(text.contains("session_ended"), "{text}");
    };
    // A log-out on the first replica, and an account that a command disables.
    let login = post(&urls[0], "login", credentials.clone()).await;
    let other = post(&urls[0], "login", credentials.clone()).await;
    let of_login = stream(&urls[1], member(&login, "accessToken")).await;
    let of_other = [
        stream(&urls[0], member(&other, "accessToken")).await,
        stream(&urls[1], member(&other, "accessToken")).await,
    ];
    let refresh = member(&login, "refreshToken");
    post(&urls[0], "logout", format!(r#"{{"refreshToken":"{refresh}"}}"#)).await;
    ends(of_login).await;
    let disabled = deployment.command(&["admin", "user", "disable", EMAIL]);
    assert!(disabled.status.success(), "{disabled:?}");
    for stream in of_other {
        ends(stream).await;
    }
}
