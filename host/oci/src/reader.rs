//! The uncompressed tar of a layer as a reader.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::contents::{Segment, segments};
use crate::layer::LayerSpec;
use crate::pack_error::PackError;
use crate::tree::{ChunkSink, Stopped, TreeError, write_tree};

/// Chunks that are made ahead of the reader.
const AHEAD: usize = 2;

/// Gives the bytes of a layer's tar. A path that turns out to be changed gives an error at its end, with a
/// [`PackError`] inside. Dropping the reader ends the thread that makes the tar.
pub(crate) struct LayerReader {
    chunks: Receiver<Result<Vec<u8>, PackError>>,
    chunk: io::Cursor<Vec<u8>>,
}

impl LayerReader {
    pub(crate) fn new(spec: LayerSpec) -> Self {
        let (sender, chunks) = sync_channel(AHEAD);
        thread::spawn(move || {
            if let Err(error) = write_layer(&spec, &sender) {
                // A reader that has gone does not want the reason either.
                drop(sender.send(Err(error)));
            }
        });
        Self { chunks, chunk: io::Cursor::default() }
    }
}

impl Read for LayerReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.chunk.read(out)?;
            if length > 0 || out.is_empty() {
                return Ok(length);
            }
            match self.chunks.recv() {
                Ok(Ok(chunk)) => self.chunk = io::Cursor::new(chunk),
                Ok(Err(error)) => return Err(io::Error::other(error)),
                Err(_) => return Ok(0),
            }
        }
    }
}

fn write_layer(spec: &LayerSpec, sender: &SyncSender<Result<Vec<u8>, PackError>>) -> Result<(), PackError> {
    for segment in segments(spec)? {
        match segment {
            Segment::Generated(tar) => Chunks(sender).chunk(tar).map_err(|Stopped| TreeError::Stopped)?,
            Segment::Path(path) => write_tree(&path, &mut Chunks(sender))?,
        }
    }
    Ok(())
}

struct Chunks<'a>(&'a SyncSender<Result<Vec<u8>, PackError>>);

impl ChunkSink for Chunks<'_> {
    fn chunk(&mut self, tar: Vec<u8>) -> Result<(), Stopped> {
        self.0.send(Ok(tar)).map_err(|_| Stopped)
    }

    fn progress(&mut self, _: u64) {}
}
