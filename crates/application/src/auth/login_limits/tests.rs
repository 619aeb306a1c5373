use async_trait::async_trait;

use super::*;
use crate::{attempts::LocalAttempts, ports::Admission};

/// Counters whose clock stands still.
#[derive(Default)]
struct Counters(LocalAttempts);

#[async_trait]
impl AttemptCounters for Counters {
    async fn begin(&self, budgets: &[AttemptBudget]) -> Result<Admission, Unavailable> {
        Ok(self.0.begin(budgets, now()))
    }

    async fn settle(
        &self,
        began_at: Timestamp,
        outcomes: &[(AttemptKey, Outcome)],
    ) -> Result<(), Unavailable> {
        self.0.settle(began_at, outcomes);
        Ok(())
    }

    async fn delete_expired_attempts(&self) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// Counters of a database that is away.
struct Away;

#[async_trait]
impl AttemptCounters for Away {
    async fn begin(&self, _: &[AttemptBudget]) -> Result<Admission, Unavailable> {
        Err(Unavailable::database("away"))
    }

    async fn settle(&self, _: Timestamp, _: &[(AttemptKey, Outcome)]) -> Result<(), Unavailable> {
        Err(Unavailable::database("away"))
    }

    async fn delete_expired_attempts(&self) -> Result<(), Unavailable> {
        Err(Unavailable::database("away"))
    }
}

fn email(name: &str) -> Email {
    Email::parse(&format!("{name}@example.org")).unwrap()
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the tested functions take an optional address"
)]
fn address(network: u16) -> Option<IpAddr> {
    Some(IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, 1]))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the tested functions take an optional address"
)]
fn ipv4(network: u32) -> Option<IpAddr> {
    Some(IpAddr::from(network.to_be_bytes()))
}

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_772_360_430, 0).unwrap()
}

fn limits() -> LoginLimits {
    limits_on(&Arc::default())
}

/// Limits of a process on these counters.
fn limits_on(counters: &Arc<Counters>) -> LoginLimits {
    LoginLimits::new(Arc::clone(counters) as _, LoginBudgets::default(), [7; 32])
}

/// Fails to log in; returns false if the login was refused.
async fn fail(limits: &LoginLimits, email: &Email, address: Option<IpAddr>) -> bool {
    match limits.try_log_in(email, address).await {
        Ok(attempt) => {
            attempt.failed().await;
            true
        }
        Err(NotAdmitted::TooMany { .. }) => false,
        Err(NotAdmitted::Unavailable(error)) => panic!("{error}"),
    }
}

/// Number of failed logins until one is refused.
async fn failures(
    limits: &LoginLimits,
    attempts: impl IntoIterator<Item = (Email, Option<IpAddr>)>,
) -> usize {
    let mut count = 0;
    for (email, address) in attempts {
        if !fail(limits, &email, address).await {
            break;
        }
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_network_has_a_budget_whatever_the_accounts_are() {
    let limits = limits();
    let sprayed = |network| (0..200).map(move |n| (email(&format!("user-{n}")), address(network)));
    assert_eq!(failures(&limits, sprayed(1)).await, 60);
    assert_eq!(failures(&limits, sprayed(2)).await, 60);
}

#[tokio::test]
async fn processes_on_the_same_counters_share_budgets() {
    let counters = Arc::default();
    let (first, second) = (limits_on(&counters), limits_on(&counters));
    let guesses = || (0..20).map(|_| (email("ada"), address(1)));
    assert_eq!(failures(&first, guesses().take(3)).await, 3);
    assert_eq!(failures(&second, guesses()).await, 2);
    assert_eq!(failures(&first, guesses()).await, 0);
}

#[tokio::test]
async fn no_login_is_attempted_that_cannot_be_counted() {
    let limits = LoginLimits::new(Arc::new(Away), LoginBudgets::default(), [7; 32]);
    let attempt = limits.try_log_in(&email("ada"), address(1)).await.map(drop);
    assert!(matches!(attempt, Err(NotAdmitted::Unavailable(_))), "{attempt:?}");
}

#[tokio::test]
async fn other_addresses_of_an_ipv6_network_share_its_budgets() {
    let limits = limits();
    let guesses = (0..20).map(|host| {
        let address = IpAddr::from([0x2001, 0xdb8, 0, 1, host, host, host, host]);
        (email("ada"), Some(address))
    });
    assert_eq!(failures(&limits, guesses).await, 5);
}

#[tokio::test]
async fn guessing_from_many_networks_slows_down_and_never_concerns_a_known_network() {
    let limits = limits();
    let log_in = async |account: &str, address| limits.try_log_in(&email(account), address).await.unwrap();
    log_in("ada", address(0)).await.succeeded().await;
    for network in 1..1000 {
        let attempt = log_in("ada", ipv4(network)).await;
        let expected = if network <= 20 { Duration::ZERO } else { DELAY };
        assert_eq!(attempt.delay(), expected, "{network}");
        attempt.failed().await;
    }
    for _ in 0..3 {
        let owner = log_in("ada", address(0)).await;
        assert_eq!(owner.delay(), Duration::ZERO);
        owner.succeeded().await;
    }
    // Other accounts are not affected.
    assert_eq!(log_in("bob", address(1)).await.delay(), Duration::ZERO);
}

#[tokio::test]
async fn as_many_delayed_logins_wait_as_failures_are_allowed_and_some_more_of_all_accounts() {
    let limits = limits();
    let mut waiting = Vec::new();
    for account in ["ada", "bob", "eve", "joe"] {
        let account = email(account);
        for network in 0..20 {
            assert!(fail(&limits, &account, ipv4(network)).await);
        }
        let mut delayed = Vec::new();
        for network in 20..60 {
            delayed.extend(limits.try_log_in(&account, ipv4(network)).await.ok());
        }
        waiting.push(delayed);
    }
    let numbers: Vec<_> = waiting.iter().map(Vec::len).collect();
    assert_eq!(numbers, [20, 20, 20, 4]);
    for attempt in waiting.into_iter().flatten() {
        attempt.failed().await;
    }
    assert!(fail(&limits, &email("joe"), ipv4(99)).await);
}

#[tokio::test]
async fn all_networks_of_an_ipv6_48_share_a_budget() {
    let limits = limits();
    let (mut logins, mut registrations) = (0, 0);
    for network in 0..1000 {
        let account = email(&format!("user-{network}"));
        logins += usize::from(fail(&limits, &account, address(network)).await);
        registrations += usize::from(limits.try_register(address(network)).await.is_ok());
    }
    assert_eq!((logins, registrations), (240, 40));
}

#[tokio::test]
async fn a_session_has_a_budget_of_refreshes() {
    let limits = limits();
    let mut refreshes = 0;
    for _ in 0..50 {
        refreshes += usize::from(limits.try_refresh(SessionId([1; 16])).await.is_ok());
    }
    assert_eq!(refreshes, 20);
    assert!(limits.try_refresh(SessionId([2; 16])).await.is_ok());
}

#[tokio::test]
async fn successful_logins_count_against_the_networks_budget_only() {
    let limits = limits();
    for _ in 0..60 {
        let attempt = limits.try_log_in(&email("ada"), address(1)).await.unwrap();
        attempt.succeeded().await;
    }
    assert!(!fail(&limits, &email("ada"), address(1)).await);
    assert!(fail(&limits, &email("ada"), address(2)).await);
}

#[tokio::test]
async fn registrations_have_a_budget_of_their_own() {
    let limits = limits();
    for _ in 0..10 {
        limits.try_register(address(1)).await.unwrap();
    }
    match limits.try_register(address(1)).await {
        Err(NotAdmitted::TooMany { retry_after }) => assert_eq!(retry_after, Duration::from_mins(1)),
        other => panic!("{other:?}"),
    }
    assert!(limits.try_register(address(2)).await.is_ok());
    assert!(fail(&limits, &email("ada"), address(1)).await);
}
