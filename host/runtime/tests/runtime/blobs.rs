//! The blob store and the layer reader, as a packer sees them.

use insta::assert_snapshot;
use seed_model::{ImagePlan, Stage, StageError};
use seed_runtime::Failure;

use crate::guest::{DATA, Guest};
use crate::memory::Memory;
use crate::support::{load, pack_request, shown};

const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const ARCHIVE: &str = "seed:pipeline/archive@0.1.0";

/// Where the host's answers are put.
const RESULT: usize = 4096;

/// Runs `body` in `pack` and gives its error. `body` leaves a `result` whose payload is 4-aligned at [`RESULT`]:
/// `err` becomes the error of `pack`, and the bytes of `ok` (a string or list) become one of the kind `failed`.
fn packed(memory: &Memory, body: &str) -> String {
    let finish = format!(
        "{body}
        (if (i32.load8_u (i32.const {RESULT}))
            (then (memory.copy (i32.const {to}) (i32.const {from}) (i32.const 12)))
            (else
                (memory.copy (i32.const {text}) (i32.const {from}) (i32.const 8))
                (i32.store8 (i32.const {to}) (i32.const 5))))
        (i32.store8 (i32.const {RESULT}) (i32.const 1))
        (i32.const {RESULT})",
        from = RESULT + 4,
        to = RESULT + 8,
        text = RESULT + 12,
    );
    let component = Guest::new("packer")
        .import(BLOBS, "put", "put", "(param i32 i32 i32)")
        .import(BLOBS, "read", "read", "(param i32 i32 i64 i32 i32)")
        .import(BLOBS, "[constructor]writer", "writer", "(result i32)")
        .import(BLOBS, "[method]writer.write", "write", "(param i32 i32 i32 i32)")
        .import(BLOBS, "[method]writer.finish", "finish", "(param i32 i32)")
        .import(ARCHIVE, "[constructor]layer-reader", "open", "(param i32) (result i32)")
        .import(ARCHIVE, "[method]layer-reader.read", "next", "(param i32 i32 i32)")
        .item("(global $handle (mut i32) (i32.const 0))")
        .data(DATA, b"content")
        .body("pack", &finish)
        .build();
    let request = pack_request(ImagePlan::default());
    let error = load(&component, Stage::Pack).pack(&memory.capabilities(), &request).unwrap_err();
    match &error.failure {
        Failure::Stage(StageError::Failed(text)) => text.clone(),
        _ => shown(&error),
    }
}

fn put() -> String {
    format!("(call $put (i32.const {DATA}) (i32.const 7) (i32.const {RESULT}))")
}

/// Reads from the blob whose digest the call before gave.
fn read(offset: u64, limit: u32) -> String {
    format!(
        "(call $read (i32.load (i32.const {})) (i32.load (i32.const {})) (i64.const {offset}) (i32.const {limit}) (i32.const {RESULT}))",
        RESULT + 4,
        RESULT + 8
    )
}

#[test]
fn a_document_is_put_and_read_back_in_parts() {
    let memory = Memory::default();
    let digest = packed(&memory, &put());
    assert_eq!(memory.blob(digest.parse().unwrap()), b"content");
    assert_eq!(packed(&memory, &format!("{} {}", put(), read(0, 100))), "content");
    assert_eq!(packed(&memory, &format!("{} {}", put(), read(3, 2))), "te");
    assert_eq!(packed(&memory, &format!("{} {}", put(), read(7, 2))), "");
    assert_eq!(packed(&memory, &format!("{} {}", put(), read(u64::MAX, u32::MAX))), "");
}

#[test]
fn invalid_digests_and_blobs_of_other_runs_cannot_be_read() {
    let read = |text: usize, length: usize| {
        format!(
            "(call $read (i32.const {text}) (i32.const {length}) (i64.const 0) (i32.const 9) (i32.const {RESULT}))"
        )
    };
    assert_snapshot!(packed(&Memory::default(), &read(DATA, 7)), @"digest: `content` is not a digest: expected `sha256:` and 64 lower-case hexadecimal digits");
    let put = format!(
        "{} (memory.copy (i32.const 8192) (i32.load (i32.const {})) (i32.const 71))",
        put(),
        RESULT + 4
    );
    let spoil = "(i32.store8 (i32.const 8262) (i32.const 0x30))";
    assert_snapshot!(packed(&Memory::default(), &format!("{put} {spoil} {}", read(8192, 71))), @"no blob sha256:ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f70 in this run");
}

#[test]
fn documents_are_bounded() {
    let grow = "(drop (memory.grow (i32.const 100)))";
    let put = format!("{grow} (call $put (i32.const 0) (i32.const 4194305) (i32.const {RESULT}))");
    assert_snapshot!(packed(&Memory::default(), &put), @"a document of 4194305 bytes is longer than the limit of 4194304");
}

#[test]
fn a_blob_is_written_in_pieces_and_finished_once() {
    let write = format!(
        "(global.set $handle (call $writer))
        (call $write (global.get $handle) (i32.const {DATA}) (i32.const 7) (i32.const {RESULT}))
        (call $write (global.get $handle) (i32.const {DATA}) (i32.const 7) (i32.const {RESULT}))"
    );
    let finish = format!("(call $finish (global.get $handle) (i32.const {RESULT}))");
    let memory = Memory::default();
    let digest = packed(&memory, &format!("{write} {finish}"));
    assert_eq!(memory.blob(digest.parse().unwrap()), b"contentcontent");
    assert_snapshot!(packed(&memory, &format!("{write} {finish} {finish}")), @"the blob is already finished");
    let late =
        format!("(call $write (global.get $handle) (i32.const {DATA}) (i32.const 7) (i32.const {RESULT}))");
    assert_snapshot!(packed(&memory, &format!("{write} {finish} {late}")), @"the blob is already finished");
    let long = format!(
        "(drop (memory.grow (i32.const 100))) (call $write (global.get $handle) (i32.const 0) (i32.const 1048577) (i32.const {RESULT}))"
    );
    assert_snapshot!(packed(&memory, &format!("{write} {long}")), @"a piece of 1048577 bytes is longer than the limit of 1048576");
}

#[test]
fn a_layer_is_read_as_its_tar() {
    let next = format!("(call $next (global.get $handle) (i32.const 5) (i32.const {RESULT}))");
    let open = "(global.set $handle (call $open (i32.const 3)))";
    let memory = Memory::default();
    assert_eq!(packed(&memory, &format!("{open} {next}")), "layer");
    assert_eq!(packed(&memory, &format!("{open} {next} {next}")), " 3");
    assert_eq!(packed(&memory, &format!("{open} {next} {next} {next}")), "");
}
