//! How often a user may ask, by the generic cell rate algorithm: bursts up to the limit, then evenly spread.

use std::{num::NonZeroU32, time::Duration};

use actix_web::http::header::HeaderName;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::{StateInformationMiddleware, StateSnapshot},
};
use rapidphoto_domain::UserId;

use crate::{
    HttpConfig,
    refusal::{Refusal, kinds, whole_seconds},
};

/// What is left of a rate (draft-ietf-httpapi-ratelimit-headers).
pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What a rate is.
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Every rate of the API.
pub(crate) struct Limits {
    /// Job creations.
    pub(crate) jobs: Rate,
    /// Progress posts.
    pub(crate) progress: Rate,
}

/// How often each user may do one thing.
pub(crate) struct Rate {
    name: &'static str,
    quota: NonZeroU32,
    window: Duration,
    clock: DefaultClock,
    limiter: DefaultKeyedRateLimiter<UserId, StateInformationMiddleware>,
}

/// What is left of a rate after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    name: &'static str,
    quota: u32,
    window: Duration,
    remaining: u32,
    /// How long until there is one more.
    reset: Duration,
}

impl Limits {
    /// The rates that a deployment wants.
    pub(crate) fn new(config: &HttpConfig) -> Self {
        Self {
            jobs: Rate::new("jobs", config.jobs_per_minute, Duration::from_mins(1)),
            progress: Rate::new("progress", config.progress_per_second, Duration::from_secs(1)),
        }
    }

    /// Forgets users who have been silent for so long that everything is allowed to them again.
    pub(crate) fn forget_silent(&self) {
        for rate in [&self.jobs, &self.progress] {
            rate.limiter.retain_recent();
            rate.limiter.shrink_to_fit();
        }
    }
}

impl Rate {
    fn new(name: &'static str, quota: NonZeroU32, window: Duration) -> Self {
        let spread = Quota::with_period(window / quota.get())
            .unwrap_or_else(|| Quota::per_second(quota))
            .allow_burst(quota);
        let clock = DefaultClock::default();
        Self {
            name,
            quota,
            window,
            limiter: RateLimiter::dashmap_with_clock(spread, clock.clone()).with_middleware(),
            clock,
        }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// When it is one too many.
    pub(crate) fn take(&self, user: UserId) -> Result<Allowance, Allowance> {
        match self.limiter.check_key(&user) {
            Ok(state) => Ok(self.allowance(&state)),
            Err(refused) => Err(Allowance {
                remaining: 0,
                reset: refused.wait_time_from(self.clock.now()),
                ..self.allowance_of(0)
            }),
        }
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
    /// What is told when nothing is left.
    pub(crate) fn refusal(&self) -> Refusal {
        Refusal::new(kinds::RATE_LIMITED)
            .saying(format!(
                "No more than {} of these in {} s.",
                self.quota,
                self.window.as_secs()
            ))
            .retry_after(self.reset)
    }

    /// The headers that tell it.
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
    fn each_user_has_a_rate_of_their_own() {
        let three = NonZeroU32::new(3).unwrap();
        let rate = Rate::new("jobs", three, Duration::from_hours(1));
        let (ada, bob) = (UserId::from_bits(1), UserId::from_bits(2));
        for left in [2, 1, 0] {
            assert_eq!(rate.take(ada).unwrap().remaining, left);
        }
        let refused = rate.take(ada).unwrap_err();
        assert!(refused.reset > Duration::from_mins(19) && refused.reset <= Duration::from_mins(20));
        assert_eq!(rate.take(bob).unwrap().remaining, 2);
        let [policy, limit] = refused.headers();
        assert_eq!(policy.1, "\"jobs\";q=3;w=3600");
        assert!(limit.1.starts_with("\"jobs\";r=0;t=1"), "{}", limit.1);
    }
}
