//! The one writer: a thread that takes what waits, writes it in one transaction, and answers after COMMIT.

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
};
use crate::error::RecordError;

/// How many tasks share one transaction, and one sync of the disk, at most.
const GROUP: usize = 128;

/// How many tasks wait in the channel; more callers wait at its door.
const QUEUE: usize = 1024;

enum Message {
    Task(Box<dyn Task>),
    Close,
}

/// The way to the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    messages: mpsc::Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on its connection.
    pub(super) fn start(location: Location, connection: SqliteConnection) -> std::io::Result<Self> {
        let (messages, waiting) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(&location, connection, waiting))?;
        Ok(Self {
            messages,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has `work` done by the writer and gives its outcome once it is committed.
    ///
    /// `work` has a savepoint of its own: when it gives an error, nothing of it stays, and its neighbours in the
    /// transaction don't notice. When the caller goes away, work that has not begun is left out; work that has begun
    /// is written as if the caller were there.
    pub(super) async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<RecordError> + Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let task = Message::Task(Box::new(Pending::new(work, answer)));
        if self.messages.send(task).await.is_err() {
            return Err(RecordError::WriterGone.into());
        }
        // The sender is dropped without an answer when the thread panicked over the group.
        answered
            .await
            .unwrap_or_else(|_| Err(RecordError::WriterGone.into()))
    }

    /// Has everything written that waits, then ends the thread and its connection. Whoever comes later is refused.
    pub(super) async fn close(&self) {
        // Fails only if the thread has ended already.
        let _ = self.messages.send(Message::Close).await;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// The thread.
fn run(location: &Location, mut connection: SqliteConnection, mut waiting: mpsc::Receiver<Message>) {
    let mut group = Vec::with_capacity(GROUP);
    while let Some(message) = waiting.blocking_recv() {
        take(message, &mut group, &mut waiting);
        while group.len() < GROUP
            && let Ok(message) = waiting.try_recv()
        {
            take(message, &mut group, &mut waiting);
        }
        // After a panic the connection's state is anybody's guess: its group is dropped, which its callers notice, and
        // closing the connection rolls back what it left open.
        let written = catch_unwind(AssertUnwindSafe(|| write(&mut connection, &mut group)));
        if written.is_err() {
            group.clear();
            tracing::error!("the writer panicked; a group of commits is lost and the connection is replaced");
            match location.writer_again() {
                Ok(fresh) => connection = fresh,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the writer ends");
                    return;
                }
            }
        }
    }
}

/// Puts a task into the group; after `Close`, no more come in.
fn take(message: Message, group: &mut Vec<Box<dyn Task>>, waiting: &mut mpsc::Receiver<Message>) {
    match message {
        Message::Task(task) => group.push(task),
        Message::Close => waiting.close(),
    }
}

/// Writes a group and answers everybody in it.
fn write(connection: &mut SqliteConnection, group: &mut Vec<Box<dyn Task>>) {
    group.retain(|task| task.is_awaited());
    if group.is_empty() {
        return;
    }
    match write_all(connection, group) {
        Ok(()) => group.drain(..).for_each(Task::answer),
        Err(error) => {
            // Where SQLite has rolled back by itself, as after a full disk, there is nothing left to roll back.
            let _ = connection.batch_execute("ROLLBACK");
            let error = Arc::new(error);
            tracing::warn!(
                error = &*error as &dyn std::error::Error,
                tasks = group.len(),
                "a transaction failed"
            );
            for task in group.drain(..) {
                // Also for those that were refused: what refused them may just have been undone.
                task.fail(RecordError::Transaction(error.clone()));
            }
        }
    }
}

fn write_all(connection: &mut SqliteConnection, group: &mut [Box<dyn Task>]) -> diesel::QueryResult<()> {
    // Immediate: a transaction that reads before it writes could otherwise find that another process wrote between.
    connection.batch_execute("BEGIN IMMEDIATE")?;
    for task in group {
        connection.batch_execute("SAVEPOINT task")?;
        if task.perform(connection) {
            connection.batch_execute("RELEASE task")?;
        } else {
            // Fails where an error undid the whole transaction and the savepoint with it; then the group has failed.
            connection.batch_execute("ROLLBACK TO task; RELEASE task")?;
        }
    }
    connection.batch_execute("COMMIT")
}
