//! What the host keeps for a component behind a handle. The bindings name these types, and [`super::host`] gives them their
//! functions.

#![expect(unreachable_pub, reason = "the generated code exports the resources' types again")]

use std::fmt;
use std::io::Read;
use std::sync::Arc;

use seed_model::StageError;

use crate::capabilities::{BlobWriter, Reporter};

/// The tar of a layer, being read; nothing when its end was reached.
pub struct LayerReader(pub(super) Option<Box<dyn Read + Send>>);

impl fmt::Debug for LayerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LayerReader")
    }
}

/// A blob that is being written; nothing when it is finished, or could not be begun.
pub struct Writer(pub(super) Result<Box<dyn BlobWriter>, StageError>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// A piece of work with a bar, which ends with it: also when the component traps.
#[derive(Debug)]
pub struct Task {
    pub(super) number: u64,
    pub(super) reporter: Arc<dyn Reporter>,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.reporter.progress_end(self.number);
    }
}
