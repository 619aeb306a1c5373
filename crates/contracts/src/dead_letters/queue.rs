//! Lists and redrives.

use std::time::Duration;

use bytes::Bytes;
use rapidphoto_application::ports::{DeadLetter, DeadLetters};

use super::DeadLetterHarness;

/// Lists until there are as many messages as expected: a list may miss some that another reader has in hand.
async fn listed(port: &dyn DeadLetters, expected: usize) -> Vec<DeadLetter> {
    for _ in 0..100 {
        let mut letters = port.list(1000).await.unwrap();
        if letters.len() == expected {
            letters.sort_by(|one, other| one.reason.cmp(&other.reason));
            return letters;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{expected} dead letters are expected");
}

fn reasons(letters: &[DeadLetter]) -> Vec<&str> {
    letters.iter().map(|letter| letter.reason.as_str()).collect()
}

/// A list shows reason, time and body, and changes nothing.
pub async fn a_listed_message_has_its_reason_and_stays<H: DeadLetterHarness>(harness: H) {
    harness
        .add("the message is not JSON", Bytes::from_static(H::BODY))
        .await;
    let port = harness.port();
    let first = listed(&*port, 1).await;
    assert_eq!(reasons(&first), ["the message is not JSON"]);
    assert_eq!((&first[0].preview[..], first[0].bytes), (H::BODY, H::BODY.len()));
    assert!(first[0].first_at.is_some());
    assert_eq!(listed(&*port, 1).await, first);
    assert_eq!(harness.redriven(0).await, Vec::<Bytes>::new());
}

/// No more messages than asked for.
pub async fn a_list_is_limited<H: DeadLetterHarness>(harness: H) {
    for body in ["a", "b", "c"] {
        harness.add(body, Bytes::from(body)).await;
    }
    let port = harness.port();
    listed(&*port, 3).await;
    assert!(port.list(2).await.unwrap().len() <= 2);
    assert_eq!(port.list(0).await.unwrap(), []);
    listed(&*port, 3).await;
}

/// A body of any length is shown up to the limit.
pub async fn a_long_body_is_listed_by_its_beginning<H: DeadLetterHarness>(harness: H) {
    let body = Bytes::from(vec![b'x'; 3 * DeadLetter::PREVIEW_BYTES]);
    harness.add("long", body.clone()).await;
    let port = harness.port();
    let letters = listed(&*port, 1).await;
    assert_eq!(letters[0].bytes, body.len());
    assert_eq!(letters[0].preview, body[..DeadLetter::PREVIEW_BYTES]);
    assert!(port.redrive(&letters[0].id).await.unwrap());
    assert_eq!(harness.redriven(1).await, [body]);
}

/// One message is moved.
pub async fn a_redriven_message_leaves_the_others<H: DeadLetterHarness>(harness: H) {
    for body in ["a", "b", "c"] {
        harness.add(body, Bytes::from(body)).await;
    }
    let port = harness.port();
    let letters = listed(&*port, 3).await;
    assert!(port.redrive(&letters[1].id).await.unwrap());
    assert_eq!(harness.redriven(1).await, ["b"]);
    assert_eq!(reasons(&listed(&*port, 2).await), ["a", "c"]);
    assert!(
        !port.redrive(&letters[1].id).await.unwrap(),
        "it is no longer there"
    );
}

/// An id that is in no list is no error.
pub async fn an_unknown_id_moves_nothing<H: DeadLetterHarness>(harness: H) {
    let port = harness.port();
    assert!(!port.redrive("no such id").await.unwrap());
    harness.add("a", Bytes::from_static(b"a")).await;
    listed(&*port, 1).await;
    assert!(!port.redrive("no such id").await.unwrap());
    listed(&*port, 1).await;
    assert_eq!(harness.redriven(0).await, Vec::<Bytes>::new());
}

/// Every message is moved once, with its body.
pub async fn all_messages_are_redriven_unchanged<H: DeadLetterHarness>(harness: H) {
    let port = harness.port();
    assert_eq!(port.redrive_all().await.unwrap(), 0);
    let bodies: Vec<Bytes> = (0..25)
        .map(|number| Bytes::from(format!("body {number}")))
        .collect();
    for body in &bodies {
        harness.add("malformed", body.clone()).await;
    }
    listed(&*port, bodies.len()).await;
    let mut moved = 0;
    for _ in 0..100 {
        moved += port.redrive_all().await.unwrap();
        if moved == 25 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(moved, 25);
    let mut redriven = harness.redriven(25).await;
    redriven.sort_unstable();
    let mut expected = bodies;
    expected.sort_unstable();
    assert_eq!(redriven, expected);
    listed(&*port, 0).await;
}
