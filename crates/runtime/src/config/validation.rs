use std::{fmt, net::ToSocketAddrs, time::Duration};

use rapidphoto_domain::values::KeySpace;
use url::Url;

use super::Config;

/// Values that can't be right, each with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub Vec<(&'static str, String)>);

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration can't be right")?;
        self.0
            .iter()
            .try_for_each(|(key, why)| write!(f, "\n  {key}: {why}"))
    }
}

impl std::error::Error for ConfigProblems {}

/// Collects problems.
struct Judge(Vec<(&'static str, String)>);

impl Judge {
    fn check(&mut self, good: bool, key: &'static str, why: &str) {
        if !good {
            self.0.push((key, why.to_owned()));
        }
    }

    fn address(&mut self, key: &'static str, address: &str) {
        let known = address
            .to_socket_addrs()
            .is_ok_and(|mut found| found.next().is_some());
        self.check(
            known,
            key,
            "an address and a port are wanted, such as 127.0.0.1:8080",
        );
    }

    fn url(&mut self, key: &'static str, url: Option<&String>) {
        let Some(url) = url else { return };
        let good = Url::parse(url).is_ok_and(|url| {
            let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && plain && url.path() == "/"
        });
        self.check(
            good,
            key,
            "an http or https URL without a path is wanted, such as https://photos.example.org",
        );
    }

    fn between(&mut self, key: &'static str, value: Duration, least: Duration, most: Duration) {
        if value < least || value > most {
            self.0.push((
                key,
                format!("between {} s and {} s is wanted", least.as_secs(), most.as_secs()),
            ));
        }
    }
}

impl Config {
    /// Judges all values together.
    ///
    /// # Errors
    /// Every value that can't be right.
    pub fn validate(&self) -> Result<(), ConfigProblems> {
        let mut judge = Judge(Vec::new());
        self.judge_network(&mut judge);
        self.judge_amounts(&mut judge);
        self.judge_times(&mut judge);
        if judge.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigProblems(judge.0))
        }
    }

    fn judge_network(&self, judge: &mut Judge) {
        if let Err(why) = rapidphoto_telemetry::check_filter(&self.log.filter) {
            judge.0.push(("log.filter", why.to_string()));
        }
        judge.address("server.listen", &self.server.listen);
        judge.address("storage.listen", &self.storage.listen);
        judge.url("server.public_url", self.server.public_url.as_ref());
        judge.url("storage.public_url", self.storage.public_url.as_ref());
        judge.url("log.otlp_endpoint", self.log.otlp_endpoint.as_ref());
        let everywhere = self
            .storage
            .listen
            .to_socket_addrs()
            .is_ok_and(|mut found| found.any(|at| at.ip().is_unspecified()));
        judge.check(
            !everywhere || self.storage.public_url.is_some(),
            "storage.public_url",
            "wanted where the storage listens on every address, or clients get URLs that lead nowhere",
        );
        for origin in &self.server.allowed_origins {
            let good = origin == "*"
                || Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            judge.check(
                good,
                "server.allowed_origins",
                "origins look like https://app.example.org",
            );
        }
        let bucket = &self.storage.bucket;
        let named = (3..=63).contains(&bucket.len())
            && bucket
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        judge.check(named, "storage.bucket", "3 to 63 of a-z, 0-9 and -");
        judge.check(
            KeySpace::new(&self.storage.environment).is_ok(),
            "storage.environment",
            "1 to 32 of a-z, 0-9, - and _",
        );
        judge.check(
            !self.storage.region.is_empty(),
            "storage.region",
            "a region is wanted, such as us-east-1",
        );
    }

    fn judge_amounts(&self, judge: &mut Judge) {
        judge.check(
            (1..=10_000).contains(&self.uploads.max_files),
            "uploads.max_files",
            "1 to 10000",
        );
        judge.check(
            self.uploads.max_file_bytes > 0,
            "uploads.max_file_bytes",
            "more than 0",
        );
        judge.check(
            self.work.download_budget_bytes >= self.uploads.max_file_bytes,
            "work.download_budget_bytes",
            "at least uploads.max_file_bytes, or the largest files could never be processed",
        );
        judge.check(
            (1..=256).contains(&self.work.concurrency),
            "work.concurrency",
            "1 to 256",
        );
        judge.check((1..=64).contains(&self.data.readers), "data.readers", "1 to 64");
        judge.check(self.checks.max_pixels > 0, "checks.max_pixels", "more than 0");
        judge.check(
            (1..=64).contains(&self.auth.concurrent_hashes),
            "auth.concurrent_hashes",
            "1 to 64",
        );
        judge.check(
            (8..=128).contains(&self.auth.min_password_chars),
            "auth.min_password_chars",
            "8 to 128",
        );
        judge.check(
            self.auth.failed_logins_per_minute > 0,
            "auth.failed_logins_per_minute",
            "more than 0",
        );
        judge.check(
            self.limits.jobs_per_minute > 0,
            "limits.jobs_per_minute",
            "more than 0",
        );
        judge.check(
            self.limits.progress_per_second > 0,
            "limits.progress_per_second",
            "more than 0",
        );
        judge.check(
            (4096..=64 << 20).contains(&self.server.body_limit),
            "server.body_limit",
            "4 KiB to 64 MiB",
        );
        judge.check(
            self.imaging.memory_budget_bytes >= 32 << 20,
            "imaging.memory_budget_bytes",
            "at least 32 MiB",
        );
        judge.check(self.imaging.threads != Some(0), "imaging.threads", "more than 0");
    }

    fn judge_times(&self, judge: &mut Judge) {
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        // Signature V4 signs for no longer than a week.
        judge.between("uploads.url_lifetime", self.uploads.url_lifetime, second, 7 * day);
        judge.between(
            "uploads.window",
            self.uploads.window,
            self.uploads.url_lifetime,
            90 * day,
        );
        judge.between(
            "server.request_timeout",
            self.server.request_timeout,
            second,
            Duration::from_mins(10),
        );
        judge.between(
            "server.drain_timeout",
            self.server.drain_timeout,
            second,
            Duration::from_secs(15),
        );
        judge.between(
            "storage.idle_timeout",
            self.storage.idle_timeout,
            second,
            Duration::from_mins(10),
        );
        judge.between("work.lease", self.work.lease, second, Duration::from_hours(1));
        judge.between(
            "work.poll",
            self.work.poll,
            Duration::from_millis(10),
            Duration::from_mins(10),
        );
        judge.between("auth.access_lifetime", self.auth.access_lifetime, second, day);
        judge.between(
            "auth.refresh_lifetime",
            self.auth.refresh_lifetime,
            self.auth.access_lifetime,
            365 * day,
        );
    }
}
