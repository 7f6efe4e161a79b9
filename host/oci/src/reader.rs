//! The uncompressed tar of a layer as a reader.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::contents::{Segment, segments};
use crate::layer::LayerSpec;
use crate::pack_error::PackError;
use crate::tree::{ChunkSink, Stopped, TreeError, write_tree};

/// Chunks that are made ahead of the reader.
const AHEAD: usize = 2;

/// Gives the bytes of a layer's tar. A path that turns out to be changed gives an error at its end, with a
/// [`PackError`] inside.
///
/// The tar is made by a thread, from the first read on until the end: one that nobody reads costs nothing.
pub(crate) struct LayerReader {
    chunks: Chunks,
    chunk: io::Cursor<Vec<u8>>,
}

enum Chunks {
    Unread(LayerSpec),
    /// Dropping the receiver ends the thread.
    Reading(Receiver<Result<Vec<u8>, PackError>>, JoinHandle<()>),
    Ended,
}

impl LayerReader {
    pub(crate) fn new(spec: LayerSpec) -> Self {
        Self { chunks: Chunks::Unread(spec), chunk: io::Cursor::default() }
    }

    /// The next chunk; none at the end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if let Chunks::Unread(_) = self.chunks {
            self.chunks = match std::mem::replace(&mut self.chunks, Chunks::Ended) {
                Chunks::Unread(spec) => start(spec)?,
                others => others,
            };
        }
        let Chunks::Reading(chunks, _) = &self.chunks else { return Ok(None) };
        match chunks.recv() {
            Ok(Ok(chunk)) => Ok(Some(chunk)),
            Ok(Err(error)) => {
                self.end();
                Err(io::Error::other(error))
            }
            Err(_) => {
                self.end();
                Ok(None)
            }
        }
    }

    /// Ends the thread, and waits until it has: at the chunk that it is making, it notices that nobody listens.
    fn end(&mut self) {
        if let Chunks::Reading(chunks, thread) = std::mem::replace(&mut self.chunks, Chunks::Ended) {
            drop(chunks);
            // A panic in it was an end without a chunk to this side.
            let _ = thread.join();
        }
    }
}

impl Drop for LayerReader {
    fn drop(&mut self) {
        self.end();
    }
}

impl Read for LayerReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.chunk.read(out)?;
            if length > 0 || out.is_empty() {
                return Ok(length);
            }
            match self.next()? {
                Some(chunk) => self.chunk = io::Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}

/// Starts the thread that makes the tar.
fn start(spec: LayerSpec) -> io::Result<Chunks> {
    let (sender, chunks) = sync_channel(AHEAD);
    let make = move || {
        if let Err(error) = write_layer(&spec, &sender) {
            // A reader that has gone does not want the reason either.
            drop(sender.send(Err(error)));
        }
    };
    Ok(Chunks::Reading(chunks, thread::Builder::new().name("seed-layer".to_owned()).spawn(make)?))
}

fn write_layer(spec: &LayerSpec, sender: &SyncSender<Result<Vec<u8>, PackError>>) -> Result<(), PackError> {
    for segment in segments(spec)? {
        match segment {
            Segment::Generated(tar) => Sending(sender).chunk(tar).map_err(|Stopped| TreeError::Stopped)?,
            Segment::Path(path) => write_tree(&path, &mut Sending(sender))?,
        }
    }
    Ok(())
}

struct Sending<'a>(&'a SyncSender<Result<Vec<u8>, PackError>>);

impl ChunkSink for Sending<'_> {
    fn chunk(&mut self, tar: Vec<u8>) -> Result<(), Stopped> {
        self.0.send(Ok(tar)).map_err(|_| Stopped)
    }

    fn progress(&mut self, _: u64) {}
}

#[cfg(test)]
mod tests {
    use std::fs;

    use seed_model::Codec;

    use super::*;
    use crate::layer::PathSpec;
    use crate::nar::nar_digest;

    /// Threads of this process that make the tar of a layer.
    fn threads() -> usize {
        let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path().join("comm"));
        tasks.filter(|name| fs::read_to_string(name).is_ok_and(|name| name == "seed-layer\n")).count()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn thousands_of_readers_make_no_thread_until_they_are_read_and_none_after() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("large");
        fs::write(&source, vec![7; 24 << 20]).unwrap();
        let (nar_hash, nar_size) = nar_digest(&source).unwrap();
        let target = "nix/store/large".to_owned();
        let path = PathSpec { store_path: format!("/{target}"), target, source, nar_hash, nar_size };
        let spec = LayerSpec { paths: vec![path], entries: Vec::new(), codec: Codec::None };
        let mut readers: Vec<_> = (0..1_000).map(|_| LayerReader::new(spec.clone())).collect();
        // Other tests read layers meanwhile.
        assert!(threads() < 100, "{}", threads());
        for reader in &mut readers[..20] {
            reader.read_exact(&mut [0; 512]).unwrap();
            assert!(matches!(reader.chunks, Chunks::Reading(..)));
            reader.end();
        }
        assert!(threads() < 100, "{}", threads());
        let mut reader = LayerReader::new(spec);
        io::copy(&mut reader, &mut io::sink()).unwrap();
        assert!(matches!(reader.chunks, Chunks::Ended), "it is at its end");
    }
}
