use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::future::join_all;
use rapidphoto_application::{
    UseCases,
    admin::Accounts,
    auth::{LogIn, LogInError, TokenPair},
    ports::{BoxError, PasswordHash, PasswordHasher},
};
use rapidphoto_domain::user::UserCommand;
use rapidphoto_memory::{ALLOWED_FAILED_LOGINS, Operation, PlainPasswords, TestApp};

use crate::support::accounts::{EMAIL, PASSWORD, register};

/// Password hasher that is slow, as real ones are, and counts its calls.
#[derive(Default)]
struct SlowPasswords {
    /// Number of verifications.
    calls: AtomicUsize,
    /// Number of new hashes.
    hashes: AtomicUsize,
    /// Number of next verifications that fail.
    failing: AtomicUsize,
    /// True if all hashes have outdated costs.
    are_outdated: AtomicBool,
}

#[async_trait]
impl PasswordHasher for SlowPasswords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        let PasswordHash(hash) = PlainPasswords.hash(password).await?;
        // Hashes of one password differ by their salts.
        let salt = self.hashes.fetch_add(1, Ordering::SeqCst);
        Ok(PasswordHash(format!("{hash}${salt}")))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let failing = &self.failing;
        if failing
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
        {
            return Err("requested by a test".into());
        }
        let unsalted = hash.and_then(|hash| hash.0.rsplit_once('$'));
        let unsalted = unsalted.map(|(hash, _)| PasswordHash(hash.to_owned()));
        PlainPasswords.verify(password, unsalted.as_ref()).await
    }

    fn is_outdated(&self, _: &PasswordHash) -> bool {
        self.are_outdated.load(Ordering::SeqCst)
    }
}

/// Application with one account and a slow password hasher.
struct SlowLogins {
    app: TestApp,
    passwords: Arc<SlowPasswords>,
    use_cases: UseCases,
}

impl SlowLogins {
    async fn new() -> Self {
        let mut app = TestApp::new();
        let passwords = Arc::new(SlowPasswords::default());
        app.ports.passwords = passwords.clone();
        register(&app, EMAIL).await;
        let use_cases = app.use_cases();
        Self {
            app,
            passwords,
            use_cases,
        }
    }

    async fn log_in_with(&self, password: &str) -> Result<TokenPair, LogInError> {
        self.log_in_from(Ipv4Addr::LOCALHOST, password).await
    }

    async fn log_in_from(&self, address: Ipv4Addr, password: &str) -> Result<TokenPair, LogInError> {
        let command = LogIn {
            email: EMAIL.to_owned(),
            password: password.to_owned(),
            scopes: None,
            address: Some(IpAddr::V4(address)),
        };
        self.use_cases.log_in.handle(command).await
    }

    fn calls(&self) -> usize {
        self.passwords.calls.load(Ordering::SeqCst)
    }
}

fn is_rejected(result: &Result<TokenPair, LogInError>) -> bool {
    matches!(result, Err(LogInError::Rejected))
}

fn is_limited(result: &Result<TokenPair, LogInError>) -> bool {
    matches!(result, Err(LogInError::TooMany { .. }))
}

#[tokio::test(start_paused = true)]
async fn concurrent_guesses_are_limited_like_sequential_ones() {
    let logins = SlowLogins::new().await;
    let results = join_all((0..50).map(|_| logins.log_in_with("wrong"))).await;
    assert_eq!(logins.calls(), ALLOWED_FAILED_LOGINS);
    assert_eq!(
        results.iter().filter(|result| is_rejected(result)).count(),
        ALLOWED_FAILED_LOGINS
    );
    assert_eq!(
        results.iter().filter(|result| is_limited(result)).count(),
        50 - ALLOWED_FAILED_LOGINS
    );
    match logins.log_in_with(PASSWORD).await {
        Err(LogInError::TooMany { retry_after }) => assert_eq!(retry_after, Duration::from_mins(1)),
        other => panic!("{:?}", other.map(|_| "logged in")),
    }
    logins.app.clock.advance(Duration::from_mins(1));
    assert!(logins.log_in_with(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn concurrent_logins_over_the_limit_can_be_retried_after_a_second() {
    let logins = SlowLogins::new().await;
    let results = join_all((0..=ALLOWED_FAILED_LOGINS).map(|_| logins.log_in_with(PASSWORD))).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        ALLOWED_FAILED_LOGINS
    );
    let waits = results.iter().find_map(|result| match result {
        Err(LogInError::TooMany { retry_after }) => Some(*retry_after),
        _ => None,
    });
    assert_eq!(waits, Some(Duration::from_secs(1)));
    assert!(logins.log_in_with(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_successful_login_clears_earlier_failures() {
    let logins = SlowLogins::new().await;
    for _ in 0..3 {
        for _ in 1..ALLOWED_FAILED_LOGINS {
            assert!(is_rejected(&logins.log_in_with("wrong").await));
        }
        assert!(logins.log_in_with(PASSWORD).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_does_not_count_as_a_failed_login() {
    let logins = SlowLogins::new().await;
    for _ in 0..ALLOWED_FAILED_LOGINS * 2 {
        logins.app.store.faults().fail_next(Operation::Read, 1);
        let result = logins.log_in_with(PASSWORD).await;
        assert!(matches!(result, Err(LogInError::Unavailable(_))));
        logins.passwords.failing.store(1, Ordering::SeqCst);
        let result = logins.log_in_with(PASSWORD).await;
        assert!(matches!(result, Err(LogInError::Failed(_))));
    }
    assert!(logins.log_in_with(PASSWORD).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_guess_counts_as_a_failed_login() {
    let logins = SlowLogins::new().await;
    for _ in 0..ALLOWED_FAILED_LOGINS {
        let cancelled = tokio::time::timeout(Duration::from_millis(1), logins.log_in_with("wrong")).await;
        assert!(cancelled.is_err());
    }
    assert!(is_limited(&logins.log_in_with("wrong").await));
}

#[tokio::test(start_paused = true)]
async fn guesses_from_many_networks_never_lock_the_owner_out_of_a_known_one() {
    let logins = SlowLogins::new().await;
    let home = Ipv4Addr::new(203, 0, 113, 9);
    assert!(logins.log_in_from(home, PASSWORD).await.is_ok());
    let before = logins.calls();
    let guesses = (0..1000_u32).map(|n| logins.log_in_from(Ipv4Addr::from(n), "wrong"));
    let results = join_all(guesses).await;
    assert_eq!(logins.calls() - before, 4 * ALLOWED_FAILED_LOGINS);
    assert!(results.iter().any(is_limited));
    let start = tokio::time::Instant::now();
    assert!(logins.log_in_from(home, PASSWORD).await.is_ok());
    assert!(start.elapsed() < Duration::from_secs(1));
    // The owner's login from a new network is delayed, not refused.
    let new = Ipv4Addr::from(5000);
    assert!(logins.log_in_from(new, PASSWORD).await.is_ok());
    assert!(start.elapsed() >= Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_password_longer_than_any_account_has_is_not_hashed() {
    let logins = SlowLogins::new().await;
    for length in [1025, 1024 * 1024] {
        assert!(is_rejected(&logins.log_in_with(&"x".repeat(length)).await));
    }
    assert_eq!(logins.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_correct_password_is_hashed_again_when_costs_have_changed() {
    let logins = SlowLogins::new().await;
    let hashes = || logins.passwords.hashes.load(Ordering::SeqCst);
    assert!(logins.log_in_with(PASSWORD).await.is_ok());
    assert_eq!(hashes(), 1);
    logins.passwords.are_outdated.store(true, Ordering::SeqCst);
    assert!(is_rejected(&logins.log_in_with("wrong").await));
    assert_eq!(hashes(), 1);
    assert!(logins.log_in_with(PASSWORD).await.is_ok());
    assert_eq!(hashes(), 2);
    logins.app.store.faults().fail_next(Operation::Commit, 1);
    assert!(
        logins.log_in_with(PASSWORD).await.is_ok(),
        "the login is complete without it"
    );
}

#[tokio::test(start_paused = true)]
async fn logins_during_a_change_of_the_account_open_no_session() {
    let logins = SlowLogins::new().await;
    let ports = &logins.app.ports;
    let accounts = Accounts::new(
        &ports.database,
        Arc::clone(&ports.clock),
        Arc::clone(&ports.ids),
        Arc::clone(&ports.passwords),
        logins.app.settings.auth,
    );
    // The change is made while the password is verified, which takes 20 ms.
    let later = tokio::time::sleep(Duration::from_millis(10));
    let change = async {
        later.await;
        accounts
            .set_password(EMAIL, "another long password")
            .await
            .unwrap()
    };
    let (login, user) = tokio::join!(logins.log_in_with(PASSWORD), change);
    assert!(is_rejected(&login));
    let later = tokio::time::sleep(Duration::from_millis(10));
    let change = async {
        later.await;
        accounts.change(EMAIL, UserCommand::Disable).await.unwrap();
    };
    let (login, ()) = tokio::join!(logins.log_in_with("another long password"), change);
    assert!(is_rejected(&login));
    assert_eq!(ports.database.sessions.end_all(user).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn concurrent_logins_succeed_while_an_outdated_hash_is_replaced() {
    let logins = SlowLogins::new().await;
    logins.passwords.are_outdated.store(true, Ordering::SeqCst);
    let delayed = async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        logins.log_in_with(PASSWORD).await
    };
    let (first, second) = tokio::join!(logins.log_in_with(PASSWORD), delayed);
    assert!(first.is_ok() && second.is_ok());
}
