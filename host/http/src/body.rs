//! Request bodies that are streamed from blobs.

use std::fmt;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use seed_model::Digest;
use tokio::sync::mpsc;

use crate::activity::Activity;
use crate::message::BlobRange;
use crate::progress::Progress;

/// Bytes read at once, and how many of such pieces wait for the socket.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;

/// Where the bytes of a [`Body::Blob`](crate::message::Body::Blob) come from. A range can be opened again, since a request
/// is sent twice when the registry first asks for credentials.
pub trait BlobSource: Send + Sync + fmt::Debug {
    /// A reader over exactly `length` bytes from `offset`; an error when the blob does not belong to this run or has
    /// no such range.
    fn open(&self, digest: Digest, offset: u64, length: u64) -> io::Result<Box<dyn Read + Send>>;
}

/// A running progress bar.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    progress: Arc<dyn Progress>,
    id: u64,
}

impl Task {
    pub(crate) fn start(progress: &Arc<dyn Progress>, label: &str, total: u64) -> Self {
        Self { progress: Arc::clone(progress), id: progress.start(label, total) }
    }

    pub(crate) fn end(&self) {
        self.progress.end(self.id);
    }
}

/// A blob range as an HTTP body of known length.
#[derive(Debug)]
pub(crate) struct BlobBody {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
    activity: Arc<Activity>,
    task: Option<Task>,
}

impl BlobBody {
    /// Starts reading. Called inside the runtime.
    pub(crate) fn open(
        source: &dyn BlobSource,
        range: BlobRange,
        activity: Arc<Activity>,
        task: Option<Task>,
    ) -> io::Result<Self> {
        let mut reader = source.open(range.digest, range.offset, range.length)?.take(range.length);
        let (sender, pieces) = mpsc::channel(PIECES);
        tokio::task::spawn_blocking(move || {
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                let read = reader.by_ref().take(PIECE as u64).read_to_end(&mut piece);
                let last = !matches!(read, Ok(1..));
                if matches!(read, Ok(0)) || sender.blocking_send(read.map(|_| piece.into())).is_err() || last
                {
                    return;
                }
            }
        });
        Ok(Self { pieces, left: range.length, activity, task })
    }
}

impl HttpBody for BlobBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match self.pieces.poll_recv(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(Ok(piece))) => piece,
            Poll::Ready(Some(Err(e))) => return Poll::Ready(Some(Err(e))),
            Poll::Ready(None) => {
                let message = format!("the blob ended {} bytes early", self.left);
                return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))));
            }
        };
        self.left = self.left.saturating_sub(piece.len() as u64);
        self.activity.moved(piece.len() as u64);
        if let Some(task) = &self.task {
            task.progress.advance(task.id, piece.len() as u64);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
