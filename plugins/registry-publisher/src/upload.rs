//! One blob on its way to the registry, as a state machine without input or output of its own: it says which request
//! comes next and takes the answer. Many of them go at once through `http.send-all`.
//!
//! A failure that may pass is answered by asking the registry how much it has (that request is repeated by the host,
//! with growing waits) and going on from there.

use seed_plugin::StageError;
use seed_plugin::http::{BlobRange, Body, Error, Request, Response};

use crate::answer::{check_digest, header, is_transient, refusal};
use crate::registry::request;
use crate::repository::Repository;

/// How often one blob may fail before the whole publication does.
const MAX_FAILURES: u32 = 6;

/// Blobs from this size on get a progress bar.
const PROGRESS_FROM: u64 = 256 << 10;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Ask for an upload, or for a link to a blob of another repository.
    Start { mount_from: Option<String> },
    /// Send the bytes from `offset` on.
    Send { location: String, offset: u64 },
    /// Ask how much the registry has.
    Ask { location: String },
    /// All bytes are there: name the digest.
    Finish { location: String },
    /// The blob is in the repository.
    Done { sent: bool },
}

/// A blob on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    digest: String,
    size: u64,
    chunk_size: Option<u64>,
    step: Step,
    failures: u32,
}

impl Upload {
    /// A blob that the repository does not have; `mount_from` is a repository that does.
    pub(crate) fn new(digest: &str, size: u64, chunk_size: Option<u64>, mount_from: Option<String>) -> Self {
        Self { digest: digest.to_owned(), size, chunk_size, step: Step::Start { mount_from }, failures: 0 }
    }

    /// Whether the blob is in the repository now.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.step, Step::Done { .. })
    }

    /// The bytes that were sent: none if another repository's blob was linked.
    pub(crate) fn sent(&self) -> Option<u64> {
        (self.step == Step::Done { sent: true }).then_some(self.size)
    }

    /// The next request, without credentials; nothing when all is done.
    pub(crate) fn request(&self, repository: &Repository) -> Option<Request> {
        let request = match &self.step {
            Step::Done { .. } => return None,
            Step::Start { mount_from: None } => request("POST", repository.url("blobs/uploads/")),
            Step::Start { mount_from: Some(from) } => {
                request("POST", repository.url(&format!("blobs/uploads/?mount={}&from={from}", self.digest)))
            }
            Step::Ask { location } => request("GET", location.clone()),
            Step::Finish { location } => request("PUT", self.with_digest(location)),
            Step::Send { location, offset } => self.send(location, *offset),
        };
        Some(request)
    }

    fn send(&self, location: &str, offset: u64) -> Request {
        let length = self.chunk_length(offset);
        let whole = length == self.size;
        let url = if whole { self.with_digest(location) } else { location.to_owned() };
        let mut request = request(if whole { "PUT" } else { "PATCH" }, url);
        request.headers.push(("content-type".to_owned(), "application/octet-stream".to_owned()));
        if !whole {
            let range = format!("{offset}-{}", offset + length - 1);
            request.headers.push(("content-range".to_owned(), range));
        }
        request.body = Body::Blob(BlobRange { digest: self.digest.clone(), offset, length });
        if self.size >= PROGRESS_FROM {
            let hex = self.digest.strip_prefix("sha256:").unwrap_or(&self.digest);
            request.progress = Some(format!("upload {}", hex.get(..12).unwrap_or(hex)));
        }
        request
    }

    fn chunk_length(&self, offset: u64) -> u64 {
        let rest = self.size - offset;
        self.chunk_size.map_or(rest, |chunk| rest.min(chunk))
    }

    fn with_digest(&self, location: &str) -> String {
        let separator = if location.contains('?') { '&' } else { '?' };
        format!("{location}{separator}digest={}", self.digest)
    }

    /// Takes the answer to the request that [`request`](Self::request) gave.
    pub(crate) fn advance(
        &mut self,
        repository: &Repository,
        outcome: Result<Response, Error>,
    ) -> Result<(), StageError> {
        let response = match outcome {
            Ok(response) if !is_transient(response.status) => response,
            Ok(response) => return self.fail(refusal(&format!("push blob {}", self.digest), &response)),
            Err(error @ (Error::Connection(_) | Error::Timeout(_))) => return self.fail(error.into()),
            Err(error) => return Err(error.into()),
        };
        let (status, digest) = (response.status, &self.digest);
        self.step = match (&self.step, status) {
            (Step::Start { mount_from: Some(_) }, 201) => {
                check_digest(digest, &response)?;
                Step::Done { sent: false }
            }
            (Step::Start { .. }, 202) => {
                let least = header(&response, "oci-chunk-min-length").and_then(|value| value.parse().ok());
                self.chunk_size = self.chunk_size.map(|size| size.max(least.unwrap_or(0)));
                Step::Send { location: location(repository, &response)?, offset: 0 }
            }
            (Step::Send { .. } | Step::Finish { .. }, 201 | 204) if !self.is_patching() => {
                check_digest(digest, &response)?;
                Step::Done { sent: true }
            }
            (Step::Send { offset, .. }, 202 | 204) if self.is_patching() => {
                let before = *offset;
                let next = self.go_on(repository, &response, Some(before + self.chunk_length(before)))?;
                if matches!(next, Step::Send { offset, .. } if offset <= before) {
                    let message =
                        format!("the registry accepted a chunk of blob {digest}, but did not keep it");
                    return self.fail(StageError::Remote(message));
                }
                next
            }
            (Step::Ask { .. }, 200 | 202 | 204) => self.go_on(repository, &response, None)?,
            // The registry has forgotten the upload, or disagrees about how far it came.
            (Step::Ask { .. }, 400 | 404..=499) | (Step::Send { .. } | Step::Finish { .. }, 404 | 416) => {
                return self.fail(refusal(&format!("resume the upload of blob {digest}"), &response));
            }
            _ => return Err(refusal(&format!("push blob {digest}"), &response)),
        };
        Ok(())
    }

    /// Whether the current request sends a part of the blob.
    fn is_patching(&self) -> bool {
        matches!(&self.step, Step::Send { offset, .. } if self.chunk_length(*offset) != self.size)
    }

    /// The step after a partial upload, from what the registry says that it has, or else from what it took.
    fn go_on(
        &self,
        repository: &Repository,
        response: &Response,
        taken: Option<u64>,
    ) -> Result<Step, StageError> {
        let location = match (&self.step, header(response, "location")) {
            (Step::Ask { location }, None) => location.clone(),
            _ => location(repository, response)?,
        };
        let offset = header(response, "range").and_then(received).or(taken).unwrap_or(0);
        if offset > self.size {
            return Err(StageError::Remote(format!(
                "the registry reports {offset} bytes of blob {}, which has only {}",
                self.digest, self.size
            )));
        }
        Ok(if offset == self.size { Step::Finish { location } } else { Step::Send { location, offset } })
    }

    /// Counts a failure and chooses how to go on.
    fn fail(&mut self, error: StageError) -> Result<(), StageError> {
        self.failures += 1;
        if self.failures > MAX_FAILURES {
            return Err(error);
        }
        self.step = match &self.step {
            Step::Send { location, .. } | Step::Finish { location } => {
                Step::Ask { location: location.clone() }
            }
            // From the beginning, and without a link.
            _ => Step::Start { mount_from: None },
        };
        Ok(())
    }
}

fn location(repository: &Repository, response: &Response) -> Result<String, StageError> {
    let said = header(response, "location").ok_or_else(|| {
        StageError::Remote("the registry sent no `Location` header for an upload".to_owned())
    })?;
    repository.resolve(said).ok_or_else(|| {
        StageError::Remote("the registry sent a `Location` header that is not a URL".to_owned())
    })
}

/// How many bytes a `Range: 0-<last>` header stands for. `0-0` stands for none: that is what registries say before the
/// first byte.
fn received(range: &str) -> Option<u64> {
    let last: u64 = range.strip_prefix("bytes=").unwrap_or(range).strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last.checked_add(1)? })
}

#[cfg(test)]
mod tests;
