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
    let delay_from = |network: u32| {
        let address = Some(IpAddr::from(network.to_be_bytes()));
        limits.try_log_in(&email("ada"), address, now()).unwrap().delay()
    };
    let delays: Vec<_> = (1..1000).map(delay_from).collect();
    assert!(delays[..20].iter().all(Duration::is_zero));
    assert!(delays[20..].iter().all(|delay| *delay == DELAY));
    for _ in 0..3 {
        let owner = limits.try_log_in(&email("ada"), address(0), now()).unwrap();
        assert_eq!(owner.delay(), Duration::ZERO);
        owner.succeeded();
    }
    // Other accounts are not affected.
    let other = limits.try_log_in(&email("bob"), address(1), now()).unwrap();
    assert_eq!(other.delay(), Duration::ZERO);
}

#[test]
fn as_many_delayed_logins_wait_as_failures_are_allowed_and_some_more_of_all_accounts() {
    let limits = limits();
    let log_in = |account: &str, network: u32| {
        let address = Some(IpAddr::from(network.to_be_bytes()));
        limits.try_log_in(&email(account), address, now())
    };
    let mut waiting = Vec::new();
    for account in ["ada", "bob", "eve", "joe"] {
        (0..20).for_each(|network| drop(log_in(account, network)));
        let delayed: Vec<_> = (20..60)
            .map_while(|network| log_in(account, network).ok())
            .collect();
        waiting.push(delayed);
    }
    let numbers: Vec<_> = waiting.iter().map(Vec::len).collect();
    assert_eq!(numbers, [20, 20, 20, 4]);
    waiting.clear();
    assert!(log_in("joe", 99).is_ok());
}

#[test]
fn all_networks_of_an_ipv6_48_share_a_budget() {
    let limits = limits();
    let admitted = |attempt: fn(&LoginLimits, u16) -> bool| {
        (0..1000).filter(|network| attempt(&limits, *network)).count()
    };
    let log_in: fn(&LoginLimits, u16) -> bool = |limits, network| {
        let login = limits.try_log_in(&email(&format!("user-{network}")), address(network), now());
        login.map(drop).is_ok()
    };
    assert_eq!(admitted(log_in), 240);
    let register: fn(&LoginLimits, u16) -> bool =
        |limits, network| limits.try_register(address(network), now()).map(drop).is_ok();
    assert_eq!(admitted(register), 40);
}

#[test]
fn a_session_has_a_budget_of_refreshes() {
    let limits = limits();
    let refresh = |session: u8| limits.try_refresh(SessionId([session; 16]), now()).map(drop);
    assert_eq!((0..50).filter(|_| refresh(1).is_ok()).count(), 20);
    assert!(refresh(2).is_ok());
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
fn the_number_of_kept_attempts_is_bounded_and_nobody_is_kept_out() {
    let limits = limits();
    for n in 0..60_000_u32 {
        let address = Some(IpAddr::from(n.to_be_bytes()));
        let login = limits.try_log_in(&email(&format!("user-{n}")), address, now());
        assert!(login.is_ok(), "login {n}");
    }
    assert!(limits.state().attempts.len() < MAX_KEYS + 3);
    assert!(limits.try_register(address(9), now()).is_ok());
    // A minute later they are gone.
    for n in 0..30_000_u32 {
        let address = Some(IpAddr::from(n.to_be_bytes()));
        let _login = limits.try_log_in(&email(&format!("user-{n}")), address, now() + WINDOW);
    }
    assert!(limits.state().attempts.len() < MAX_KEYS + 3);
}
