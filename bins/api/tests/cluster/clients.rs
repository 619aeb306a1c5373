//! The programs for users and operators, as clients of a deployment.

use std::{path::Path, process::Output, sync::Arc, time::Duration};

use rapidphoto_application::ports::{Clock, Ids, StorageMessages as _};
use rapidphoto_client::Session;
use rapidphoto_queue_rabbitmq::{Broker, BrokerConfig, NotificationPublisher};
use rapidphoto_runtime::{SystemClock, SystemIds};
use rapidphoto_testkit::PASSWORD;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::{
    deployment::{Deployment, Program},
    upload::photos,
};

/// Runs `rapidphoto` to its end.
async fn rapidphoto(arguments: &[&str], token: &str) -> Output {
    let mut command = rapidphoto_testkit::command(&Program::Store.path());
    command.args(arguments).env("RAPIDPHOTO_TOKEN", token);
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// Lines of a command that succeeds.
async fn lines(arguments: &[&str], token: &str) -> Vec<String> {
    let output = rapidphoto(arguments, token).await;
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_uploads_to_a_running_deployment() {
    let deployment = Deployment::start(2, 1).await;
    let folder = tempfile::tempdir().unwrap();
    for (number, photo) in photos(0, 3).iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.jpg")), photo).unwrap();
    }
    let demo = async |server: &str, folder: &Path| {
        let arguments = ["demo", "--server", server, "--photos", folder.to_str().unwrap()];
        rapidphoto(&arguments, "").await
    };
    // Each run is a user of its own.
    for api in &deployment.apis {
        let output = demo(api.announced("api").unwrap(), folder.path()).await;
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && printed.contains("3 of 3 photos"),
            "{output:?}"
        );
    }
    std::fs::write(folder.path().join("broken.jpg"), "no photo").unwrap();
    let output = demo(deployment.apis[0].announced("api").unwrap(), folder.path()).await;
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        !output.status.success() && printed.contains("3 of 4 photos"),
        "{output:?}"
    );
    let unreachable = demo("http://127.0.0.1:1", folder.path()).await;
    assert!(!unreachable.status.success());
    deployment.assert_verified();
}

/// Access token with the scope `admin`.
async fn administrator(deployment: &Deployment) -> String {
    let email = "operator@example.org";
    deployment.new_user(email).await;
    let granted = deployment.command(&["admin", "user", "grant-admin", email]);
    assert!(granted.status.success(), "{granted:?}");
    let url = format!(
        "{}/commands/auth/login",
        deployment.apis[0].announced("api").unwrap()
    );
    let body = json!({ "email": email, "password": PASSWORD, "scope": "admin" });
    let response = reqwest::Client::new().post(url).json(&body).send().await.unwrap();
    let pair: Value = response.json().await.unwrap();
    pair["accessToken"].as_str().unwrap().to_owned()
}

/// Waits until this number of dead letters is listed; returns the ids.
async fn dead_letters(admin: &Session, count: usize) -> Vec<String> {
    let listed = async {
        loop {
            let letters = admin.dead_letters(10).await.unwrap();
            if letters.items.len() == count {
                assert!(letters.items.iter().all(|letter| !letter.reason.is_empty()));
                return letters.items.into_iter().map(|letter| letter.id).collect();
            }
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(Duration::from_mins(2), listed)
        .await
        .expect("dead letters")
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_redrive_dead_letters_and_see_which_process_runs_a_subscription() {
    let deployment = Deployment::start(1, 1).await;
    let url = deployment.apis[0].announced("api").unwrap().to_owned();
    let token = administrator(&deployment).await;
    let admin = deployment.client(0).with_access_token(&token);

    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ids: Arc<dyn Ids> = Arc::new(SystemIds::new(clock));
    let broker = Broker::new(&BrokerConfig::new(deployment.broker.url())).unwrap();
    let publisher = NotificationPublisher::new(&broker, ids);
    for body in ["no event", "no event either"] {
        publisher.take(body.into()).await.unwrap();
    }
    let ids = dead_letters(&admin, 2).await;
    let list = ["admin", "dead-letters", "list", "--url", &url];
    let printed = lines(&list, &token).await;
    assert!(
        ids.iter()
            .all(|id| printed.iter().any(|line| line.starts_with(id.as_str()))),
        "{printed:?}"
    );
    assert!(
        printed.iter().any(|line| line.ends_with("no event either")),
        "{printed:?}"
    );
    // A message that can't be understood comes back.
    let redriven = admin.redrive_dead_letter(&ids[0]).await.unwrap();
    assert_eq!(redriven.redriven, 1);
    admin
        .redrive_dead_letter("01ARZ3NDEKTSV4RRFFQ69G5FAV")
        .await
        .unwrap_err();
    dead_letters(&admin, 2).await;
    let redrive = ["admin", "dead-letters", "redrive", "--all", "--url", &url];
    assert_eq!(lines(&redrive, &token).await, ["2 moved"]);
    dead_letters(&admin, 2).await;
    let refused = rapidphoto(&list, "not a token").await;
    assert!(!refused.status.success(), "{refused:?}");

    let id = deployment.workers[0].id().unwrap();
    let subscriptions = admin.subscriptions().await.unwrap();
    for name in ["account-erasure", "job-completion", "relay"] {
        let subscription = subscriptions.items.iter().find(|item| item.name == name).unwrap();
        let owner = subscription.owner.as_deref().unwrap();
        assert!(
            owner.starts_with("rapidphoto-worker@") && owner.ends_with(&format!("/{id}")),
            "{owner}"
        );
        assert!(subscription.leased_until.is_some() && subscription.parked.is_none());
        let printed = lines(&["admin", "subscriptions", "--url", &url], &token).await;
        let line = printed.iter().find(|line| line.starts_with(name)).unwrap();
        assert!(line.ends_with(owner), "{line}");
    }
}
