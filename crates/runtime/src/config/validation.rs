use std::{
    collections::BTreeSet,
    net::{SocketAddr, ToSocketAddrs},
    time::Duration,
};

use humantime_serde::re::humantime::format_duration;
use rapidphoto_domain::values::KeySpace;
use url::Url;

use rapidphoto_application::ports::Commit;

use super::sections::Config;

/// Collects problems.
struct Validator<'a> {
    problems: Vec<(&'static str, String)>,
    /// Keys that do not have their default value.
    written: &'a BTreeSet<&'a str>,
}

impl Validator<'_> {
    fn check(&mut self, valid: bool, key: &'static str, requirement: &str) {
        if !valid {
            self.problems.push((key, requirement.to_owned()));
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
            let (min, max) = (format_duration(min), format_duration(max));
            self.problems
                .push((key, format!("must be between {min} and {max}")));
        }
    }

    /// Checks a relation of two keys. A violation is reported for the one that the user wrote.
    fn related(&mut self, valid: bool, [key, other]: [&'static str; 2], requirement: &str) {
        let defaulted = !self.written.contains(key) && self.written.contains(other);
        self.check(valid, if defaulted { other } else { key }, requirement);
    }

    /// Checks that two listeners, each as its key, name and address, don't use the same address and port.
    fn apart(&mut self, one: (&'static str, &str, &String), other: (&'static str, &str, &String)) {
        let ((key, name, address), (other_key, other_name, other_address)) = (one, other);
        let requirement = format!(
            "{name} ({address}) and {other_name} ({other_address}) can't listen on the same address and port"
        );
        self.related(!shared(address, other_address), [key, other_key], &requirement);
    }

    fn at_most(&mut self, keys: [&'static str; 2], value: Duration, limit: Duration) {
        let [key, limit_key] = keys;
        let (shown, shown_limit) = (format_duration(value), format_duration(limit));
        let requirement = format!("{key} ({shown}) must be at most {limit_key} ({shown_limit})");
        self.related(value <= limit, keys, &requirement);
    }
}

impl Config {
    /// Finds all invalid values: each as its key and the requirement. `written` has the keys that the user wrote.
    pub(super) fn find_invalid(&self, written: &BTreeSet<&str>) -> Vec<(&'static str, String)> {
        let mut validator = Validator {
            problems: Vec::new(),
            written,
        };
        self.validate_network(&mut validator);
        self.validate_amounts(&mut validator);
        self.validate_users(&mut validator);
        self.validate_times(&mut validator);
        validator.problems
    }

    fn validate_network(&self, validator: &mut Validator<'_>) {
        if let Err(error) = rapidphoto_telemetry::check_filter(&self.log.filter) {
            validator.problems.push(("log.filter", error.to_string()));
        }
        validator.address("server.listen", &self.server.listen);
        validator.address("storage.listen", &self.storage.listen);
        let api = ("server.listen", "the API", &self.server.listen);
        let storage = ("storage.listen", "the storage", &self.storage.listen);
        validator.apart(storage, api);
        if let Some(listen) = &self.server.operations_listen {
            validator.address("server.operations_listen", listen);
            let operations = ("server.operations_listen", "the listener for operators", listen);
            validator.apart(operations, api);
            validator.apart(operations, storage);
        }
        validator.check(
            (1..=16).contains(&self.server.proxy_hops),
            "server.proxy_hops",
            "must be 1 to 16; without server.trusted_proxies it has no effect",
        );
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
            validator.check(
                is_origin(origin),
                "server.allowed_origins",
                &format!("{ORIGIN}, not `{origin}`"),
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
    fn validate_transport(&self, validator: &mut Validator<'_>) {
        let declared = self.server.behind_tls_proxy || self.server.insecure;
        for (key, section, listen, tls) in [
            (
                "server.listen",
                "server",
                Some(&self.server.listen),
                &self.server.tls,
            ),
            (
                "server.operations_listen",
                "server",
                self.server.operations_listen.as_ref(),
                &self.server.tls,
            ),
            (
                "storage.listen",
                "storage",
                Some(&self.storage.listen),
                &self.storage.tls,
            ),
        ] {
            let Some(listen) = listen else { continue };
            let beyond = listen
                .to_socket_addrs()
                .is_ok_and(|mut found| found.any(|at| !at.ip().to_canonical().is_loopback()));
            if beyond && tls.is_none() && !declared {
                validator.problems.push((
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

    fn validate_amounts(&self, validator: &mut Validator<'_>) {
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
        validator.related(
            self.work.download_budget_bytes >= self.uploads.max_file_bytes,
            ["work.download_budget_bytes", "uploads.max_file_bytes"],
            &format!(
                "work.download_budget_bytes ({}) must be at least uploads.max_file_bytes ({}), or the largest files can't be \
                 processed",
                self.work.download_budget_bytes, self.uploads.max_file_bytes
            ),
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
    }

    fn validate_users(&self, validator: &mut Validator<'_>) {
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
        for (name, number) in [
            (
                "auth.failed_logins_per_minute",
                self.auth.failed_logins_per_minute,
            ),
            ("auth.logins_per_minute", self.auth.logins_per_minute),
            (
                "auth.registrations_per_minute",
                self.auth.registrations_per_minute,
            ),
        ] {
            validator.check((1..=100_000).contains(&number), name, "must be 1 to 100000");
        }
        for (name, number) in [
            ("limits.jobs_per_minute", self.limits.jobs_per_minute),
            ("limits.progress_per_second", self.limits.progress_per_second),
            ("limits.requests_per_second", self.limits.requests_per_second),
            (
                "limits.anonymous_requests_per_second",
                self.limits.anonymous_requests_per_second,
            ),
            ("limits.streams", self.limits.streams),
        ] {
            validator.check(number > 0, name, "must be greater than 0");
        }
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

    fn validate_times(&self, validator: &mut Validator<'_>) {
        let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
        // Presigned URLs of AWS Signature Version 4 expire after at most a week.
        validator.between("uploads.url_lifetime", self.uploads.url_lifetime, second, 7 * day);
        validator.between("uploads.window", self.uploads.window, second, 90 * day);
        validator.at_most(
            ["uploads.url_lifetime", "uploads.window"],
            self.uploads.url_lifetime,
            self.uploads.window,
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
        validator.between(
            "server.shutdown_delay",
            self.server.shutdown_delay,
            Duration::ZERO,
            Duration::from_mins(1),
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
            second,
            365 * day,
        );
        validator.at_most(
            ["auth.access_lifetime", "auth.refresh_lifetime"],
            self.auth.access_lifetime,
            self.auth.refresh_lifetime,
        );
        validator.between(
            "auth.session_lifetime",
            self.auth.session_lifetime,
            self.auth.refresh_lifetime,
            10 * 365 * day,
        );
    }
}

/// Requirement of an origin.
pub(super) const ORIGIN: &str = "must be * or an origin such as https://app.example.org";

/// Returns true for an origin as browsers send it, and for `*`.
pub(super) fn is_origin(origin: &str) -> bool {
    origin == "*" || Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

/// Returns true if two listeners would use the same address and port. Port 0 is a different one for each.
fn shared(one: &str, other: &str) -> bool {
    let resolve = |address: &str| address.to_socket_addrs().map(Vec::from_iter).unwrap_or_default();
    let same = |one: &SocketAddr, other: &SocketAddr| {
        let (ip, other_ip) = (one.ip(), other.ip());
        one.port() == other.port()
            && one.port() != 0
            && ip.is_ipv4() == other_ip.is_ipv4()
            && (ip == other_ip || ip.is_unspecified() || other_ip.is_unspecified())
    };
    let others = resolve(other);
    resolve(one)
        .iter()
        .any(|one| others.iter().any(|other| same(one, other)))
}
