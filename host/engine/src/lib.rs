//! The pipeline file, the lock, the caches and the driver of the stages.
