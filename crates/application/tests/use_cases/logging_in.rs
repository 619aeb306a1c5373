use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use rapidphoto_application::{
    auth::{FailedLogins, LogIn, LogInError, LogInHandler, RegisterUser, RegisterUserHandler, TokenPair},
    ports::{BoxError, EventMetadata, PasswordHash, PasswordHasher},
};
use rapidphoto_memory::{Operation, PlainPasswords};

use crate::bench::Bench;

const EMAIL: &str = "ada@example.org";
const PASSWORD: &str = "correct horse battery";
const ALLOWED: usize = 5;

/// Hashes that take their time, as real ones do, and are counted.
#[derive(Default)]
struct SlowPasswords {
    asked: AtomicUsize,
    breaks: AtomicUsize,
}

#[async_trait]
impl PasswordHasher for SlowPasswords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        PlainPasswords.hash(password).await
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let breaks = &self.breaks;
        if breaks
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err("a test wants this hash to break".into());
        }
        PlainPasswords.verify(password, hash).await
    }
}

struct Door {
    bench: Bench,
    passwords: Arc<SlowPasswords>,
    log_in: LogInHandler,
}

impl Door {
    async fn new() -> Self {
        let mut bench = Bench::new();
        let passwords = Arc::new(SlowPasswords::default());
        bench.ports.passwords = passwords.clone();
        let register = RegisterUser {
            email: EMAIL.to_owned(),
            password: PASSWORD.to_owned(),
            metadata: EventMetadata::default(),
        };
        RegisterUserHandler::new(&bench.ports, bench.settings.auth)
            .handle(register)
            .await
            .unwrap();
        let log_in = LogInHandler::new(
            &bench.ports,
            bench.settings.auth,
            Arc::new(FailedLogins::new(ALLOWED)),
        );
        Self {
            bench,
            passwords,
            log_in,
        }
    }

    async fn knock(&self, password: &str) -> Result<TokenPair, LogInError> {
        let command = LogIn {
            email: EMAIL.to_owned(),
            password: password.to_owned(),
            scopes: None,
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        };
        self.log_in.handle(command).await
    }

    fn asked(&self) -> usize {
        self.passwords.asked.load(Ordering::SeqCst)
    }
}

fn refused(answer: &Result<TokenPair, LogInError>) -> bool {
    matches!(answer, Err(LogInError::Refused))
}

fn too_many(answer: &Result<TokenPair, LogInError>) -> bool {
    matches!(answer, Err(LogInError::TooMany { .. }))
}

#[tokio::test(start_paused = true)]
async fn guesses_all_at_once_are_no_more_than_guesses_one_by_one() {
    let door = Door::new().await;
    let answers = join_all((0..50).map(|_| door.knock("wrong"))).await;
    assert_eq!(door.asked(), ALLOWED);
    assert_eq!(answers.iter().filter(|answer| refused(answer)).count(), ALLOWED);
    assert_eq!(
        answers.iter().filter(|answer| too_many(answer)).count(),
        50 - ALLOWED
    );
    match door.knock(PASSWORD).await {
        Err(LogInError::TooMany { retry_after }) => assert_eq!(retry_after, Duration::from_mins(1)),
        other => panic!("{:?}", other.map(|_| "let in")),
    }
    door.bench.clock.advance(Duration::from_mins(1));
    assert!(door.knock(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_logs_in_many_times_at_once_waits_a_moment_and_not_a_minute() {
    let door = Door::new().await;
    let answers = join_all((0..=ALLOWED).map(|_| door.knock(PASSWORD))).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), ALLOWED);
    let waits = answers.iter().find_map(|answer| match answer {
        Err(LogInError::TooMany { retry_after }) => Some(*retry_after),
        _ => None,
    });
    assert_eq!(waits, Some(Duration::from_secs(1)));
    assert!(door.knock(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_succeeds_makes_earlier_failures_forgotten() {
    let door = Door::new().await;
    for _ in 0..3 {
        for _ in 1..ALLOWED {
            assert!(refused(&door.knock("wrong").await));
        }
        assert!(door.knock(PASSWORD).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_nobodys_failure() {
    let door = Door::new().await;
    for _ in 0..ALLOWED * 2 {
        door.bench.store.faults().fail_next(Operation::Read, 1);
        let answer = door.knock(PASSWORD).await;
        assert!(matches!(answer, Err(LogInError::Unavailable(_))));
        door.passwords.breaks.store(1, Ordering::SeqCst);
        let answer = door.knock(PASSWORD).await;
        assert!(matches!(answer, Err(LogInError::Broken(_))));
    }
    assert!(door.knock(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_guess_that_is_hung_up_on_counts() {
    let door = Door::new().await;
    for _ in 0..ALLOWED {
        let hung_up = tokio::time::timeout(Duration::from_millis(1), door.knock("wrong")).await;
        assert!(hung_up.is_err());
    }
    assert!(too_many(&door.knock("wrong").await));
}
