use std::sync::{Mutex, atomic::AtomicU8, mpsc};

use super::*;

/// Sequential secrets, so that salts differ.
struct SequentialIds(AtomicU8);

impl Ids for SequentialIds {
    fn ulid(&self) -> u128 {
        0
    }

    fn secret(&self) -> [u8; 32] {
        [self.0.fetch_add(1, Ordering::Relaxed); 32]
    }
}

fn hasher(config: Argon2Config) -> Argon2Passwords {
    Argon2Passwords::new(config, Arc::new(SequentialIds(AtomicU8::new(1)))).unwrap()
}

/// Minimum costs that Argon2 allows.
const CHEAP: Argon2Config = Argon2Config {
    memory_kib: 8,
    passes: 1,
    lanes: 1,
    concurrency: 2,
};

#[tokio::test]
async fn a_hash_matches_only_its_password() {
    let hasher = hasher(CHEAP);
    let hash = hasher.hash("correct horse").await.unwrap();
    assert!(hasher.verify("correct horse", Some(&hash)).await.unwrap());
    for wrong in ["", "Correct horse", "correct horse ", "correct\0horse"] {
        assert!(!hasher.verify(wrong, Some(&hash)).await.unwrap(), "{wrong:?}");
    }
}

#[tokio::test]
async fn hashing_fails_when_the_queue_is_full() {
    let hasher = Arc::new(hasher(CHEAP));
    let hash = hasher.hash("right").await.unwrap();
    let permits = hasher.running.clone().acquire_many_owned(2).await.unwrap();
    let waiting: Vec<_> = (0..CHEAP.concurrency * (1 + MAX_WAITING_PER_HASH))
        .map(|_| {
            let (hasher, hash) = (Arc::clone(&hasher), hash.clone());
            tokio::spawn(async move { hasher.verify("one of many", Some(&hash)).await })
        })
        .collect();
    let queue_full = async {
        while hasher.queue.available_permits() > 0 {
            task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), queue_full)
        .await
        .unwrap();
    let error = hasher.verify("one too many", Some(&hash)).await.unwrap_err();
    assert!(error.is::<PasswordsBusy>(), "{error}");
    drop(permits);
    for waiter in waiting {
        assert!(!waiter.await.unwrap().unwrap());
    }
    assert!(hasher.hash("later").await.is_ok());
}

#[tokio::test]
async fn hashes_of_the_same_password_differ() {
    let hasher = hasher(CHEAP);
    assert_ne!(
        hasher.hash("twice").await.unwrap(),
        hasher.hash("twice").await.unwrap()
    );
}

#[tokio::test]
async fn a_hash_contains_its_parameters() {
    let hash = hasher(Argon2Config::default()).hash("plain").await.unwrap();
    assert!(
        hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{}",
        hash.0
    );
    assert!(!format!("{hash:?}").contains("argon2id"));
}

#[tokio::test]
async fn hashes_with_other_costs_are_verified() {
    let old = hasher(CHEAP).hash("kept").await.unwrap();
    let now = hasher(Argon2Config {
        memory_kib: 64,
        passes: 3,
        ..CHEAP
    });
    assert!(now.verify("kept", Some(&old)).await.unwrap());
    assert!(!now.verify("lost", Some(&old)).await.unwrap());
}

#[tokio::test]
async fn invalid_hashes_are_an_error() {
    let hasher = hasher(CHEAP);
    for invalid in [
        "",
        "plain",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=8,t=1,p=1$",
    ] {
        let verified = hasher
            .verify("plain", Some(&PasswordHash(invalid.to_owned())))
            .await;
        assert!(!matches!(verified, Ok(true)), "{invalid:?}");
    }
    assert!(
        hasher
            .verify("plain", Some(&PasswordHash("plain".to_owned())))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn unknown_users_take_as_long_as_wrong_passwords() {
    let hasher = hasher(Argon2Config::default());
    let hash = hasher.hash("right").await.unwrap();
    let mut known = Duration::MAX;
    let mut unknown = Duration::MAX;
    let similar = |known: Duration, unknown: Duration| unknown > known / 2 && unknown < known * 2;
    // The minimum of several measurements is the least affected by other load; more are made under heavy load.
    for round in 1..=100 {
        let start = Instant::now();
        assert!(!hasher.verify("wrong", Some(&hash)).await.unwrap());
        known = known.min(start.elapsed());
        let start = Instant::now();
        assert!(!hasher.verify("wrong", None).await.unwrap());
        unknown = unknown.min(start.elapsed());
        if round >= 7 && similar(known, unknown) {
            break;
        }
    }
    assert!(similar(known, unknown), "{unknown:?} against {known:?}");
}

#[tokio::test]
async fn cancelled_callers_keep_their_permit_until_the_work_ends() {
    let hasher = Arc::new(hasher(CHEAP));
    let (release, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..CHEAP.concurrency {
        let (hasher, gate, started) = (Arc::clone(&hasher), Arc::clone(&gate), started.clone());
        let caller = tokio::spawn(async move {
            let work = move |_: &Argon2<'static>| {
                started.send(()).unwrap();
                assert!(
                    gate.lock().unwrap().recv().is_err(),
                    "the gate is released by dropping the sender"
                );
                Ok(())
            };
            hasher.run(work).await
        });
        starts.recv().await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    let late = tokio::time::timeout(Duration::from_millis(50), hasher.hash("late")).await;
    assert!(late.is_err(), "the work of cancelled callers still counts");
    drop(release);
    let late = tokio::time::timeout(Duration::from_mins(1), hasher.hash("late")).await;
    assert!(late.unwrap().is_ok());
}

#[test]
fn costs_outside_the_range_of_argon2_are_errors() {
    let ids: Arc<dyn Ids> = Arc::new(SequentialIds(AtomicU8::new(0)));
    let make = |config| Argon2Passwords::new(config, Arc::clone(&ids)).map(|_| ());
    assert!(matches!(
        make(Argon2Config {
            memory_kib: 1,
            ..CHEAP
        }),
        Err(Argon2ConfigError::Costs(_))
    ));
    assert!(matches!(
        make(Argon2Config { passes: 0, ..CHEAP }),
        Err(Argon2ConfigError::Costs(_))
    ));
    for concurrency in [0, usize::MAX] {
        assert_eq!(
            make(Argon2Config { concurrency, ..CHEAP }),
            Err(Argon2ConfigError::Concurrency)
        );
    }
}

#[tokio::test]
async fn unknown_users_take_no_place_in_the_queue() {
    let hasher = Arc::new(hasher(CHEAP));
    let hash = hasher.hash("right").await.unwrap();
    // The first one measures.
    assert!(!hasher.verify("wrong", None).await.unwrap());
    let permits = hasher.running.clone().acquire_many_owned(2).await.unwrap();
    let unknown: Vec<_> = (0..1000)
        .map(|_| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move { hasher.verify("wrong", None).await })
        })
        .collect();
    for unknown in unknown {
        assert!(!unknown.await.unwrap().unwrap());
    }
    drop(permits);
    assert!(hasher.verify("right", Some(&hash)).await.unwrap());
}

#[tokio::test]
async fn a_full_queue_is_reported_to_unknown_users_as_well() {
    let hasher = hasher(CHEAP);
    let all = u32::try_from(hasher.capacity).unwrap();
    let _full = hasher.queue.clone().acquire_many_owned(all).await.unwrap();
    let error = hasher.verify("wrong", None).await.unwrap_err();
    assert!(error.is::<PasswordsBusy>(), "{error}");
}

#[tokio::test]
async fn new_passwords_leave_half_of_the_queue_to_logins() {
    let hasher = hasher(CHEAP);
    let hash = hasher.hash("right").await.unwrap();
    let half = u32::try_from(hasher.capacity / 2).unwrap();
    let _half_full = hasher.queue.clone().acquire_many_owned(half).await.unwrap();
    let error = hasher.hash("new").await.unwrap_err();
    assert!(error.is::<PasswordsBusy>(), "{error}");
    assert!(hasher.verify("right", Some(&hash)).await.unwrap());
}

#[tokio::test]
async fn a_hash_with_other_costs_is_outdated() {
    let old = hasher(CHEAP).hash("kept").await.unwrap();
    assert!(!hasher(CHEAP).is_outdated(&old));
    for changed in [
        Argon2Config {
            memory_kib: 16,
            ..CHEAP
        },
        Argon2Config { passes: 2, ..CHEAP },
    ] {
        assert!(hasher(changed).is_outdated(&old));
    }
    assert!(hasher(CHEAP).is_outdated(&PasswordHash("plain".to_owned())));
}

#[tokio::test]
async fn concurrent_logins_of_unknown_users_wait_for_each_other_as_those_of_known_ones_do() {
    let hasher = hasher(CHEAP);
    // The first one measures.
    assert!(!hasher.verify("wrong", None).await.unwrap());
    hasher.last_duration.store(1_000_000_000, Ordering::Relaxed);
    tokio::time::pause();
    let start = tokio::time::Instant::now();
    let one = async || {
        assert!(!hasher.verify("wrong", None).await.unwrap());
        start.elapsed().as_secs()
    };
    let mut took: [u64; 5] = tokio::join!(one(), one(), one(), one(), one()).into();
    took.sort_unstable();
    assert_eq!(took, [1, 1, 2, 2, 3]);
}
