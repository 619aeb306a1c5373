//! Restrictions of a child.

use std::{fs, net::TcpListener, process};

use rapidphoto_application::ports::InspectError;
use rapidphoto_domain::photo::Measure;
use rapidphoto_imaging::ProcessPool;

use crate::support::*;

/// The outcome that a drill reports.
async fn outcome(pool: &ProcessPool, name: &str) -> String {
    let inspection = inspect(pool, drill(name)).await.unwrap();
    match &inspection.findings[0].measured {
        Some(Measure::Name(outcome)) => outcome.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_opens_no_file() {
    let pool = pool(1).await;
    if !pool.protection().seccomp && pool.protection().landlock.is_none() {
        eprintln!("this kernel has neither seccomp nor Landlock");
        return;
    }
    let environment = format!("/proc/{}/environ", process::id());
    assert!(fs::read(&environment).is_ok(), "the parent can read it");
    for path in [
        environment.as_str(),
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/self/mem",
        "/dev/null",
    ] {
        assert_eq!(
            outcome(&pool, &format!("open {path}")).await,
            "permission denied",
            "{path}"
        );
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    let created = outcome(&pool, &format!("create {}", file.display())).await;
    assert_eq!(created, "permission denied");
    assert!(!file.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_is_killed_for_what_no_decoder_does() {
    let pool = pool(1).await;
    if !pool.protection().seccomp {
        eprintln!("this kernel has no seccomp");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for name in [
        format!("socket {}", listener.local_addr().unwrap()),
        format!("ptrace {}", process::id()),
        format!("kill {}", process::id()),
        "exec /bin/true".to_owned(),
        "thread".to_owned(),
        "close".to_owned(),
    ] {
        let killed = inspect(&pool, drill(&name)).await;
        assert!(
            matches!(&killed, Err(InspectError::Failed(message)) if message.contains("SIGSYS")),
            "{name}: {killed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_has_pipes_and_nothing_else() {
    let pool = pool(1).await;
    let protection = pool.protection().clone();
    assert!(protection.limits);
    let child = pool.children()[0];
    let descriptors = fs::read_dir(format!("/proc/{child}/fd")).map(Iterator::count);
    if let Ok(descriptors) = descriptors {
        assert_eq!(descriptors, 3 + protection.inherited_descriptors);
    }
    if let Ok(environment) = fs::read_to_string(format!("/proc/{child}/environ")) {
        assert!(
            environment
                .split('\0')
                .all(|variable| variable.is_empty() || variable.starts_with("MALLOC_")),
            "{environment}"
        );
    }
    let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:") == "2", protection.seccomp);
}
