//! The threads that queries run on: one pool for each number of threads, made when it is first asked for.
use crate::diagnostic::{Fault, Result};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Queries nest deeper than the stack of a thread usually allows.
const STACK_BYTES: usize = 64 << 20;

/// More threads than this help nobody.
const MOST_THREADS: usize = 1024;

/// The number of threads that is meant: one per processor where none is said.
pub fn threads(wanted: Option<usize>) -> usize {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    wanted.unwrap_or_else(processors).clamp(1, MOST_THREADS)
}

/// Runs `work` inside the pool, and waits for it.
pub fn install<T: Send>(wanted: Option<usize>, work: impl FnOnce() -> T + Send) -> Result<T> {
    Ok(pool(threads(wanted))?.install(work))
}

/// Runs `work` inside the pool, and does not wait.
pub fn spawn(wanted: Option<usize>, work: impl FnOnce() + Send + 'static) -> Result<()> {
    pool(threads(wanted))?.spawn(work);
    Ok(())
}

/// Pools belong to a process: a fork has their memory, but none of their threads.
fn pool(threads: usize) -> Result<Arc<ThreadPool>> {
    type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;
    static POOLS: Mutex<Option<Pools>> = Mutex::new(None);
    let key = (std::process::id(), threads);
    // A process that forked while another thread held the lock finds it locked for ever: it does without.
    let Ok(mut pools) = lock_soon(&POOLS) else { return build(threads) };
    let pools = pools.get_or_insert_default();
    if let Some(known) = pools.get(&key) {
        return Ok(known.clone());
    }
    let made = build(threads)?;
    pools.insert(key, made.clone());
    Ok(made)
}

/// The lock, tried for a while: it is held only as long as threads are started.
fn lock_soon<T>(mutex: &Mutex<T>) -> std::result::Result<std::sync::MutexGuard<'_, T>, ()> {
    for _ in 0..1000 {
        match mutex.try_lock() {
            Ok(guard) => return Ok(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(1)),
        }
    }
    Err(())
}

fn build(threads: usize) -> Result<Arc<ThreadPool>> {
    let builder = ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK_BYTES);
    let pool = builder.thread_name(|at| format!("huntpack-{at}")).build();
    pool.map(Arc::new).map_err(|error| Fault::internal(format!("the threads cannot be started: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_runs_on_as_many_threads_as_asked() {
        assert_eq!(install(Some(3), rayon::current_num_threads).unwrap(), 3);
        assert!(threads(None) >= 1);
        assert_eq!(threads(Some(0)), 1);
    }
}
