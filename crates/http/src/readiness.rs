use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{sync::Mutex, time::Instant};

use crate::app::{Dependency, Readiness};

/// Time for which a result is reported again, so that the rate of requests does not reach the dependencies.
const CACHED: Duration = Duration::from_secs(1);

/// Checks dependencies at most once a second, whatever the number of callers.
pub struct CachedReadiness {
    inner: Arc<dyn Readiness>,
    last: Mutex<Option<(Instant, Vec<Dependency>)>>,
}

impl CachedReadiness {
    /// Limits the checks of `inner`.
    pub fn new(inner: Arc<dyn Readiness>) -> Self {
        Self {
            inner,
            last: Mutex::default(),
        }
    }
}

#[async_trait]
impl Readiness for CachedReadiness {
    async fn dependencies(&self) -> Vec<Dependency> {
        // Held during the check, so that concurrent callers wait for its result.
        let mut last = self.last.lock().await;
        if let Some((at, dependencies)) = &*last
            && at.elapsed() < CACHED
        {
            return dependencies.clone();
        }
        let dependencies = self.inner.dependencies().await;
        *last = Some((Instant::now(), dependencies.clone()));
        dependencies
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Readiness for Counting {
        async fn dependencies(&self) -> Vec<Dependency> {
            self.0.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            Vec::new()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn dependencies_are_checked_once_a_second() {
        let counting = Arc::new(Counting::default());
        let cached = CachedReadiness::new(Arc::clone(&counting) as _);
        for expected in 1..3 {
            futures::future::join_all((0..50).map(|_| cached.dependencies())).await;
            cached.dependencies().await;
            assert_eq!(counting.0.load(Ordering::SeqCst), expected);
            tokio::time::advance(CACHED).await;
        }
    }
}
