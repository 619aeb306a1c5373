use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc},
};
use async_trait::async_trait;
use rapidphoto_application::ports::{BoxError, Ids, PasswordHash, PasswordHasher, PasswordsBusy};
use tokio::{
    sync::{OnceCell, Semaphore},
    task,
};

/// Cost parameters of Argon2id (RFC 9106), and the number of concurrent hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Config {
    /// Memory of one hash, in KiB.
    pub memory_kib: u32,
    /// Number of passes over the memory.
    pub passes: u32,
    /// Degree of parallelism.
    pub lanes: u32,
    /// Maximum number of hashes computed concurrently, each with its own memory. Further ones wait.
    pub concurrency: usize,
}

impl Default for Argon2Config {
    /// Parameters recommended by OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            concurrency: 4,
        }
    }
}

/// An [`Argon2Config`] is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Argon2ConfigError {
    /// The cost parameters are outside the range of Argon2.
    #[error("the cost parameters are outside the range of Argon2")]
    Costs(#[source] argon2::Error),
    /// The number of concurrent hashes is out of range.
    #[error(
        "the number of concurrent password hashes must be between 1 and {}",
        Semaphore::MAX_PERMITS
    )]
    Concurrency,
}

/// Maximum number of waiting passwords per concurrent hash; they wait one or two seconds.
const MAX_WAITING_PER_HASH: usize = 64;

/// Password hasher that uses Argon2id on blocking threads.
pub struct Argon2Passwords {
    argon2: Argon2<'static>,
    /// Permits of running and waiting hashes.
    queue: Arc<Semaphore>,
    /// Number of permits of the queue.
    capacity: usize,
    /// Maximum number of running hashes.
    concurrency: usize,
    /// Permits of running hashes.
    running: Arc<Semaphore>,
    /// Permits of pretended hashes.
    pretending: Semaphore,
    ids: Arc<dyn Ids>,
    /// Duration of the last hash without waiting, in nanoseconds; 0 before the first.
    last_duration: Arc<AtomicU64>,
    /// Set once a hash was measured.
    measured: OnceCell<()>,
}

impl Argon2Passwords {
    /// Creates a hasher whose salts come from `ids`. It also verifies hashes with other cost parameters.
    ///
    /// # Errors
    /// [`Argon2ConfigError`] if the configuration is invalid.
    pub fn new(config: Argon2Config, ids: Arc<dyn Ids>) -> Result<Self, Argon2ConfigError> {
        let costs = Params::new(config.memory_kib, config.passes, config.lanes, None)
            .map_err(Argon2ConfigError::Costs)?;
        if !(1..=Semaphore::MAX_PERMITS).contains(&config.concurrency) {
            return Err(Argon2ConfigError::Concurrency);
        }
        let capacity = config
            .concurrency
            .saturating_mul(1 + MAX_WAITING_PER_HASH)
            .min(Semaphore::MAX_PERMITS);
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, costs),
            queue: Arc::new(Semaphore::new(capacity)),
            capacity,
            concurrency: config.concurrency,
            running: Arc::new(Semaphore::new(config.concurrency)),
            pretending: Semaphore::new(config.concurrency),
            ids,
            last_duration: Arc::default(),
            measured: OnceCell::new(),
        })
    }

    /// Runs `work` on a blocking thread when a permit is available. The permit is held until the work ends, even if the
    /// caller is cancelled before.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, BoxError> {
        // Released when the caller is cancelled, so that only waiting callers count.
        let _queued = self.queue.try_acquire().map_err(|_| PasswordsBusy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await?;
        let argon2 = self.argon2.clone();
        let last_duration = Arc::clone(&self.last_duration);
        let result = task::spawn_blocking(move || {
            let started = Instant::now();
            let result = work(&argon2);
            let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            last_duration.store(nanos, Ordering::Relaxed);
            drop(permit);
            result
        });
        Ok(result.await??)
    }

    /// Waits as long as the verification of an existing user's password would take now, without hashing. So a flood of
    /// logins to unknown accounts keeps nobody from logging in, and response times don't reveal which accounts exist.
    async fn pretend(&self) -> Result<(), BoxError> {
        let measure = || async {
            let hashed =
                self.run(|argon2| argon2.hash_password_with_salt(b"an unknown password", &[0; SALT_BYTES]));
            let _: phc::PasswordHash = hashed.await?;
            Ok::<_, BoxError>(())
        };
        // The very first one hashes; others wait for it.
        self.measured.get_or_try_init(measure).await?;
        let free = self.queue.available_permits();
        if free == 0 {
            return Err(PasswordsBusy.into());
        }
        let ahead = self.capacity.saturating_sub(free);
        let rounds = u32::try_from(ahead / self.concurrency.max(1)).unwrap_or(u32::MAX);
        let one = Duration::from_nanos(self.last_duration.load(Ordering::Relaxed));
        tokio::time::sleep(one.saturating_mul(rounds)).await;
        // Concurrent ones wait for each other, as hashes do.
        let _running = self.pretending.acquire().await?;
        tokio::time::sleep(one).await;
        Ok(())
    }
}

#[async_trait]
impl PasswordHasher for Argon2Passwords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        // New passwords may take half of the queue: the rest is kept for logins.
        if self.queue.available_permits() <= self.capacity / 2 {
            return Err(PasswordsBusy.into());
        }
        let password = password.to_owned();
        let salt = salt(self.ids.secret());
        self.run(move |argon2| argon2.hash_password_with_salt(password.as_bytes(), &salt))
            .await
            .map(|hash: phc::PasswordHash| PasswordHash(hash.to_string()))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        let Some(hash) = hash else {
            self.pretend().await?;
            return Ok(false);
        };
        let password = password.to_owned();
        let hash = phc::PasswordHash::new(&hash.0)?;
        self.run(
            move |argon2| match argon2.verify_password(password.as_bytes(), &hash) {
                Ok(()) => Ok(true),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            },
        )
        .await
    }

    fn is_outdated(&self, hash: &PasswordHash) -> bool {
        let costs = self.argon2.params();
        let current = format!(
            "$argon2id$v=19$m={},t={},p={}$",
            costs.m_cost(),
            costs.t_cost(),
            costs.p_cost()
        );
        !hash.0.starts_with(&current)
    }
}

impl fmt::Debug for Argon2Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Passwords")
            .field("costs", self.argon2.params())
            .finish_non_exhaustive()
    }
}

/// Salt length in bytes, recommended by RFC 9106, section 3.1.
const SALT_BYTES: usize = 16;

fn salt(random: [u8; 32]) -> [u8; SALT_BYTES] {
    let mut salt = [0; SALT_BYTES];
    for (to, from) in salt.iter_mut().zip(random) {
        *to = from;
    }
    salt
}

#[cfg(test)]
mod tests;
