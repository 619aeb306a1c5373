//! Rate limits per user, or per network for calls without an access token, by the generic cell rate algorithm (GCRA): bursts up to the quota, then evenly spaced requests.

use std::{hash::Hash, net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use actix_web::http::header::HeaderName;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::{StateInformationMiddleware, StateSnapshot},
};
use rapidphoto_application::{auth::Network, jobs::JobPlaces, ports::ATTEMPT_WINDOW};
use rapidphoto_domain::UserId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::HttpConfig,
    problem::{Problem, kinds, whole_seconds},
};

/// Remaining quota (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// Quota and window (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Time after which an overloaded server may have completed a use case.
const RETRY_OVERLOADED: Duration = Duration::from_secs(1);

/// Time after which a server without space or with a backlog may accept jobs again.
pub(crate) const RETRY_LATER: Duration = Duration::from_secs(30);

/// Rate limit that an endpoint's requests count against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateClass {
    /// All requests but progress posts.
    Requests,
    /// Progress posts.
    Progress,
}

/// Rate limiters of all classes.
pub(crate) struct Limits {
    requests: Limiter,
    progress: Limiter,
    /// Use cases that may run at once.
    in_flight: Arc<Semaphore>,
    /// Calls without an access token, by network.
    anonymous: Limiter<Option<Network>>,
    /// Use cases of such calls that may run at once.
    anonymous_in_flight: Arc<Semaphore>,
}

/// Rate limiter of one class, keyed by user or network.
struct Limiter<K: Clone + Eq + Hash = UserId> {
    name: &'static str,
    quota: NonZeroU32,
    window: Duration,
    clock: DefaultClock,
    keys: DefaultKeyedRateLimiter<K, StateInformationMiddleware>,
}

/// State of a user's quota after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    name: &'static str,
    quota: u32,
    window: Duration,
    remaining: u32,
    /// Time until one more request is allowed.
    reset: Duration,
}

impl Limits {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            requests: Limiter::new("requests", config.requests_per_second, Duration::from_secs(1)),
            progress: Limiter::new("progress", config.progress_per_second, Duration::from_secs(1)),
            in_flight: Arc::new(Semaphore::new(config.max_in_flight)),
            anonymous: Limiter::new(
                "requests",
                config.anonymous_requests_per_second,
                Duration::from_secs(1),
            ),
            anonymous_in_flight: Arc::new(Semaphore::new(config.max_in_flight)),
        }
    }

    /// Counts one request of `user`.
    ///
    /// # Errors
    /// If the request exceeds the quota.
    pub(crate) fn check(&self, class: RateClass, user: UserId) -> Result<Allowance, Allowance> {
        match class {
            RateClass::Requests => self.requests.check(&user),
            RateClass::Progress => self.progress.check(&user),
        }
    }

    /// Admits one more use case, which must keep the permit until its end.
    ///
    /// # Errors
    /// If too many use cases are running.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        admit(&self.in_flight)
    }

    /// Like [`Self::admit`], for a call without an access token: such calls take no place from users.
    ///
    /// # Errors
    /// If its network sends too many, or too many are running.
    pub(crate) fn admit_anonymous(&self, address: Option<IpAddr>) -> Result<OwnedSemaphorePermit, Problem> {
        let allowance = self.anonymous.check(&address.map(Network::of));
        allowance.map_err(|exceeded| exceeded.problem())?;
        admit(&self.anonymous_in_flight)
    }

    /// Drops the state of users whose whole quota is available again.
    pub(crate) fn remove_idle_users(&self) {
        self.requests.remove_idle_keys();
        self.progress.remove_idle_keys();
        self.anonymous.remove_idle_keys();
    }
}

fn admit(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(places)
        .try_acquire_owned()
        .map_err(|_| Problem::new(kinds::OVERLOADED).retry_after(RETRY_OVERLOADED))
}

impl<K: Clone + Eq + Hash> Limiter<K> {
    fn new(name: &'static str, quota: NonZeroU32, window: Duration) -> Self {
        let spread = Quota::with_period(window / quota.get())
            .unwrap_or_else(|| Quota::per_second(quota))
            .allow_burst(quota);
        let clock = DefaultClock::default();
        Self {
            name,
            quota,
            window,
            keys: RateLimiter::dashmap_with_clock(spread, clock.clone()).with_middleware(),
            clock,
        }
    }

    fn check(&self, key: &K) -> Result<Allowance, Allowance> {
        match self.keys.check_key(key) {
            Ok(state) => Ok(self.allowance(&state)),
            Err(exceeded) => Err(Allowance {
                reset: exceeded.wait_time_from(self.clock.now()),
                ..self.allowance_of(0)
            }),
        }
    }

    fn remove_idle_keys(&self) {
        self.keys.retain_recent();
        self.keys.shrink_to_fit();
    }

    fn allowance(&self, state: &StateSnapshot) -> Allowance {
        self.allowance_of(state.remaining_burst_capacity())
    }

    fn allowance_of(&self, remaining: u32) -> Allowance {
        Allowance {
            name: self.name,
            quota: self.quota.get(),
            window: self.window,
            remaining,
            reset: self.window / self.quota.get(),
        }
    }
}

impl Allowance {
    /// Allowance of a user's jobs.
    pub(crate) const fn of_jobs(per_minute: NonZeroU32, places: JobPlaces) -> Self {
        Self {
            name: "jobs",
            quota: per_minute.get(),
            window: ATTEMPT_WINDOW,
            remaining: places.remaining,
            reset: places.reset,
        }
    }

    /// Problem for a request over the quota.
    pub(crate) fn problem(&self) -> Problem {
        Problem::new(kinds::RATE_LIMITED)
            .detail(format!(
                "The limit of {} {} in {} s is reached. The next one is possible in {} s.",
                self.quota,
                self.name,
                self.window.as_secs(),
                whole_seconds(self.reset)
            ))
            .usage(u64::from(self.quota - self.remaining), u64::from(self.quota))
            .retry_after(self.reset)
    }

    /// `RateLimit-Policy` and `RateLimit`.
    pub(crate) fn headers(&self) -> [(HeaderName, String); 2] {
        let Self {
            name,
            quota,
            window,
            remaining,
            reset,
        } = self;
        [
            (
                RATE_LIMIT_POLICY,
                format!("\"{name}\";q={quota};w={}", window.as_secs()),
            ),
            (
                RATE_LIMIT,
                format!("\"{name}\";r={remaining};t={}", whole_seconds(*reset)),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_user_has_a_separate_quota() {
        let three = NonZeroU32::new(3).unwrap();
        let limiter = Limiter::new("jobs", three, Duration::from_hours(1));
        let (ada, bob) = (UserId::from_bits(1), UserId::from_bits(2));
        for left in [2, 1, 0] {
            assert_eq!(limiter.check(&ada).unwrap().remaining, left);
        }
        let exceeded = limiter.check(&ada).unwrap_err();
        assert!(exceeded.reset > Duration::from_mins(19) && exceeded.reset <= Duration::from_mins(20));
        assert_eq!(limiter.check(&bob).unwrap().remaining, 2);
        let [policy, limit] = exceeded.headers();
        assert_eq!(policy.1, "\"jobs\";q=3;w=3600");
        assert!(limit.1.starts_with("\"jobs\";r=0;t=1"), "{}", limit.1);
    }
}
