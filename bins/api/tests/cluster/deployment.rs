//! A deployment on private servers.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use rapidphoto_client::{Client, Session};
use rapidphoto_test_services::{PostgresServer, RabbitServer};
use rapidphoto_testkit::{PASSWORD, Process};
use tempfile::TempDir;

use crate::switch::Switch;

/// A complete deployment. Dropping it kills all of its processes.
pub(crate) struct Deployment {
    pub(crate) apis: Vec<Process>,
    pub(crate) workers: Vec<Process>,
    pub(crate) store: Process,
    /// Between the processes, the clients and the storage.
    pub(crate) storage: Switch,
    pub(crate) postgres: PostgresServer,
    pub(crate) broker: RabbitServer,
    environment: Vec<(String, String)>,
    directory: TempDir,
}

/// Program of a deployment.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Api,
    Worker,
    Store,
}

impl Program {
    /// The binary, which cargo builds beside that of this package.
    pub(crate) fn path(self) -> PathBuf {
        let directory = Path::new(env!("CARGO_BIN_EXE_rapidphoto-api")).parent().unwrap();
        directory.join(match self {
            Self::Api => "rapidphoto-api",
            Self::Worker => "rapidphoto-worker",
            Self::Store => "rapidphoto",
        })
    }
}

impl Deployment {
    /// Starts a deployment with these numbers of replicas.
    pub(crate) async fn start(apis: usize, workers: usize) -> Self {
        Self::start_with(apis, workers, &[]).await
    }

    /// Starts a deployment whose storage has more environment.
    pub(crate) async fn start_with(apis: usize, workers: usize, of_storage: &[(&str, &str)]) -> Self {
        rapidphoto_testkit::install_crypto_provider();
        let directory = tempfile::tempdir().unwrap();
        let (postgres, broker) =
            tokio::task::spawn_blocking(|| (PostgresServer::start(), RabbitServer::start()))
                .await
                .unwrap();
        let storage = Switch::open().await;
        let objects = directory.path().join("objects").display().to_string();
        let environment: Vec<_> = [
            ("DATABASE__URL", format!("{}?sslmode=disable", postgres.url())),
            ("BROKER__URL", broker.url()),
            ("STORAGE__ENDPOINT", storage.url()),
            ("STORAGE__ACCESS_KEY", "RPTEST".to_owned()),
            ("STORAGE__SECRET_KEY", "secret of the tests".to_owned()),
            ("STORAGE__LISTEN", "127.0.0.1:0".to_owned()),
            ("STORAGE__PUBLIC_URL", storage.url()),
            ("DATA__DIR", objects),
            ("SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("SERVER__OPERATIONS_LISTEN", "127.0.0.1:0".to_owned()),
            ("SECRETS__TOKEN_KEY", "5e".repeat(32)),
            ("SECRETS__REFRESH_KEY", "7a".repeat(32)),
            // Short, so that tests do not wait long for what was lost.
            ("WORK__LEASE", "5s".to_owned()),
            ("WORK__POLL", "1s".to_owned()),
            ("WORK__LOOK_PAUSE", "500ms".to_owned()),
            ("WORK__LOOK_GRACE", "1s".to_owned()),
            ("WORK__RETRY_PAUSE", "500ms".to_owned()),
            ("UPLOADS__URL_LIFETIME", "30s".to_owned()),
            ("LIMITS__JOBS_PER_MINUTE", "1000".to_owned()),
        ]
        .map(|(name, value)| (format!("RAPIDPHOTO_{name}"), value))
        .into();
        let migrated = run(Program::Api, &["migrate"], &environment);
        assert!(migrated.status.success(), "{migrated:?}");
        let log = |name: &str| directory.path().join(format!("{name}.log"));
        let of_storage = of_storage
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let of_storage: Vec<_> = environment.iter().cloned().chain(of_storage).collect();
        let store = start(Program::Store, &["store"], &of_storage, &log("store")).await;
        storage.connect(store.announced("listens").unwrap());
        let mut deployment = Self {
            apis: Vec::new(),
            workers: Vec::new(),
            store,
            storage,
            postgres,
            broker,
            environment,
            directory,
        };
        for _ in 0..apis {
            let api = deployment.new_process(Program::Api, &[]).await;
            deployment.apis.push(api);
        }
        for _ in 0..workers {
            let worker = deployment.new_process(Program::Worker, &[]).await;
            deployment.workers.push(worker);
        }
        deployment
    }

    /// Starts another API or worker, with more environment.
    pub(crate) async fn new_process(&self, program: Program, more: &[(&str, &str)]) -> Process {
        let name = match program {
            Program::Api => "api",
            Program::Worker => "worker",
            Program::Store => "store",
        };
        let more = more
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<_> = self.environment.iter().cloned().chain(more).collect();
        let log = self.directory.path().join(format!("{name}.log"));
        start(program, &["serve"], &environment, &log).await
    }

    /// Starts an API that migrates the database first.
    pub(crate) async fn new_api_that_migrates(&self) -> Process {
        let log = self.directory.path().join("api.log");
        start(Program::Api, &["serve", "--migrate"], &self.environment, &log).await
    }

    /// Runs a command of the API's program to its end.
    pub(crate) fn command(&self, arguments: &[&str]) -> Output {
        run(Program::Api, arguments, &self.environment)
    }

    /// A client of one of the replicas.
    pub(crate) fn client(&self, api: usize) -> Client {
        Client::new(self.apis[api].announced("api").unwrap()).unwrap()
    }

    /// A new user, logged in at a replica.
    pub(crate) async fn new_user(&self, email: &str) -> Session {
        let client = self.client(0);
        client.register(email, PASSWORD).await.unwrap();
        client.log_in(email, PASSWORD).await.unwrap()
    }

    /// Value of an SQL query.
    pub(crate) fn query(&self, sql: &str) -> String {
        let output = Command::new("psql")
            .args(["-qtA", "-d", &self.postgres.url(), "-c", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Asserts that every state row matches its stream's events.
    pub(crate) fn assert_verified(&self) {
        let verified = self.command(&["admin", "verify"]);
        assert!(verified.status.success(), "{verified:?}");
    }

    /// Logs of all processes.
    pub(crate) fn logs(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.directory.path().join(name)).unwrap_or_default();
        ["api.log", "worker.log", "store.log"].map(read).join("\n----\n")
    }
}

async fn start(
    program: Program,
    arguments: &[&str],
    environment: &[(String, String)],
    log: &Path,
) -> Process {
    Process::start(&program.path(), arguments, environment, log)
        .await
        .unwrap()
}

fn run(program: Program, arguments: &[&str], environment: &[(String, String)]) -> Output {
    let environment = environment.iter().map(|(name, value)| (name, value));
    rapidphoto_testkit::command(&program.path())
        .args(arguments)
        .envs(environment)
        .output()
        .unwrap()
}
