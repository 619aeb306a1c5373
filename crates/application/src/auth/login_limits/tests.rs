use super::{attempts::WINDOW, *};

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

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_772_360_430, 0).unwrap()
}

fn limits() -> LoginLimits {
    LoginLimits::new(LoginBudgets::default())
}

/// Number of failed logins until one is refused.
fn failures(limits: &LoginLimits, attempts: impl IntoIterator<Item = (Email, Option<IpAddr>)>) -> usize {
    let admitted = |(email, address)| limits.try_log_in(&email, address, now()).map(drop).is_ok();
    attempts
        .into_iter()
        .take_while(|attempt| admitted(attempt.clone()))
        .count()
}

#[test]
fn a_network_has_a_budget_whatever_the_accounts_are() {
    let limits = limits();
    let sprayed = |network| (0..200).map(move |n| (email(&format!("user-{n}")), address(network)));
    assert_eq!(failures(&limits, sprayed(1)), 60);
    assert_eq!(failures(&limits, sprayed(2)), 60);
    let later = now() + WINDOW;
    assert!(limits.try_log_in(&email("ada"), address(1), later).is_ok());
}

#[test]
fn other_addresses_of_an_ipv6_network_share_its_budgets() {
    let limits = limits();
    let guesses = (0..20).map(|host| {
        let address = IpAddr::from([0x2001, 0xdb8, 0, 1, host, host, host, host]);
        (email("ada"), Some(address))
    });
    assert_eq!(failures(&limits, guesses), 5);
}

#[test]
fn guessing_from_many_networks_slows_down_and_never_concerns_a_known_network() {
    let limits = limits();
    limits
        .try_log_in(&email("ada"), address(0), now())
        .unwrap()
        .succeeded();
    let guesses = (1..1000).map(|network| (email("ada"), address(network)));
    assert_eq!(failures(&limits, guesses), 20);
    for _ in 0..3 {
        let owner = limits.try_log_in(&email("ada"), address(0), now());
        owner.unwrap().succeeded();
    }
    // Other accounts are not affected.
    assert!(limits.try_log_in(&email("bob"), address(1), now()).is_ok());
}

#[test]
fn successful_logins_count_against_the_networks_budget_only() {
    let limits = limits();
    for _ in 0..60 {
        limits
            .try_log_in(&email("ada"), address(1), now())
            .unwrap()
            .succeeded();
    }
    assert!(limits.try_log_in(&email("ada"), address(1), now()).is_err());
    assert!(limits.try_log_in(&email("ada"), address(2), now()).is_ok());
}

#[test]
fn registrations_have_a_budget_of_their_own() {
    let limits = limits();
    for _ in 0..10 {
        limits.try_register(address(1), now()).unwrap().succeeded();
    }
    assert_eq!(limits.try_register(address(1), now()).map(drop), Err(WINDOW));
    assert!(limits.try_register(address(2), now()).is_ok());
    assert!(limits.try_log_in(&email("ada"), address(1), now()).is_ok());
}

#[test]
fn the_number_of_kept_attempts_is_bounded_and_known_networks_may_still_log_in() {
    let limits = limits();
    limits
        .try_log_in(&email("ada"), address(0), now())
        .unwrap()
        .succeeded();
    let mut refused = 0;
    for n in 0..60_000_u32 {
        let address = Some(IpAddr::from(n.to_be_bytes()));
        let login = limits.try_log_in(&email(&format!("user-{n}")), address, now());
        refused += u32::from(login.is_err());
    }
    assert!(refused > 0);
    assert!(limits.state().attempts.len() < MAX_KEYS + 3);
    assert!(limits.try_log_in(&email("eve"), address(9), now()).is_err());
    assert!(limits.try_log_in(&email("ada"), address(0), now()).is_ok());
    // A minute later they are gone.
    assert!(
        limits
            .try_log_in(&email("eve"), address(9), now() + WINDOW)
            .is_ok()
    );
    assert!(limits.state().attempts.len() <= 6);
}
