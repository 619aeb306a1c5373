use std::time::{Duration, Instant};

use futures::future::{BoxFuture, join_all};

/// One client: each call executes an operation and returns the number of units that it did, 0 if there are none left.
pub(crate) type Client = Box<dyn FnMut() -> BoxFuture<'static, usize> + Send>;

const SECONDS: Duration = Duration::from_secs(5);

/// Outcome of a measurement.
#[derive(Debug)]
pub(crate) struct Rates {
    /// Units per second.
    pub(crate) rate: f64,
    p50: Duration,
    p95: Duration,
}

impl std::fmt::Display for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{:>8.0}/s, p50 {:>7.2} ms, p95 {:>7.2} ms",
            self.rate,
            millis(self.p50),
            millis(self.p95)
        )
    }
}

/// Runs all clients for 5 s, or until they have nothing left.
pub(crate) async fn measure(clients: Vec<Client>) -> Rates {
    let begun = Instant::now();
    let running = clients.into_iter().map(|mut client| {
        tokio::spawn(async move {
            let (mut units, mut times) = (0_usize, Vec::new());
            while begun.elapsed() < SECONDS {
                let begun = Instant::now();
                let done = client().await;
                if done == 0 {
                    break;
                }
                units += done;
                times.push(begun.elapsed());
            }
            (units, times)
        })
    });
    let done: Vec<_> = join_all(running).await.into_iter().map(Result::unwrap).collect();
    let elapsed = begun.elapsed();
    let units: usize = done.iter().map(|(units, _)| units).sum();
    let mut times: Vec<Duration> = done.into_iter().flat_map(|(_, times)| times).collect();
    times.sort_unstable();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 units")]
    let rate = units as f64 / elapsed.as_secs_f64();
    Rates {
        rate,
        p50: at(50),
        p95: at(95),
    }
}
