use std::{fmt, sync::Arc};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _, phc},
};
use async_trait::async_trait;
use rapidphoto_application::ports::{BoxError, Ids, PasswordHash, PasswordHasher, PasswordsBusy};
use tokio::{sync::Semaphore, task};

/// What one hash costs, and how many are made at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Config {
    /// Memory for one hash, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes of it.
    pub lanes: u32,
    /// Hashes made at once; others wait their turn. Together they take so many times the memory of one.
    pub concurrency: usize,
}

impl Default for Argon2Config {
    /// The costs that OWASP's Password Storage Cheat Sheet recommends: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
            concurrency: 4,
        }
    }
}

/// Why no password can be hashed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Argon2ConfigError {
    /// Argon2 is not defined for these costs.
    #[error("argon2 can't work with these costs")]
    Costs(#[source] argon2::Error),
    /// Nothing would ever be hashed, or more at once than can be counted.
    #[error(
        "the number of hashes made at once is between 1 and {}",
        Semaphore::MAX_PERMITS
    )]
    Concurrency,
}

/// How many passwords may wait for each one that is being hashed: a second or two of waiting.
const WAITING: usize = 64;

/// Passwords hashed by argon2id, on threads that may block.
pub struct Argon2Passwords {
    argon2: Argon2<'static>,
    /// Those that are hashed and those that wait.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
    ids: Arc<dyn Ids>,
}

impl Argon2Passwords {
    /// A hasher with these costs, whose salts come from `ids`. Hashes made with other costs are verified all the same.
    ///
    /// # Errors
    /// [`Argon2ConfigError`] says what could not work.
    pub fn new(config: Argon2Config, ids: Arc<dyn Ids>) -> Result<Self, Argon2ConfigError> {
        let costs = Params::new(config.memory_kib, config.passes, config.lanes, None)
            .map_err(Argon2ConfigError::Costs)?;
        if !(1..=Semaphore::MAX_PERMITS).contains(&config.concurrency) {
            return Err(Argon2ConfigError::Concurrency);
        }
        Ok(Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, costs),
            places: Arc::new(Semaphore::new(
                config
                    .concurrency
                    .saturating_mul(1 + WAITING)
                    .min(Semaphore::MAX_PERMITS),
            )),
            turns: Arc::new(Semaphore::new(config.concurrency)),
            ids,
        })
    }

    /// Runs one piece of hashing when its turn has come. The turn lasts as long as the work, though the caller may be
    /// gone before.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'static>) -> Result<T, password_hash::Error> + Send + 'static,
    ) -> Result<T, BoxError> {
        // Given back when the caller goes away, too: what waits is what somebody waits for.
        let _place = self.places.try_acquire().map_err(|_| PasswordsBusy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await?;
        let argon2 = self.argon2.clone();
        let done = task::spawn_blocking(move || {
            let done = work(&argon2);
            drop(turn);
            done
        });
        Ok(done.await??)
    }
}

#[async_trait]
impl PasswordHasher for Argon2Passwords {
    async fn hash(&self, password: &str) -> Result<PasswordHash, BoxError> {
        let password = password.to_owned();
        let salt = salt(self.ids.secret());
        self.in_turn(move |argon2| argon2.hash_password_with_salt(password.as_bytes(), &salt))
            .await
            .map(|hash: phc::PasswordHash| PasswordHash(hash.to_string()))
    }

    async fn verify(&self, password: &str, hash: Option<&PasswordHash>) -> Result<bool, BoxError> {
        let password = password.to_owned();
        let Some(hash) = hash else {
            // The same work with a salt of its own; what comes out of it is nobody's.
            let hashed = self
                .in_turn(move |argon2| argon2.hash_password_with_salt(password.as_bytes(), &[0; SALT_BYTES]));
            let _: phc::PasswordHash = hashed.await?;
            return Ok(false);
        };
        let hash = phc::PasswordHash::new(&hash.0)?;
        self.in_turn(
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

/// What RFC 9106, section 3.1, recommends.
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

    /// Counts; good enough for salts that differ.
    struct Counted(AtomicU8);

    impl Ids for Counted {
        fn ulid(&self) -> u128 {
            0
        }

        fn secret(&self) -> [u8; 32] {
            [self.0.fetch_add(1, Ordering::Relaxed); 32]
        }
    }

    fn hasher(config: Argon2Config) -> Argon2Passwords {
        Argon2Passwords::new(config, Arc::new(Counted(AtomicU8::new(1)))).unwrap()
    }

    /// As little as argon2 allows.
    const CHEAP: Argon2Config = Argon2Config {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
        concurrency: 2,
    };

    #[tokio::test]
    async fn a_hash_fits_its_password_alone() {
        let hasher = hasher(CHEAP);
        let hash = hasher.hash("correct horse").await.unwrap();
        assert!(hasher.verify("correct horse", Some(&hash)).await.unwrap());
        for wrong in ["", "Correct horse", "correct horse ", "correct\0horse"] {
            assert!(!hasher.verify(wrong, Some(&hash)).await.unwrap(), "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn beyond_a_bound_nobody_waits() {
        let hasher = Arc::new(hasher(CHEAP));
        let turns = hasher.turns.clone().acquire_many_owned(2).await.unwrap();
        let waiting: Vec<_> = (0..CHEAP.concurrency * (1 + WAITING))
            .map(|_| {
                let hasher = Arc::clone(&hasher);
                tokio::spawn(async move { hasher.hash("one of many").await.map(drop) })
            })
            .collect();
        let crowded = async {
            while hasher.places.available_permits() > 0 {
                task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), crowded)
            .await
            .unwrap();
        let refused = hasher.hash("one too many").await.unwrap_err();
        assert!(refused.is::<PasswordsBusy>(), "{refused}");
        drop(turns);
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        assert!(hasher.hash("later").await.is_ok());
    }

    #[tokio::test]
    async fn the_same_password_never_has_the_same_hash() {
        let hasher = hasher(CHEAP);
        assert_ne!(
            hasher.hash("twice").await.unwrap(),
            hasher.hash("twice").await.unwrap()
        );
    }

    #[tokio::test]
    async fn a_hash_says_how_it_was_made() {
        let hash = hasher(Argon2Config::default()).hash("plain").await.unwrap();
        assert!(
            hash.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{}",
            hash.0
        );
        assert!(!format!("{hash:?}").contains("argon2id"));
    }

    #[tokio::test]
    async fn hashes_of_other_costs_are_still_verified() {
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
    async fn what_is_no_hash_is_an_error() {
        let hasher = hasher(CHEAP);
        for broken in [
            "",
            "plain",
            "$2b$12$abcdefghijklmnopqrstuv",
            "$argon2id$v=19$m=8,t=1,p=1$",
        ] {
            let verified = hasher
                .verify("plain", Some(&PasswordHash(broken.to_owned())))
                .await;
            assert!(!matches!(verified, Ok(true)), "{broken:?}");
        }
        assert!(
            hasher
                .verify("plain", Some(&PasswordHash("plain".to_owned())))
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn nobody_is_refused_as_slowly_as_somebody() {
        let hasher = hasher(Argon2Config::default());
        let hash = hasher.hash("somebody").await.unwrap();
        let mut known = Duration::MAX;
        let mut unknown = Duration::MAX;
        let alike = |known: Duration, unknown: Duration| unknown > known / 2 && unknown < known * 2;
        // The best of several is what a busy machine disturbs least; of more of them, where it disturbs all.
        for round in 1..=100 {
            let start = Instant::now();
            assert!(!hasher.verify("wrong", Some(&hash)).await.unwrap());
            known = known.min(start.elapsed());
            let start = Instant::now();
            assert!(!hasher.verify("wrong", None).await.unwrap());
            unknown = unknown.min(start.elapsed());
            if round >= 7 && alike(known, unknown) {
                break;
            }
        }
        assert!(alike(known, unknown), "{unknown:?} against {known:?}");
    }

    #[tokio::test]
    async fn hashing_takes_turns_though_callers_go_away() {
        let hasher = Arc::new(hasher(CHEAP));
        let (open, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        for _ in 0..CHEAP.concurrency {
            let (hasher, gate, begun) = (Arc::clone(&hasher), Arc::clone(&gate), begun.clone());
            let caller = tokio::spawn(async move {
                let at_the_gate = move |_: &Argon2<'static>| {
                    begun.send(()).unwrap();
                    assert!(
                        gate.lock().unwrap().recv().is_err(),
                        "the gate opens by being dropped"
                    );
                    Ok(())
                };
                hasher.in_turn(at_the_gate).await
            });
            begins.recv().await.unwrap();
            caller.abort();
            assert!(caller.await.unwrap_err().is_cancelled());
        }
        let late = tokio::time::timeout(Duration::from_millis(50), hasher.hash("late")).await;
        assert!(late.is_err(), "the work of those who left still counts");
        drop(open);
        let late = tokio::time::timeout(Duration::from_mins(1), hasher.hash("late")).await;
        assert!(late.unwrap().is_ok());
    }

    #[test]
    fn costs_that_argon2_does_not_know_are_refused() {
        let ids: Arc<dyn Ids> = Arc::new(Counted(AtomicU8::new(0)));
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
