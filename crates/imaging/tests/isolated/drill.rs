//! A photo that misbehaves ends its child alone: its call fails, its neighbours and successors have their results.

use std::time::Duration;

use futures::future::join_all;
use rapidphoto_application::ports::InspectError;
use rapidphoto_imaging::{ProcessConfig, ProcessPool};

use crate::support::*;

async fn fails_alone(pool: &ProcessPool, name: &str, traces: &[&str]) {
    let before = pool.children();
    let neighbours = join_all((0..7).map(|seed| inspect(pool, photo(seed))));
    let (failed, neighbours) = tokio::join!(inspect(pool, drill(name)), neighbours);
    let Err(InspectError::Failed(message)) = failed else {
        panic!("{name}: {failed:?}")
    };
    for trace in traces {
        assert!(message.contains(trace), "{name}: {message}");
    }
    for neighbour in neighbours {
        let neighbour = neighbour.unwrap();
        assert_eq!(neighbour.findings, [], "{name}");
        assert_eq!(neighbour.thumbnails.len(), 2, "{name}");
    }
    assert_eq!(inspect(pool, photo(9)).await.unwrap().findings, [], "{name}");
    let after = new_children(pool, before.len(), &[]).await;
    let replaced = after.iter().filter(|child| !before.contains(child)).count();
    assert_eq!(replaced, 1, "{name}: {before:?}, then {after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_crashes_fails_alone() {
    let pool = pool(2).await;
    for (name, traces) in [
        ("abort", &["SIGABRT"][..]),
        ("exit", &["exit status: 0"]),
        ("panic", &["a drill"]),
        ("overflow", &["SIGABRT", "stack"]),
        ("allocate", &["SIGABRT", "memory allocation"]),
    ] {
        fails_alone(&pool, name, traces).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_hangs_fails_alone() {
    let pool = impatient_pool(2, Duration::from_secs(3)).await;
    // After a surplus byte the length of the answer is wrong, and the rest never comes.
    for name in ["loop", "surplus"] {
        fails_alone(&pool, name, &["did not answer within", "SIGKILL"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_that_breaks_the_protocol_fails_alone() {
    let pool = pool(2).await;
    for (name, traces) in [
        ("garbage", &["invalid", "707406378"][..]),
        ("long-head", &["invalid", "4294967295"]),
        ("half", &["ended", "exit status: 0"]),
    ] {
        fails_alone(&pool, name, traces).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stderr_of_a_child_is_always_read() {
    let pool = pool(1).await;
    let inspection = inspect(&pool, drill("stderr")).await.unwrap();
    assert_eq!(inspection.findings.len(), 1);
    assert_eq!(inspect(&pool, photo(1)).await.unwrap().findings, []);
}

/// A program that greets like a child and then runs a script.
fn script(script: &str) -> ProcessConfig {
    let head = r#"{"ready":{"landlock":null,"seccomp":false,"limits":false,"inherited_descriptors":0}}"#;
    let script = format!(
        "printf '\\{:03o}\\000\\000\\000'; printf '%s' '{head}'; {script}",
        head.len()
    );
    ProcessConfig {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        ..config(1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_closes_its_pipe_is_killed() {
    let reads_then_closes = script("/usr/bin/head -c 24 >/dev/null; exec >&-; exec /bin/sleep 1000");
    let pool = ProcessPool::start(reads_then_closes).await.unwrap();
    for _ in 0..3 {
        let failed = inspect(&pool, photo(1)).await;
        assert!(
            matches!(&failed, Err(InspectError::Failed(message)) if message.contains("SIGKILL")),
            "{failed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_out_of_turn_ends_the_child() {
    let greets_twice = script(
        "/usr/bin/head -c 24 >/dev/null; printf '\\012\\000\\000\\000{\"ready\":}'; exec /bin/sleep 1000",
    );
    let pool = ProcessPool::start(greets_twice).await.unwrap();
    let failed = inspect(&pool, photo(1)).await;
    assert!(
        matches!(&failed, Err(InspectError::Failed(message)) if message.contains("malformed")),
        "{failed:?}"
    );

    let speaks_when_idle = script("printf x; exec /bin/sleep 1000");
    let pool = ProcessPool::start(speaks_when_idle).await.unwrap();
    let first = new_children(&pool, 1, &[]).await;
    new_children(&pool, 1, &first).await;
}
