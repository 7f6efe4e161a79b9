//! Bounds on time, size and number.

use std::time::Duration;

/// Bounds on what a remote party or a plugin can make this process spend.
#[derive(Clone, Debug)]
pub struct HttpLimits {
    /// To open a connection, TLS included.
    pub connect: Duration,
    /// Without a single byte in either direction.
    pub idle: Duration,
    /// For a whole request without a large body. Each byte that moves adds the time that it takes at
    /// [`HttpLimits::MIN_RATE`], but never is there more time left than this.
    pub total: Duration,
    /// The largest response that is kept in memory, in bytes.
    pub max_response: u64,
    /// The largest sum of the responses of one `send_all`, in bytes.
    pub max_batch_response: u64,
    /// Requests on their way at once, over all callers of one client.
    pub concurrency: usize,
    /// Requests in one `send_all`.
    pub max_batch: usize,
    /// How long to wait before each repetition of a failed `GET` or `HEAD`; empty: never repeat.
    pub retry_waits: Vec<Duration>,
}

impl HttpLimits {
    /// The slowest transfer of a large body, in bytes a second: 32 KiB.
    pub const MIN_RATE: u64 = 32 << 10;

    /// The longest `Retry-After` that is waited for.
    pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            // Registries hash a large blob before they answer its upload.
            idle: Duration::from_mins(2),
            total: Duration::from_mins(5),
            max_response: 4 << 20,
            max_batch_response: 64 << 20,
            concurrency: 8,
            max_batch: 1024,
            retry_waits: vec![Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)],
        }
    }
}
