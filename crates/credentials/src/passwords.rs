use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc},
};
use async_trait::async_trait;
use rapidphoto_application::ports::{BoxError, Ids, PasswordHash, PasswordHasher, PasswordsBusy};
use tokio::{sync::Semaphore, task};

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
    /// Permits of running hashes.
    running: Arc<Semaphore>,
    ids: Arc<dyn Ids>,
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
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, costs),
            queue: Arc::new(Semaphore::new(
                config
                    .concurrency
                    .saturating_mul(1 + MAX_WAITING_PER_HASH)
                    .min(Semaphore::MAX_PERMITS),
            )),
            running: Arc::new(Semaphore::new(config.concurrency)),
            ids,
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
        let result = task::spawn_blocking(move || {
            let result = work(&argon2);
            drop(permit);
            result
        });
        Ok(result.await??)
    }
}

#[async_trait]
impl PasswordHasher for Argon2Passwords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        let password = password.to_owned();
        let salt = salt(self.ids.secret());
        self.run(move |argon2| argon2.hash_password_with_salt(password.as_bytes(), &salt))
            .await
            .map(|hash: phc::PasswordHash| PasswordHash(hash.to_string()))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        let password = password.to_owned();
        let Some(hash) = hash else {
            // An unknown user costs the same time as a wrong password, so that responses don't reveal which users exist.
            let hashed =
                self.run(move |argon2| argon2.hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]));
            let _: phc::PasswordHash = hashed.await?;
            return Ok(false);
        };
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
mod tests {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicU8, Ordering},
            mpsc,
        },
        time::{Duration, Instant},
    };

    use super::*;

    /// Sequential secrets, so that salts differ.
    struct SequentialIds(AtomicU8);

    impl Ids for SequentialIds {
        fn ulid(&self) -> u128 {
            0
        }

        fn secret(&self) -> [u8; 32] {
            [self.0.fetch_add(1, Ordering::Relaxed); 32]
        }
    }

    fn hasher(config: Argon2Config) -> Argon2Passwords {
        Argon2Passwords::new(config, Arc::new(SequentialIds(AtomicU8::new(1)))).unwrap()
    }

    /// Minimum costs that Argon2 allows.
    const CHEAP: Argon2Config = Argon2Config {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
        concurrency: 2,
    };

    #[tokio::test]
    async fn a_hash_matches_only_its_password() {
        let hasher = hasher(CHEAP);
        let hash = hasher.hash("correct horse").await.unwrap();
        assert!(hasher.verify("correct horse", Some(&hash)).await.unwrap());
        for wrong in ["", "Correct horse", "correct horse ", "correct\0horse"] {
            assert!(!hasher.verify(wrong, Some(&hash)).await.unwrap(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn hashing_fails_when_the_queue_is_full() {
        let hasher = Arc::new(hasher(CHEAP));
        let permits = hasher.running.clone().acquire_many_owned(2).await.unwrap();
        let waiting: Vec<_> = (0..CHEAP.concurrency * (1 + MAX_WAITING_PER_HASH))
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move { hasher.hash("one of many").await.map(drop) })
            })
            .collect();
        let queue_full = async {
            while hasher.queue.available_permits() > 0 {
                task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), queue_full)
            .await
            .unwrap();
        let error = hasher.hash("one too many").await.unwrap_err();
        assert!(error.is::<PasswordsBusy>(), "{error}");
        drop(permits);
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        assert!(hasher.hash("later").await.is_ok());
    }

    #[tokio::test]
    async fn hashes_of_the_same_password_differ() {
        let hasher = hasher(CHEAP);
        assert_ne!(
            hasher.hash("twice").await.unwrap(),
            hasher.hash("twice").await.unwrap()
        );
    }

    #[tokio::test]
    async fn a_hash_contains_its_parameters() {
        let hash = hasher(Argon2Config::default()).hash("plain").await.unwrap();
        assert!(
            hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.0
        );
        assert!(!format!("{hash:?}").contains("argon2id"));
    }

    #[tokio::test]
    async fn hashes_with_other_costs_are_verified() {
        let old = hasher(CHEAP).hash("kept").await.unwrap();
        let now = hasher(Argon2Config {
            memory_kib: 64,
            passes: 3,
            ..CHEAP
        });
        assert!(now.verify("kept", Some(&old)).await.unwrap());
        assert!(!now.verify("lost", Some(&old)).await.unwrap());
    }

    #[tokio::test]
    async fn invalid_hashes_are_an_error() {
        let hasher = hasher(CHEAP);
        for invalid in [
            "",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=8,t=1,p=1$",
        ] {
            let verified = hasher
                .verify("plain", Some(&PasswordHash(invalid.to_owned())))
                .await;
            assert!(!matches!(verified, Ok(true)), "{invalid:?}");
        }
        assert!(
            hasher
                .verify("plain", Some(&PasswordHash("plain".to_owned())))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn unknown_users_take_as_long_as_wrong_passwords() {
        let hasher = hasher(Argon2Config::default());
        let hash = hasher.hash("right").await.unwrap();
        let mut known = Duration::MAX;
        let mut unknown = Duration::MAX;
        let similar = |known: Duration, unknown: Duration| unknown > known / 2 && unknown < known * 2;
        // The minimum of several measurements is the least affected by other load; more are made under heavy load.
        for round in 1..=100 {
            let start = Instant::now();
            assert!(!hasher.verify("wrong", Some(&hash)).await.unwrap());
            known = known.min(start.elapsed());
            let start = Instant::now();
            assert!(!hasher.verify("wrong", None).await.unwrap());
            unknown = unknown.min(start.elapsed());
            if round >= 7 && similar(known, unknown) {
                break;
            }
        }
        assert!(similar(known, unknown), "{unknown:?} against {known:?}");
    }

    #[tokio::test]
    async fn cancelled_callers_keep_their_permit_until_the_work_ends() {
        let hasher = Arc::new(hasher(CHEAP));
        let (release, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..CHEAP.concurrency {
            let (hasher, gate, started) = (Arc::clone(&hasher), Arc::clone(&gate), started.clone());
            let caller = tokio::spawn(async move {
                let work = move |_: &Argon2<'static>| {
                    started.send(()).unwrap();
                    assert!(
                        gate.lock().unwrap().recv().is_err(),
                        "the gate is released by dropping the sender"
                    );
                    Ok(())
                };
                hasher.run(work).await
            });
            starts.recv().await.unwrap();
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
        }
        let late = tokio::time::timeout(Duration::from_millis(50), hasher.hash("late")).await;
        assert!(late.is_err(), "the work of cancelled callers still counts");
        drop(release);
        let late = tokio::time::timeout(Duration::from_mins(1), hasher.hash("late")).await;
        assert!(late.unwrap().is_ok());
    }

    #[test]
    fn costs_outside_the_range_of_argon2_are_errors() {
        let ids: Arc<dyn Ids> = Arc::new(SequentialIds(AtomicU8::new(0)));
        let make = |config| Argon2Passwords::new(config, Arc::clone(&ids)).map(|_| ());
        assert!(matches!(
            make(Argon2Config {
                memory_kib: 1,
                ..CHEAP
            }),
            Err(Argon2ConfigError::Costs(_))
        ));
        assert!(matches!(
            make(Argon2Config { passes: 0, ..CHEAP }),
            Err(Argon2ConfigError::Costs(_))
        ));
        for concurrency in [0, usize::MAX] {
            assert_eq!(
                make(Argon2Config { concurrency, ..CHEAP }),
                Err(Argon2ConfigError::Concurrency)
            );
        }
    }
}
