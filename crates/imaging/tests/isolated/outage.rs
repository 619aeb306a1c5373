//! Children that can't be started: waiting photos are not blamed, and the pool recovers.

use std::{fs, time::Duration};

use rapidphoto_application::ports::{InspectError, PhotoInspector};
use rapidphoto_imaging::{ProcessConfig, ProcessPool};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_without_children_does_not_start() {
    for (program, reason) in [
        ("/no/such/program", "No such file"),
        ("/bin/false", "exit status: 1"),
    ] {
        let error = ProcessPool::start(ProcessConfig {
            program: program.into(),
            ..config(2)
        })
        .await
        .unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_are_not_blamed_while_no_child_can_be_started() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("child");
    let restore = || {
        let copy = directory.path().join("copy");
        fs::copy(config(1).program, &copy).unwrap();
        fs::rename(copy, &program).unwrap();
    };
    restore();
    let pool = ProcessPool::start(ProcessConfig {
        program: program.clone(),
        ..config(2)
    })
    .await
    .unwrap();
    let children = new_children(&pool, 2, &[]).await;
    assert!(pool.check().is_ok());

    fs::remove_file(&program).unwrap();
    children.iter().copied().for_each(kill);
    // Killed while idle, so these photos were never in a child.
    let gone = async {
        while !pool.children().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), gone).await.unwrap();
    for seed in 0..3 {
        let refused = inspect(&pool, photo(seed)).await;
        assert!(
            matches!(refused, Err(InspectError::Unavailable(_))),
            "{refused:?}"
        );
    }
    let outage = pool.check().unwrap_err();
    assert!(
        format!("{:?}", outage.source).contains("No such file"),
        "{outage:?}"
    );

    restore();
    new_children(&pool, 2, &children).await;
    assert!(pool.check().is_ok());
    assert_eq!(inspect(&pool, photo(1)).await.unwrap().findings, []);
}
