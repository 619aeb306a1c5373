use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a test has panicked while it held the lock: other tests share the mutex.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
