//! End-to-end and interoperability tests; the tests themselves are in `tests/`.
