use std::{num::NonZeroU32, time::Duration};

/// What a deployment decides about its HTTP API.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The origins whose pages may call the API, such as `https://photos.example.org`; `*` stands for every one. The
    /// API takes no cookies, so that a page gets nothing by being allowed but what its user's token gives it.
    pub allowed_origins: Vec<String>,
    /// The most bytes in a request's body.
    pub body_limit: usize,
    /// How long a request may take, its body included. Streams are not requests in this sense.
    pub request_timeout: Duration,
    /// How many jobs a user may create in a minute.
    pub jobs_per_minute: NonZeroU32,
    /// How often a user may post progress in a second; an array counts as one.
    pub progress_per_second: NonZeroU32,
    /// Whether a proxy of ours stands in front: only then is `X-Forwarded-For` believed, and only its last address.
    pub behind_proxy: bool,
    /// The pause between two signs of life on a stream that has nothing to tell.
    pub heartbeat: Duration,
    /// How long clients are told to wait before they ask for a job again.
    pub poll_after: Duration,
    /// How many threads read and write requests.
    pub workers: usize,
    /// How long requests under way may still take when the server is told to stop.
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
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            allowed_origins: Vec::new(),
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            jobs_per_minute: at_least_one(10),
            progress_per_second: at_least_one(20),
            behind_proxy: false,
            heartbeat: Duration::from_secs(15),
            poll_after: Duration::from_millis(1500),
            // They only read, write and turn data into JSON: use cases have threads of their own.
            workers: workers.min(4),
            drain: Duration::from_secs(10),
        }
    }
}
