use std::{num::NonZeroU32, time::Duration};

use ipnet::IpNet;

/// Endpoints of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// All, on one listener.
    Everything,
    /// All but the OpenAPI document and its page, on one listener.
    EverythingButDocs,
    /// Those for clients, and `/healthz`. `/metrics` and `/readyz` are on another listener.
    Public {
        /// True if the OpenAPI document and its page are served.
        docs: bool,
    },
    /// `/healthz`, `/readyz` and `/metrics`, for operators.
    Operations {
        /// True if the OpenAPI document and its page are served.
        docs: bool,
    },
}

impl Surface {
    /// Returns true if the OpenAPI document and its page are served.
    pub(crate) const fn has_docs(self) -> bool {
        match self {
            Self::Everything => true,
            Self::EverythingButDocs => false,
            Self::Public { docs } | Self::Operations { docs } => docs,
        }
    }
}

/// Configuration of the HTTP API.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// Origins whose pages may call the API, such as `https://photos.example.org`; `*` allows every origin. The API
    /// uses no cookies, so an allowed page can do no more than its user's token permits.
    pub allowed_origins: Vec<String>,
    /// Maximum size of a request body, in bytes.
    pub body_limit: usize,
    /// Maximum duration of a request, including the transfer of its body. Does not apply to streams.
    pub request_timeout: Duration,
    /// Maximum number of job creations per user and minute.
    pub jobs_per_minute: NonZeroU32,
    /// Requests a user may send per second, progress posts aside.
    pub requests_per_second: NonZeroU32,
    /// Requests without an access token that one network may send per second.
    pub anonymous_requests_per_second: NonZeroU32,
    /// Maximum number of progress posts per user and second; an array counts as one.
    pub progress_per_second: NonZeroU32,
    /// Maximum number of open streams per user.
    pub streams: NonZeroU32,
    /// Networks of trusted proxies: `X-Forwarded-For` of other peers is ignored.
    pub trusted_proxies: Vec<IpNet>,
    /// Maximum number of trusted proxies between a client and the server.
    pub proxy_hops: usize,
    /// Endpoints that the server has.
    pub surface: Surface,
    /// Maximum number of use cases that run at once; a request beyond it gets 503. A use case runs on when its request
    /// times out or its client disconnects, so that connections do not bound them.
    pub max_in_flight: usize,
    /// True if clients reach the API by TLS only, so that browsers may be told to use nothing else.
    pub https: bool,
    /// Interval between the heartbeat comments of an idle stream.
    pub heartbeat: Duration,
    /// Recommended interval between two polls of a job snapshot, sent as `pollAfterMs`.
    pub poll_after: Duration,
    /// Number of threads that read requests and write responses.
    pub workers: usize,
    /// Time that requests in progress get to complete when the server stops.
    pub drain: Duration,
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            allowed_origins: Vec::new(),
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            jobs_per_minute: at_least_one(10),
            requests_per_second: at_least_one(50),
            anonymous_requests_per_second: at_least_one(50),
            progress_per_second: at_least_one(20),
            streams: at_least_one(10),
            trusted_proxies: Vec::new(),
            proxy_hops: 1,
            surface: Surface::Everything,
            max_in_flight: 256,
            https: false,
            heartbeat: Duration::from_secs(15),
            poll_after: Duration::from_millis(1500),
            // Workers only do I/O and encode JSON; use cases run on another runtime.
            workers: cpus.min(4),
            drain: Duration::from_secs(10),
        }
    }
}
