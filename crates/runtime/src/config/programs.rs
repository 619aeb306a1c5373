use super::{
    Config, EventSource, SecretsSection,
    problems::{ConfigProblems, Problem},
    secret::Secret,
    storage::CredentialsSource,
};

/// Program that a configuration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `rapidphoto serve`: everything in one process.
    Standalone,
    /// `rapidphoto-api`
    Api,
    /// `rapidphoto-worker`
    Worker,
    /// Migration and administration of the database of several machines.
    Administration,
    /// `rapidphoto store`: the embedded storage as a process of its own.
    Store,
}

impl Config {
    /// Checks that everything is configured that a program needs.
    ///
    /// # Errors
    /// [`ConfigProblems`] names every missing or contradictory value by its key.
    pub fn check_for(&self, program: Program) -> Result<(), ConfigProblems> {
        let mut problems = Problems(Vec::new());
        if program == Program::Standalone {
            problems.require(
                self.database.url.is_none(),
                "database.url",
                "`rapidphoto serve` stores its data in data.dir; run rapidphoto-api and rapidphoto-worker for PostgreSQL",
            );
        } else if program != Program::Store {
            self.check_database(&mut problems);
        }
        if matches!(program, Program::Api | Program::Worker) {
            self.check_events(&mut problems);
        }
        let needs_keys = match program {
            Program::Api | Program::Worker => self.storage.credentials == CredentialsSource::Static,
            Program::Store => true,
            Program::Standalone | Program::Administration => false,
        };
        if needs_keys {
            let requirement = "must be set, unless storage.credentials is chain";
            problems.require(
                self.storage.access_key.is_some(),
                "storage.access_key",
                requirement,
            );
            problems.require(
                self.storage.secret_key.is_some(),
                "storage.secret_key",
                requirement,
            );
        }
        if program == Program::Store {
            problems.require(
                self.broker.url.is_some(),
                "broker.url",
                "must be set: new objects are announced there",
            );
        }
        if program == Program::Api {
            self.check_secrets(&mut problems);
        }
        if problems.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigProblems(problems.0))
        }
    }

    fn check_database(&self, problems: &mut Problems) {
        problems.require(
            self.database.url.is_some(),
            "database.url",
            "must be set, such as postgres://rapidphoto@db.example.org:5432/rapidphoto?sslmode=require",
        );
        problems.require(
            (1..=1000).contains(&self.database.connections),
            "database.connections",
            "must be 1 to 1000",
        );
    }

    fn check_events(&self, problems: &mut Problems) {
        let from_rabbitmq = self.events.source == EventSource::Rabbitmq;
        problems.require(
            self.broker.url.is_some() || !from_rabbitmq,
            "broker.url",
            "must be set, such as amqp://rapidphoto@mq.example.org:5672/%2f, unless events.source is sqs",
        );
        problems.require(
            from_rabbitmq || self.events.sqs_queue_url.is_some(),
            "events.sqs_queue_url",
            "must be set with events.source = \"sqs\"",
        );
        problems.require(
            self.events.prefetch > 0,
            "events.prefetch",
            "must be greater than 0",
        );
    }

    fn check_secrets(&self, problems: &mut Problems) {
        let SecretsSection {
            token_key,
            refresh_key,
            previous_token_key,
            previous_valid_until,
        } = &self.secrets;
        let requirement =
            "must be 64 hexadecimal digits, the same in all replicas; `openssl rand -hex 32` makes some";
        problems.require(
            key(token_key.as_ref()).is_some(),
            "secrets.token_key",
            requirement,
        );
        problems.require(
            key(refresh_key.as_ref()).is_some(),
            "secrets.refresh_key",
            requirement,
        );
        problems.require(
            previous_token_key.is_none() || key(previous_token_key.as_ref()).is_some(),
            "secrets.previous_token_key",
            requirement,
        );
        problems.require(
            previous_token_key.is_some() == previous_valid_until.is_some(),
            "secrets.previous_valid_until",
            "must be set with secrets.previous_token_key, and not without it",
        );
    }
}

/// Values that a program lacks.
struct Problems(Vec<Problem>);

impl Problems {
    fn require(&mut self, present: bool, key: &str, requirement: &str) {
        if !present {
            self.0.push(Problem::new(key, requirement));
        }
    }
}

/// A key of 32 bytes, written as hexadecimal digits.
pub(crate) fn key(secret: Option<&Secret>) -> Option<[u8; 32]> {
    let bytes = hex::decode(secret?.reveal()).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(config: &Config, program: Program) -> Vec<String> {
        let problems = config.check_for(program).err().map(|problems| problems.0);
        problems
            .into_iter()
            .flatten()
            .map(|problem| problem.name)
            .collect()
    }

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn each_program_names_all_that_it_lacks() {
        let mut config = Config::default();
        assert_eq!(missing(&config, Program::Standalone), [""; 0]);
        let storage = ["storage.access_key", "storage.secret_key"];
        let shared = ["database.url", "broker.url", storage[0], storage[1]];
        assert_eq!(missing(&config, Program::Worker), shared);
        let keys = ["secrets.token_key", "secrets.refresh_key"];
        assert_eq!(missing(&config, Program::Api), [&shared[..], &keys[..]].concat());
        assert_eq!(missing(&config, Program::Administration), ["database.url"]);
        assert_eq!(
            missing(&config, Program::Store),
            [storage[0], storage[1], "broker.url"]
        );

        config.database.url = Some("postgres://localhost/x".to_owned());
        config.events.source = EventSource::Sqs;
        config.storage.credentials = CredentialsSource::Chain;
        assert_eq!(missing(&config, Program::Worker), ["events.sqs_queue_url"]);
        assert_eq!(missing(&config, Program::Standalone), ["database.url"]);
    }

    #[test]
    fn keys_are_64_hexadecimal_digits() {
        for (text, valid) in [
            ("ab".repeat(32).as_str(), true),
            ("ab".repeat(31).as_str(), false),
            ("xy".repeat(32).as_str(), false),
            ("", false),
        ] {
            assert_eq!(key(Some(&secret(text))).is_some(), valid, "{text}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let mut config = Config::default();
        config.database.password = Some(secret("hunter2"));
        config.secrets.token_key = Some(secret("hunter2"));
        let printed = format!("{config:?} {}", config.to_json().unwrap());
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("\"password\": \"…\""), "{printed}");
    }
}
