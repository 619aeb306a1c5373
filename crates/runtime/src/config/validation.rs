use std::{fmt, net::ToSocketAddrs, time::Duration};

use rapidphoto_domain::values::KeySpace;
use url::Url;

use rapidphoto_application::ports::Commit;

use super::sections::Config;

/// Invalid values, each as its key and the requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<(&'static str, String)>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is invalid")?;
        self.0
            .iter()
            .try_for_each(|(key, requirement)| write!(f, "\n  {key}: {requirement}"))
    }
}

impl std::error::Error for ConfigProblems {}

/// Collects problems.
struct Validator(Vec<(&'static str, String)>);

impl Validator {
    fn check(&mut self, valid: bool, key: &'static str, requirement: &str) {
        if !valid {
            self.0.push((key, requirement.to_owned()));
        }
    }

    fn address(&mut self, key: &'static str, address: &str) {
        let valid = address
            .to_socket_addrs()
            .is_ok_and(|mut found| found.next().is_some());
        self.check(
            valid,
            key,
            "must be an address and a port, such as 127.0.0.1:8080",
        );
    }

    fn url(&mut self, key: &'static str, url: Option<&String>) {
        let Some(url) = url else { return };
        let valid = Url::parse(url).is_ok_and(|url| {
            let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && plain && url.path() == "/"
        });
        self.check(
            valid,
            key,
            "must be an http or https URL without a path, such as https://photos.example.org",
        );
    }

    fn between(&mut self, key: &'static str, value: Duration, min: Duration, max: Duration) {
        if value < min || value > max {
            self.0.push((key, format!("must be between {min:?} and {max:?}")));
        }
    }
}

impl Config {
    /// Validates all values.
    ///
    /// # Errors
    /// All invalid values.
    pub fn validate(&self) -> Result<(), ConfigProblems> {
        let mut validator = Validator(Vec::new());
        self.validate_network(&mut validator);
        self.validate_amounts(&mut validator);
        self.validate_times(&mut validator);
        if validator.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigProblems(validator.0))
        }
    }

    fn validate_network(&self, validator: &mut Validator) {
        if let Err(error) = rapidphoto_telemetry::check_filter(&self.log.filter) {
            validator.0.push(("log.filter", error.to_string()));
        }
        validator.address("server.listen", &self.server.listen);
        validator.address("storage.listen", &self.storage.listen);
        self.validate_transport(validator);
        validator.url("server.public_url", self.server.public_url.as_ref());
        validator.url("storage.public_url", self.storage.public_url.as_ref());
        validator.url("log.otlp_endpoint", self.log.otlp_endpoint.as_ref());
        let everywhere = self
            .storage
            .listen
            .to_socket_addrs()
            .is_ok_and(|mut found| found.any(|at| at.ip().is_unspecified()));
        validator.check(
            !everywhere || self.storage.public_url.is_some(),
            "storage.public_url",
            "must be set if the storage listens on all addresses; upload URLs need an address that clients can reach",
        );
        for origin in &self.server.allowed_origins {
            let valid = origin == "*"
                || Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            validator.check(
                valid,
                "server.allowed_origins",
                "must be * or origins such as https://app.example.org",
            );
        }
        let bucket = &self.storage.bucket;
        let valid = (3..=63).contains(&bucket.len())
            && bucket
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        validator.check(
            valid,
            "storage.bucket",
            "must be 3 to 63 characters of a-z, 0-9 and -",
        );
        validator.check(
            KeySpace::new(&self.storage.environment).is_ok(),
            "storage.environment",
            "must be 1 to 32 characters of a-z, 0-9, - and _",
        );
        validator.check(
            !self.storage.region.is_empty(),
            "storage.region",
            "must be a region, such as us-east-1",
        );
    }

    /// Plain text is for this machine and for networks behind a proxy that terminates TLS.
    fn validate_transport(&self, validator: &mut Validator) {
        let declared = self.server.behind_tls_proxy || self.server.insecure;
        for (key, section, listen, tls) in [
            ("server.listen", "server", &self.server.listen, &self.server.tls),
            (
                "storage.listen",
                "storage",
                &self.storage.listen,
                &self.storage.tls,
            ),
        ] {
            let beyond = listen
                .to_socket_addrs()
                .is_ok_and(|mut found| found.any(|at| !at.ip().to_canonical().is_loopback()));
            if beyond && tls.is_none() && !declared {
                validator.0.push((
                    key,
                    format!(
                        "{listen} can be reached from other machines, and connections to it would be plain text: set \
                         {section}.tls = {{ certificate, key }}, or server.behind_tls_proxy = true if a proxy in \
                         front of it terminates TLS, or start with --insecure to accept plain text"
                    ),
                ));
            }
        }
    }

    fn validate_amounts(&self, validator: &mut Validator) {
        validator.check(
            (1..=Commit::MAX_PHOTOS).contains(&self.uploads.max_files),
            "uploads.max_files",
            "must be 1 to 1000, as a job's creation is one commit",
        );
        validator.check(
            self.uploads.max_file_bytes > 0,
            "uploads.max_file_bytes",
            "must be greater than 0",
        );
        validator.check(
            self.work.download_budget_bytes >= self.uploads.max_file_bytes,
            "work.download_budget_bytes",
            "must be at least uploads.max_file_bytes, or the largest files can't be processed",
        );
        validator.check(
            (1..=256).contains(&self.work.concurrency),
            "work.concurrency",
            "must be 1 to 256",
        );
        for (key, max, per_address, per_address_key) in [
            (
                "server.max_connections",
                self.server.max_connections,
                self.server.max_connections_per_address,
                "server.max_connections_per_address",
            ),
            (
                "storage.max_connections",
                self.storage.max_connections,
                self.storage.max_connections_per_address,
                "storage.max_connections_per_address",
            ),
        ] {
            validator.check((1..=65_536).contains(&max), key, "must be 1 to 65536");
            validator.check(
                (1..=max).contains(&per_address),
                per_address_key,
                "must be at least 1 and at most the maximum number of connections",
            );
        }
        validator.check(
            (1..=64).contains(&self.data.readers),
            "data.readers",
            "must be 1 to 64",
        );
        validator.check(
            self.checks.max_pixels > 0,
            "checks.max_pixels",
            "must be greater than 0",
        );
        validator.check(
            (1..=64).contains(&self.auth.concurrent_hashes),
            "auth.concurrent_hashes",
            "must be 1 to 64",
        );
        validator.check(
            (8..=128).contains(&self.auth.min_password_chars),
            "auth.min_password_chars",
            "must be 8 to 128",
        );
        validator.check(
            self.auth.failed_logins_per_minute > 0,
            "auth.failed_logins_per_minute",
            "must be greater than 0",
        );
        validator.check(
            self.limits.jobs_per_minute > 0,
            "limits.jobs_per_minute",
            "must be greater than 0",
        );
        validator.check(
            self.limits.progress_per_second > 0,
            "limits.progress_per_second",
            "must be greater than 0",
        );
        validator.check(
            (4096..=64 << 20).contains(&self.server.body_limit),
            "server.body_limit",
            "must be 4096 (4 KiB) to 67108864 (64 MiB)",
        );
        validator.check(
            self.imaging.memory_budget_bytes >= 32 << 20,
            "imaging.memory_budget_bytes",
            "must be at least 33554432 (32 MiB)",
        );
        validator.check(
            self.imaging.threads != Some(0),
            "imaging.threads",
            "must be greater than 0",
        );
    }

    fn validate_times(&self, validator: &mut Validator) {
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        // Presigned URLs of AWS Signature Version 4 expire after at most a week.
        validator.between("uploads.url_lifetime", self.uploads.url_lifetime, second, 7 * day);
        validator.between(
            "uploads.window",
            self.uploads.window,
            self.uploads.url_lifetime,
            90 * day,
        );
        validator.between(
            "server.request_timeout",
            self.server.request_timeout,
            second,
            Duration::from_mins(10),
        );
        validator.between(
            "server.drain_timeout",
            self.server.drain_timeout,
            second,
            Duration::from_secs(15),
        );
        for (key, value) in [
            ("server.head_timeout", self.server.head_timeout),
            ("server.idle_timeout", self.server.idle_timeout),
            ("server.stall_timeout", self.server.stall_timeout),
            ("storage.head_timeout", self.storage.head_timeout),
            ("storage.idle_timeout", self.storage.idle_timeout),
        ] {
            validator.between(key, value, second, Duration::from_mins(10));
        }
        validator.between("work.lease", self.work.lease, second, Duration::from_hours(1));
        validator.between(
            "work.poll",
            self.work.poll,
            Duration::from_millis(10),
            Duration::from_mins(10),
        );
        validator.between("auth.access_lifetime", self.auth.access_lifetime, second, day);
        validator.between(
            "auth.refresh_lifetime",
            self.auth.refresh_lifetime,
            self.auth.access_lifetime,
            365 * day,
        );
    }
}
