//! Messages for the user.

use crate::bindings::imports::seed::pipeline::log::{Level, log};

/// For the plugin's author; shown with `-vv`.
pub fn debug(message: &str) {
    log(Level::Debug, message);
}

/// Shown with `-v`.
pub fn info(message: &str) {
    log(Level::Info, message);
}

/// Always shown.
pub fn warn(message: &str) {
    log(Level::Warn, message);
}

/// Always shown. Does not fail the stage: return a [`StageError`](crate::StageError) for that.
pub fn error(message: &str) {
    log(Level::Error, message);
}
