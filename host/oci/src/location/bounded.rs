//! What one place may give to a command. A manifest of some kilobytes can be listed thousands of times, and each time be
//! parsed and kept: so what counts is what was read, as often as it was read.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use seed_model::{Descriptor, Digest};

use crate::location::access::{Document, Location};
use crate::location::error::LocationError;

/// The memory that all documents may take, parsed, in bytes. An image with its configuration takes some tens of KiB.
const MAX_DOCUMENTS: u64 = 128 << 20;
/// The largest blob in bytes: 64 GiB.
const MAX_BLOB: u64 = 64 << 30;
/// The most bytes of all blobs that are copied: 1 TiB.
const MAX_BLOBS: u64 = 1 << 40;
/// What a value of a document takes in memory beside its text, in bytes: a string and its place in a map.
const VALUE: u64 = 64;

/// A location that gives no more than that.
#[derive(Debug)]
pub(super) struct Bounded {
    location: Box<dyn Location>,
    documents: AtomicU64,
    blobs: AtomicU64,
}

impl Bounded {
    pub(super) fn new(location: Box<dyn Location>) -> Self {
        Self { location, documents: AtomicU64::new(0), blobs: AtomicU64::new(0) }
    }

    fn count_document(&self, bytes: &[u8]) -> Result<(), LocationError> {
        let (what, limit) = ("the documents", "they take more than 128 MiB of memory");
        self.count(&self.documents, parsed_size(bytes), MAX_DOCUMENTS, what, limit)
    }

    fn count(
        &self,
        counter: &AtomicU64,
        bytes: u64,
        limit: u64,
        what: &str,
        reason: &str,
    ) -> Result<(), LocationError> {
        let before = counter.fetch_add(bytes.min(limit), Ordering::Relaxed);
        if bytes <= limit && before.saturating_add(bytes) <= limit {
            return Ok(());
        }
        // Whoever asks again is refused again: the counter never gets near its end.
        counter.store(limit, Ordering::Relaxed);
        Err(self.refused(what.to_owned(), reason))
    }

    fn refused(&self, what: String, reason: &str) -> LocationError {
        LocationError::Document { what, place: self.place(), reason: reason.to_owned() }
    }
}

/// About what a document takes in memory, parsed: its text, and a value wherever JSON can have one.
fn parsed_size(json: &[u8]) -> u64 {
    let values = json.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count();
    (json.len() as u64).saturating_add(VALUE.saturating_mul(values as u64))
}

impl Location for Bounded {
    fn place(&self) -> String {
        self.location.place()
    }

    fn resolve(&self) -> Result<Document, LocationError> {
        let document = self.location.resolve()?;
        self.count_document(&document.bytes)?;
        Ok(document)
    }

    fn tagged(&self, tag: &str) -> Result<Option<Document>, LocationError> {
        let document = self.location.tagged(tag)?;
        document.iter().try_for_each(|document| self.count_document(&document.bytes))?;
        Ok(document)
    }

    fn manifest(&self, descriptor: &Descriptor) -> Result<Vec<u8>, LocationError> {
        let bytes = self.location.manifest(descriptor)?;
        self.count_document(&bytes)?;
        Ok(bytes)
    }

    fn copy(&self, blob: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
        if blob.size > MAX_BLOB {
            return Err(self.refused(blob.digest.to_string(), "it is larger than 64 GiB"));
        }
        self.count(&self.blobs, blob.size, MAX_BLOBS, "the blobs", "they have more than 1 TiB together")?;
        self.location.copy(blob, out)
    }

    fn read(&self, blob: &Descriptor) -> Result<Vec<u8>, LocationError> {
        let bytes = self.location.read(blob)?;
        self.count_document(&bytes)?;
        Ok(bytes)
    }

    fn referrers(&self, subject: Digest) -> Result<Vec<Descriptor>, LocationError> {
        self.location.referrers(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place where everything is of one size.
    #[derive(Debug)]
    struct Full(Vec<u8>);

    impl Location for Full {
        fn place(&self) -> String {
            "there".to_owned()
        }

        fn resolve(&self) -> Result<Document, LocationError> {
            Ok(Document { descriptor: Descriptor::of("x", &self.0), bytes: self.0.clone() })
        }

        fn tagged(&self, _: &str) -> Result<Option<Document>, LocationError> {
            self.resolve().map(Some)
        }

        fn manifest(&self, _: &Descriptor) -> Result<Vec<u8>, LocationError> {
            Ok(self.0.clone())
        }

        fn copy(&self, _: &Descriptor, out: &mut dyn Write) -> Result<(), LocationError> {
            out.write_all(&self.0).map_err(|source| LocationError::File { path: "x".into(), source })
        }

        fn referrers(&self, _: Digest) -> Result<Vec<Descriptor>, LocationError> {
            Ok(Vec::new())
        }
    }

    type Read = fn(&Bounded, &Descriptor) -> Result<(), LocationError>;

    #[test]
    fn documents_count_as_often_as_they_are_read_and_by_what_is_in_them() {
        let text = vec![b'x'; 4 << 20];
        let blob = Descriptor::of("x", &text);
        let reads: [Read; 4] = [
            |place, _| place.resolve().map(drop),
            |place, _| place.tagged("v1").map(drop),
            |place, blob| place.manifest(blob).map(drop),
            |place, blob| place.read(blob).map(drop),
        ];
        for read in reads {
            let place = Bounded::new(Box::new(Full(text.clone())));
            (0..32).for_each(|_| read(&place, &blob).unwrap());
            for _ in 0..2 {
                insta::allow_duplicates! {
                    insta::assert_snapshot!(read(&place, &blob).unwrap_err(), @"cannot use the documents of there: they take more than 128 MiB of memory");
                }
            }
            // A megabyte of empty lists takes much more than one of text.
            let place = Bounded::new(Box::new(Full(vec![b'['; 1 << 20])));
            assert_eq!((0..10).take_while(|_| read(&place, &blob).is_ok()).count(), 1);
        }
    }

    #[test]
    fn blobs_have_a_size_that_can_be_waited_for() {
        let place = Bounded::new(Box::new(Full(Vec::new())));
        let copy = |size| {
            let blob = Descriptor { size, ..Descriptor::of("x", b"") };
            place.copy(&blob, &mut std::io::sink()).map_err(|error| error.to_string())
        };
        let refused = copy(1 << 62).unwrap_err();
        insta::assert_snapshot!(refused, @"cannot use sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 of there: it is larger than 64 GiB");
        (0..16).for_each(|_| copy(64 << 30).unwrap());
        insta::assert_snapshot!(copy(1).unwrap_err(), @"cannot use the blobs of there: they have more than 1 TiB together");
    }
}
