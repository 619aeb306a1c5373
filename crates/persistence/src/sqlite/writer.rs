//! The writer: a thread that writes all queued tasks in one transaction and sends their outcomes after COMMIT.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use diesel::{SqliteConnection, connection::SimpleConnection as _};
use tokio::sync::{mpsc, oneshot};

use super::{
    connection::Location,
    task::{Pending, Task},
    wal::WalLimit,
};
use crate::error::StoreError;

/// Maximum number of tasks in one transaction, which share one sync of the disk.
const MAX_GROUP: usize = 128;

/// Capacity of the channel; further callers wait for a free place.
const QUEUE_CAPACITY: usize = 1024;

enum Message {
    Task(Box<dyn Task>),
    EmptyLog,
    Close,
}

/// Handle of the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    messages: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread with its connection.
    pub(super) fn start(
        location: Location,
        connection: SqliteConnection,
        wal: WalLimit,
    ) -> std::io::Result<Self> {
        let (messages, waiting) = mpsc::channel(QUEUE_CAPACITY);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&location, connection, waiting, wal))?;
        Ok(Self {
            messages,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` on the writer thread and returns its outcome once it is committed.
    ///
    /// `work` has a savepoint of its own: if it returns an error, its changes are rolled back and other tasks in the
    /// transaction are not affected. If the caller drops the future, queued work is skipped; work that has started is
    /// committed.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        let task = Message::Task(Box::new(Pending::new(work, sender)));
        if self.messages.send(task).await.is_err() {
            return Err(StoreError::WriterStopped.into());
        }
        // The sender is dropped without an outcome if the thread panicked during the group.
        outcome
            .await
            .unwrap_or_else(|_| Err(StoreError::WriterStopped.into()))
    }

    /// Has the write-ahead log emptied after the queued tasks.
    pub(super) async fn empty_log(&self) {
        // Fails only if the thread has ended; closing the last connection removes the log.
        let _ = self.messages.send(Message::EmptyLog).await;
    }

    /// Completes when the thread has ended or is about to, so that later calls fail.
    pub(super) async fn ended(&self) {
        self.messages.closed().await;
    }

    /// Writes all queued tasks, then ends the thread and closes its connection. Later calls fail.
    pub(super) async fn close(&self) {
        // Fails only if the thread has ended already.
        let _ = self.messages.send(Message::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Main loop of the thread.
fn run(
    location: &Location,
    mut connection: SqliteConnection,
    mut waiting: mpsc::Receiver<Message>,
    mut wal: WalLimit,
) {
    let mut group = Vec::with_capacity(MAX_GROUP);
    while let Some(message) = waiting.blocking_recv() {
        add_to_group(message, &mut group, &mut waiting, &mut wal);
        while group.len() < MAX_GROUP
            && let Ok(message) = waiting.try_recv()
        {
            add_to_group(message, &mut group, &mut waiting, &mut wal);
        }
        // After a panic the connection's state is unknown. The group is dropped, which its callers receive as an error;
        // closing the connection rolls back its open transaction.
        let written = catch_unwind(AssertUnwindSafe(|| write(&mut connection, &mut group)));
        if written.is_err() {
            group.clear();
            tracing::error!(
                "the writer panicked; its transaction is rolled back and the connection is replaced"
            );
            match location.reopen_writer() {
                Ok(fresh) => connection = fresh,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the connection can't be reopened; the writer thread stops"
                    );
                    return;
                }
            }
        }
        wal.enforce(&mut connection);
    }
}

/// Adds a task to the group. `Close` closes the channel to further tasks.
fn add_to_group(
    message: Message,
    group: &mut Vec<Box<dyn Task>>,
    waiting: &mut mpsc::Receiver<Message>,
    wal: &mut WalLimit,
) {
    match message {
        Message::Task(task) => group.push(task),
        Message::EmptyLog => wal.request(),
        Message::Close => waiting.close(),
    }
}

/// Writes a group and sends an outcome to each of its callers.
fn write(connection: &mut SqliteConnection, group: &mut Vec<Box<dyn Task>>) {
    group.retain(|task| task.is_awaited());
    if group.is_empty() {
        return;
    }
    match write_all(connection, group) {
        Ok(()) => group.drain(..).for_each(Task::send_outcome),
        Err(error) => {
            // SQLite may have rolled back by itself, as after a full disk; then this statement fails and nothing is
            // left to roll back.
            let _ = connection.batch_execute("ROLLBACK");
            let error = Arc::new(error);
            tracing::warn!(
                error = &*error as &dyn std::error::Error,
                tasks = group.len(),
                "a transaction failed"
            );
            for task in group.drain(..) {
                // Also for rejected tasks: the rows that they conflicted with may have been rolled back.
                task.send_error(StoreError::Transaction(error.clone()));
            }
        }
    }
}

fn write_all(connection: &mut SqliteConnection, group: &mut [Box<dyn Task>]) -> diesel::QueryResult<()> {
    // Immediate, because another process could write between the first read and the first write of a deferred
    // transaction, which would then fail.
    connection.batch_execute("BEGIN IMMEDIATE")?;
    for task in group {
        connection.batch_execute("SAVEPOINT task")?;
        if task.execute(connection) {
            connection.batch_execute("RELEASE task")?;
        } else {
            // Fails if an error rolled back the whole transaction and with it the savepoint; then the group fails.
            connection.batch_execute("ROLLBACK TO task; RELEASE task")?;
        }
    }
    connection.batch_execute("COMMIT")
}
