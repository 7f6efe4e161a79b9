//! The client: requests from plain threads, answered by one shared runtime.

use std::future::Future;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::body::BlobSource;
use crate::credentials::CredentialStore;
use crate::error::{Error, late};
use crate::exchange::Exchange;
use crate::grants::Grants;
use crate::limits::HttpLimits;
use crate::message::{Request, Response};
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::referred_origins::ReferredOrigins;
use crate::resolver::{Lookup, SystemLookup};
use crate::time_budget::TimeBudget;
use crate::tokens::Tokens;
use crate::wire::{Sink, Wire};

/// What a [`Client`] works with.
#[derive(Clone, Debug)]
pub struct Options {
    /// What may be reached.
    pub grants: Grants,
    /// Where credentials come from.
    pub credential_store: Arc<dyn CredentialStore>,
    /// Where blob bodies come from; without it they are invalid.
    pub blobs: Option<Arc<dyn BlobSource>>,
    /// Where the progress of bodies goes.
    pub progress: Option<Arc<dyn Progress>>,
    /// Bounds.
    pub limits: HttpLimits,
    /// The time for all requests of a command; none where they may take any.
    pub time: Option<Arc<TimeBudget>>,
}

/// Sends requests for one plugin, or for the host itself. Cheap to clone; clones share connections and tokens.
///
/// The methods block; they are for plain threads, not for async code.
#[derive(Clone, Debug)]
pub struct Client {
    exchange: Arc<Exchange>,
    permits: Arc<Semaphore>,
    time: Option<Arc<TimeBudget>>,
}

/// Why a download failed.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The request failed.
    #[error(transparent)]
    Request(#[from] Error),
    /// What came could not be written.
    #[error("cannot write the response")]
    Write(#[source] io::Error),
}

impl Client {
    /// A client. No connection is made yet.
    pub fn new(options: Options) -> Self {
        Self::with_lookup(options, Arc::new(SystemLookup))
    }

    pub(crate) fn with_lookup(options: Options, lookup: Arc<dyn Lookup>) -> Self {
        let permits = Arc::new(Semaphore::new(options.limits.concurrency.max(1)));
        let time = options.time;
        let exchange = Exchange {
            wire: Wire::new(Arc::new(options.grants), options.limits, lookup),
            tokens: Tokens::new(options.credential_store),
            named: ReferredOrigins::default(),
            blobs: options.blobs,
            progress: options.progress,
        };
        Self { exchange: Arc::new(exchange), permits, time }
    }

    /// Sends one request and gives the whole answer, whatever its status.
    pub fn send(&self, request: Request) -> Result<Response, Error> {
        let limits = self.exchange.wire.limits();
        let sink = Sink::Memory(limits.max_response);
        let client = self.clone();
        wait(async move { client.perform(request, &sink).await })
    }

    /// Sends many requests at once, and gives the answers in their order.
    pub fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Response, Error>> {
        let limits = self.exchange.wire.limits();
        if requests.len() > limits.max_batch {
            let reason = format!("a call can send at most {} requests", limits.max_batch);
            return requests
                .iter()
                .map(|_| Err(Error::Invalid { url: "a list of requests".to_owned(), reason: reason.clone() }))
                .collect();
        }
        let client = self.clone();
        wait(async move { client.perform_all(requests).await })
    }

    /// Sends a `GET` and writes the body of a 2xx answer, at most `max_bytes`, to `out` while it comes. Other answers
    /// write nothing and are returned with their bodies.
    ///
    /// When the connection breaks, the rest is asked for with a `Range`: for content that the caller compares with its
    /// digest. When it fails, `out` may hold a part. Not for async code.
    pub fn download(
        &self,
        request: Request,
        out: &mut dyn Write,
        max_bytes: u64,
    ) -> Result<Response, DownloadError> {
        let (sender, mut pieces) = mpsc::channel(8);
        let (done, outcome) = sync_channel(1);
        let client = self.clone();
        runtime().spawn(async move {
            let sink = Sink::Pieces { sender, limit: max_bytes, received: AtomicU64::new(0) };
            let response = client.perform(request, &sink).await;
            drop(sink);
            let _ = done.send(response);
        });
        while let Some(piece) = pieces.blocking_recv() {
            out.write_all(&piece).map_err(DownloadError::Write)?;
        }
        Ok(receive(&outcome)?)
    }

    async fn perform_all(&self, requests: Vec<Request>) -> Vec<Result<Response, Error>> {
        let limits = self.exchange.wire.limits();
        let (max_response, max_batch_response) = (limits.max_response, limits.max_batch_response);
        let received = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::with_capacity(requests.len());
        for request in requests {
            let (client, received) = (self.clone(), Arc::clone(&received));
            tasks.push(tokio::spawn(async move {
                let response = client.perform(request, &Sink::Memory(max_response)).await?;
                let size = response.size();
                if received.fetch_add(size, Ordering::Relaxed).saturating_add(size) > max_batch_response {
                    let url = "a list of requests".to_owned();
                    return Err(Error::TooLarge { url, limit: max_batch_response });
                }
                Ok(response)
            }));
        }
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            answers.push(task.await.expect("tasks are neither cancelled nor panic"));
        }
        answers
    }

    async fn perform(&self, request: Request, sink: &Sink) -> Result<Response, Error> {
        let request = Prepared::new(request, self.exchange.wire.grants())?;
        let answer = async {
            let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
            self.exchange.run(&request, sink).await
        };
        let Some(time) = &self.time else { return answer.await };
        let (left, _on_its_way) = time.begin();
        let what = "all requests of the command together were not done";
        timeout(left, answer)
            .await
            .unwrap_or_else(|_| Err(late(&request.method, &request.url, what, time.allowed())))
    }
}

/// The runtime of this crate: two threads wait for sockets, and more read blobs and resolve names when there are any.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("seed-http")
            .enable_io()
            .enable_time()
            .build()
            .expect("a process that can run can start two threads and an event queue")
    })
}

/// Runs `work` on the runtime while this thread waits. Unlike `block_on` this works from any thread.
fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (done, outcome) = sync_channel(1);
    runtime().spawn(async move {
        let _ = done.send(work.await);
    });
    receive(&outcome)
}

fn receive<T>(outcome: &Receiver<T>) -> T {
    outcome.recv().expect("the task sends before it ends")
}
