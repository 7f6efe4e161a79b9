//! Runs Nix and reads what it says: evaluation, builds with progress, closures.
