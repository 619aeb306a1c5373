//! Rate of job creations. Only requests that create a job count.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroU32,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rapidphoto_domain::UserId;

/// Times of the jobs that each user has created within the last minute.
pub(crate) struct JobRate {
    pub(crate) per_minute: NonZeroU32,
    users: Mutex<HashMap<UserId, VecDeque<Instant>>>,
}

/// Place of a request among the jobs of a minute. It is free again if the request creates no job.
pub(crate) struct Place {
    rate: Arc<JobRate>,
    user: UserId,
    at: Option<Instant>,
}

/// Places of a user after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    /// Places that are left.
    pub(crate) remaining: u32,
    /// Time until the first taken place is free again.
    pub(crate) reset: Duration,
}

pub(crate) const WINDOW: Duration = Duration::from_mins(1);

impl JobRate {
    pub(crate) fn new(per_minute: NonZeroU32) -> Arc<Self> {
        Arc::new(Self {
            per_minute,
            users: Mutex::default(),
        })
    }

    /// Takes a place, if the user has one left. Also returns the places after that.
    pub(crate) fn reserve(self: &Arc<Self>, user: UserId, now: Instant) -> (Option<Place>, Places) {
        let mut users = self.users();
        let jobs = users.entry(user).or_default();
        while jobs.front().is_some_and(|at| now.duration_since(*at) >= WINDOW) {
            jobs.pop_front();
        }
        let left = |jobs: &VecDeque<Instant>| {
            let taken = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
            self.per_minute.get().saturating_sub(taken)
        };
        let place = (left(jobs) > 0).then(|| {
            jobs.push_back(now);
            Place {
                rate: Arc::clone(self),
                user,
                at: Some(now),
            }
        });
        let first = jobs.front().map_or(Duration::ZERO, |at| now.duration_since(*at));
        let places = Places {
            remaining: left(jobs),
            reset: WINDOW.saturating_sub(first),
        };
        (place, places)
    }

    /// Drops the state of users without a job in the last minute.
    pub(crate) fn remove_idle_users(&self, now: Instant) {
        let mut users = self.users();
        users.retain(|_, jobs| jobs.back().is_some_and(|at| now.duration_since(*at) < WINDOW));
        users.shrink_to_fit();
    }

    fn users(&self) -> MutexGuard<'_, HashMap<UserId, VecDeque<Instant>>> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Counts the job.
    pub(crate) fn keep(mut self) {
        self.at = None;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(at) = self.at else { return };
        let mut users = self.rate.users();
        let Some(jobs) = users.get_mut(&self.user) else {
            return;
        };
        if let Some(index) = jobs.iter().rposition(|other| *other == at) {
            jobs.remove(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_kept_places_count_and_each_for_a_minute() {
        let rate = JobRate::new(NonZeroU32::new(2).unwrap());
        let (ada, bob) = (UserId::from_bits(1), UserId::from_bits(2));
        let start = Instant::now();
        let reserve = |user, seconds| rate.reserve(user, start + Duration::from_secs(seconds)).0;
        for _ in 0..5 {
            drop(reserve(ada, 0).unwrap());
        }
        reserve(ada, 0).unwrap().keep();
        reserve(ada, 10).unwrap().keep();
        let (place, places) = rate.reserve(ada, start + Duration::from_secs(20));
        assert!(place.is_none());
        assert_eq!((places.remaining, places.reset), (0, Duration::from_secs(40)));
        assert!(reserve(bob, 0).is_some());
        reserve(ada, 60).unwrap().keep();
        assert!(reserve(ada, 65).is_none());
    }
}
