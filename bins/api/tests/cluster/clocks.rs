//! Machines whose clocks differ.

use std::process::Command;

use rapidphoto_testkit::{PASSWORD, Process};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    deployment::{Deployment, Program},
    faults::{MACHINE, completes},
};

/// Environment of a process whose clock is ahead by this time, such as `+1h`.
fn ahead(time: &str) -> Vec<(String, String)> {
    let output = Command::new("faketime")
        .args(["-m", "-f", time, "printenv", "LD_PRELOAD"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let library = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME", time),
        // A clock that is wrong runs evenly nevertheless.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

async fn start(deployment: &Deployment, program: Program, time: &str) -> Process {
    let environment = ahead(time);
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    deployment.new_process(program, &environment).await
}

/// Value of a metric without labels.
async fn metric(process: &Process, name: &str) -> f64 {
    let url = format!("{}/metrics", process.announced("operations").unwrap());
    let metrics = reqwest::get(url).await.unwrap().text().await.unwrap();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is missing:\n{metrics}"))
        .parse()
        .unwrap()
}

/// An access token of a replica.
async fn token(api: &Process) -> String {
    let body = json!({ "email": "first@example.org", "password": PASSWORD });
    let response = reqwest::Client::new()
        .post(format!("{}/commands/auth/login", api.announced("api").unwrap()))
        .json(&body)
        .send()
        .await
        .unwrap();
    let pair: Value = response.json().await.unwrap();
    pair["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_completed_once_by_machines_whose_clocks_differ_by_an_hour() {
    let _machine = MACHINE.lock().await;
    let mut deployment = Deployment::start(1, 1).await;
    let api = start(&deployment, Program::Api, "-1h").await;
    deployment.apis.push(api);
    let worker = start(&deployment, Program::Worker, "+1h").await;
    deployment.workers.push(worker);

    completes(&mut deployment, 2, async |_| {}).await;

    for (process, skew) in [
        (&deployment.apis[0], 0.0),
        (&deployment.apis[1], -3600.0),
        (&deployment.workers[0], 0.0),
        (&deployment.workers[1], 3600.0),
    ] {
        let measured = metric(process, "rapidphoto_clock_skew_seconds").await;
        assert!((measured - skew).abs() < 60.0, "{measured} s instead of {skew} s");
    }
    for worker in &deployment.workers {
        assert!(
            metric(worker, "rapidphoto_thumbnail_latency_seconds_count").await > 0.0,
            "a worker did nothing"
        );
    }
    // Tokens of each replica are valid at the other.
    for (from, to) in [(0, 1), (1, 0)] {
        let response = reqwest::Client::new()
            .get(format!(
                "{}/queries/photos",
                deployment.apis[to].announced("api").unwrap()
            ))
            .bearer_auth(token(&deployment.apis[from]).await)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK, "from {from} at {to}");
    }
    let now = "extract(epoch FROM now()) * 1000";
    let range =
        format!("SELECT max(occurred_at) <= {now} AND min(occurred_at) > {now} - 3000000 FROM events");
    assert_eq!(
        deployment.query(&range),
        "t",
        "all processes record the same time"
    );
}
