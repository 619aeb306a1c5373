//! Children that are killed from outside.

use std::{sync::Arc, time::Duration};

use rapidphoto_application::ports::InspectError;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_is_killed_fails_its_photo_alone() {
    let pool = Arc::new(pool(1).await);
    let children = pool.children();
    let busy = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { inspect(&pool, drill("loop")).await }
    });
    let waiting = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { inspect(&pool, photo(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    kill(children[0]);
    let failed = busy.await.unwrap();
    assert!(
        matches!(&failed, Err(InspectError::Failed(message)) if message.contains("SIGKILL")),
        "{failed:?}"
    );
    assert_eq!(waiting.await.unwrap().unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_child_that_is_killed_is_replaced() {
    let pool = pool(2).await;
    let children = pool.children();
    for child in &children {
        kill(*child);
    }
    new_children(&pool, 2, &children).await;
    assert_eq!(inspect(&pool, photo(1)).await.unwrap().findings, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn children_that_are_all_killed_under_load_fail_one_photo_each() {
    const CHILDREN: usize = 4;
    let pool = Arc::new(pool(CHILDREN).await);
    let calls: Vec<_> = (0..200)
        .map(|seed| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { inspect(&pool, photo(seed)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    pool.children().into_iter().for_each(kill);
    let mut failed = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(inspection) => assert_eq!(inspection.findings, []),
            Err(InspectError::Failed(_)) => failed += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(failed <= CHILDREN, "{failed} photos failed");
    new_children(&pool, CHILDREN, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn children_end_with_their_pool() {
    let pool = pool(2).await;
    let children = pool.children();
    drop(pool);
    let ended = async {
        while children
            .iter()
            .any(|child| std::path::Path::new(&format!("/proc/{child}")).exists())
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), ended).await.unwrap();
}
