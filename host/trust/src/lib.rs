//! Keys, envelopes, statements and signatures.
