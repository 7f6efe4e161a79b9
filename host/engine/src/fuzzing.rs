//! Readers of foreign bytes, for the fuzz targets in `tests/fuzz`. Not an interface: it changes with them.

use std::path::Path;

use seed_report::Error;

use crate::layer_lock;
use crate::record::Record;

/// Reads a record of `seed run --record`.
pub fn record(path: &Path) -> Result<(), Error> {
    Ok(Record::load(path).map(drop)?)
}

/// Reads a layer lock.
pub fn layer_lock(path: &Path) -> Result<(), Error> {
    Ok(layer_lock::read(path).map(drop)?)
}
