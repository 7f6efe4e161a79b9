//! What the host does for a component counts: as fuel or time, as bytes, as calls, as open streams.

use std::time::{Duration, Instant};

use insta::assert_snapshot;
use seed_model::{ImagePlan, Stage};
use seed_runtime::capabilities::{Blobs as _, Capabilities};
use seed_runtime::{Failure, Limit, Limits};

use crate::guest::{DATA, Guest, words};
use crate::memory::Memory;
use crate::support::{failed_outputs, failed_targets, nothing, pack_request, runtime, selection, shown};

const ARCHIVE: &str = "seed:pipeline/archive@0.1.0";
const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const FILES: &str = "seed:pipeline/files@0.1.0";
const HTTP: &str = "seed:pipeline/http@0.1.0";
const LOG: &str = "seed:pipeline/log@0.1.0";

/// Repeats calls until something ends it.
fn forever(calls: &str) -> String {
    format!("(loop $again {calls} (br $again)) unreachable")
}

/// Why a publisher fails whose `targets` has this body.
fn published(guest: Guest, body: &str, limits: Limits, capabilities: &Capabilities) -> String {
    let component = guest.body("targets", body).build();
    let plugin = runtime(limits).load(&component, Stage::Publish).unwrap();
    shown(&plugin.targets(capabilities, "{}", "test").unwrap_err())
}

/// The limit that ends a packer whose `pack` has this body.
fn packed(body: &str, limits: Limits) -> Limit {
    let component = Guest::new("packer")
        .import(BLOBS, "put", "put", "(param i32 i32 i32)")
        .import(BLOBS, "[constructor]writer", "writer", "(result i32)")
        .import(BLOBS, "[method]writer.finish", "finish", "(param i32 i32)")
        .import(BLOBS, "[resource-drop]writer", "drop-writer", "(param i32)")
        .import(ARCHIVE, "pack-layers", "pack", "(param i32 i32 i32)")
        .import(ARCHIVE, "[constructor]layer-reader", "open", "(param i32) (result i32)")
        .import(ARCHIVE, "[method]layer-reader.read", "read", "(param i32 i32 i32)")
        .import(ARCHIVE, "[resource-drop]layer-reader", "close", "(param i32)")
        .item("(global $handle (mut i32) (i32.const 0))")
        // A job: layer 1,000, without compression.
        .data(DATA, &words(&[1_000, 0]))
        .body("pack", body)
        .build();
    let plugin = runtime(limits).load(&component, Stage::Pack).unwrap();
    let memory = Memory::default();
    let error = plugin.pack(&memory.capabilities(), &pack_request(ImagePlan::default())).unwrap_err();
    match error.failure {
        Failure::Limit(exceeded) => exceeded.limit,
        _ => panic!("{}", shown(&error)),
    }
}

#[test]
fn bytes_that_are_handed_over_cost_fuel() {
    // A megabyte in each message, all of which are dropped.
    let log = "(drop (memory.grow (i32.const 40)))".to_owned()
        + &forever("(call $log (i32.const 0) (i32.const 1048576) (i32.const 1000000))");
    let component =
        Guest::new("layer-selector").import(LOG, "log", "log", "(param i32 i32 i32)").body("outputs", &log);
    let limits = Limits { log_size: 10, fuel: 50_000_000, ..Limits::default() };
    let start = Instant::now();
    assert_snapshot!(failed_outputs(&component.build(), limits), @"
    plugin `hostile` 1.2.3 (DIGEST) failed in `outputs`: it used more than 50000000 units of fuel, perhaps in an infinite loop
    help: if you trust the plugin and it needs more, set `fuel = N` in `[limits]` in the pipeline file (now 50000000)
    log: the log is full: dropping further messages of this call (`log-size` in `[limits]`)
    ");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn an_instruction_that_fills_all_memory_again_and_again_ends_by_the_clock() {
    let fill = "(drop (memory.grow (i32.const 4000)))".to_owned()
        + &forever("(memory.fill (i32.const 0) (i32.const 1) (i32.const 262000000))");
    let component = Guest::new("layer-selector").body("outputs", &fill).build();
    assert_snapshot!(failed_outputs(&component, Limits { time: 0, ..Limits::default() }), @"
    plugin `hostile` 1.2.3 (DIGEST) failed in `outputs`: it ran for longer than 0 s, perhaps in an infinite loop
    help: if you trust the plugin and it needs more, set `time = N` in `[limits]` in the pipeline file (now 0)
    ");
}

#[test]
fn files_that_are_synced_cost_fuel() {
    let limits = || Limits { fuel: 50_000_000, ..Limits::default() };
    let put = format!("(call $put (i32.const {DATA}) (i32.const 1) (i32.const 4096))");
    assert_eq!(packed(&forever(&put), limits()), Limit::Fuel);
    let finish = "(call $finish (call $writer) (i32.const 4096))";
    assert_eq!(packed(&forever(finish), limits()), Limit::Fuel);
    let abandoned = "(call $drop-writer (call $writer))";
    assert_eq!(packed(&forever(abandoned), limits()), Limit::Fuel);
}

#[test]
fn layers_count_whether_they_are_packed_or_read() {
    // A layer of a thousand mebibytes, five times.
    let limits = || Limits { blob_bytes: 5_000 << 20, ..Limits::default() };
    let pack = format!("(call $pack (i32.const {DATA}) (i32.const 1) (i32.const 4096))");
    assert_eq!(packed(&forever(&pack), limits()), Limit::BlobBytes);
    // What is read ahead for the first byte.
    let open = "(call $close (call $open (i32.const 1000)))";
    assert_eq!(packed(&forever(open), limits()), Limit::BlobBytes);
    let many = format!("(call $pack (i32.const {DATA}) (i32.const 1) (i32.const 4096))");
    assert_eq!(packed(&forever(&many), Limits { fuel: 1_000_000, ..Limits::default() }), Limit::Fuel);
}

#[test]
fn few_readers_and_writers_are_open_at_a_time() {
    assert_eq!(packed(&forever("(drop (call $open (i32.const 0)))"), Limits::default()), Limit::Streams);
    assert_eq!(packed(&forever("(drop (call $writer))"), Limits::default()), Limit::Streams);
    // Those that are finished are not open, though their handles live on, and neither are those that are dropped.
    let finished = "(call $finish (call $writer) (i32.const 4096))";
    let ended = "(call $read (call $open (i32.const 0)) (i32.const 100) (i32.const 4096))";
    let dropped = "(call $close (call $open (i32.const 0))) (call $drop-writer (call $writer))";
    let once = |calls: &str| packed(&forever(calls), Limits { handles: 200, ..Limits::default() });
    assert_eq!(once(finished), Limit::Handles);
    assert_eq!(once(ended), Limit::Handles);
    assert_eq!(
        packed(&forever(dropped), Limits { host_calls: 1_000, ..Limits::default() }),
        Limit::HostCalls
    );
}

#[test]
fn files_count_as_often_as_they_are_written() {
    let memory = Memory::default();
    let digest = memory.put(&vec![0; 3 << 20]).unwrap().to_string();
    // `result` of a path, and a list of 100 files, all of them the same blob.
    let file = words(&[512, 4, 1, 520, 71]);
    let limits = || Limits { blob_bytes: 100 << 20, ..Limits::default() };
    for (function, kind, arguments) in [
        ("write-tar", "(param i32 i32 i32 i32 i32)", "(i32.const 512) (i32.const 4)"),
        (
            "write-directory",
            "(param i32 i32 i32 i32 i32 i32 i32)",
            "(i32.const 512) (i32.const 4) (i32.const 512) (i32.const 4)",
        ),
    ] {
        let guest = Guest::new("publisher")
            .import(FILES, function, "write", kind)
            .data(512, b"file")
            .data(520, digest.as_bytes())
            .data(8192, &file.repeat(100));
        let body = format!(
            "(call $write {arguments} (i32.const 8192) (i32.const 100) (i32.const 4096)) unreachable"
        );
        let error = published(guest, &body, limits(), &memory.capabilities());
        insta::allow_duplicates!(assert_snapshot!(error, @"
        plugin `hostile` 1.2.3 (DIGEST) failed in `targets`: it had the host read and write more than 100 MiB
        help: if you trust the plugin and it needs more, set `blob-bytes = N` in `[limits]` in the pipeline file (now 104857600)
        "));
        assert!(memory.files.lock().unwrap().is_empty(), "nothing was written");
    }
}

#[test]
fn bodies_of_requests_count() {
    // `PUT /` with 2^40 bytes of a blob.
    let mut request = words(&[512, 3, 515, 1, 0, 0, 0, 0, 2, 0, 520, 71, 0, 0, 0, 256]);
    request.resize(88, 0);
    let guest = Guest::new("publisher")
        .import(HTTP, "send", "send", "(param i32 i32)")
        .data(512, b"PUT/")
        .data(520, format!("sha256:{}", "0".repeat(64)).as_bytes())
        .data(DATA, &request);
    let send = format!("(call $send (i32.const {DATA}) (i32.const 4096)) unreachable");
    assert_snapshot!(published(guest, &send, Limits::default(), &nothing()), @"
    plugin `hostile` 1.2.3 (DIGEST) failed in `targets`: it had the host read and write more than 64 GiB
    help: if you trust the plugin and it needs more, set `blob-bytes = N` in `[limits]` in the pipeline file (now 68719476736)
    ");
}

#[test]
fn work_for_a_publisher_counts_as_its_time() {
    let put = "(call $put (i32.const 0) (i32.const 100000) (i32.const 4096))";
    let guest = || Guest::new("publisher").import(BLOBS, "put", "put", "(param i32 i32 i32)");
    let limits = Limits { time: 1, host_calls: u64::MAX, ..Limits::default() };
    let start = Instant::now();
    let memory = Memory::default();
    assert_snapshot!(published(guest(), &forever(put), limits, &memory.capabilities()), @"
    plugin `hostile` 1.2.3 (DIGEST) failed in `targets`: it ran for longer than 1 s, perhaps in an infinite loop
    help: if you trust the plugin and it needs more, set `time = N` in `[limits]` in the pipeline file (now 1)
    ");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

/// Interface, function, core type, and calls of it that leave nothing on the stack.
const WASI: [(&str, &str, &str, &str); 12] = [
    ("wasi:cli/environment@0.2.3", "get-environment", "(param i32)", "(call $f (i32.const 4096))"),
    ("wasi:cli/environment@0.2.3", "get-arguments", "(param i32)", "(call $f (i32.const 4096))"),
    ("wasi:cli/environment@0.2.3", "initial-cwd", "(param i32)", "(call $f (i32.const 4096))"),
    ("wasi:clocks/wall-clock@0.2.3", "now", "(param i32)", "(call $f (i32.const 4096))"),
    (
        "wasi:io/streams@0.2.3",
        "[method]output-stream.check-write",
        "(param i32 i32)",
        "(call $f (global.get $stderr) (i32.const 4096))",
    ),
    (
        "wasi:io/streams@0.2.3",
        "[method]output-stream.blocking-flush",
        "(param i32 i32)",
        "(call $f (global.get $stderr) (i32.const 4096))",
    ),
    ("wasi:clocks/monotonic-clock@0.2.3", "now", "(result i64)", "(drop (call $f))"),
    ("wasi:filesystem/preopens@0.2.3", "get-directories", "(param i32)", "(call $f (i32.const 4096))"),
    (
        "wasi:sockets/tcp-create-socket@0.2.3",
        "create-tcp-socket",
        "(param i32 i32)",
        "(call $f (i32.const 0) (i32.const 4096))",
    ),
    (
        "wasi:io/streams@0.2.3",
        "[method]output-stream.blocking-write-and-flush",
        "(param i32 i32 i32 i32)",
        "(call $f (global.get $stderr) (i32.const 0) (i32.const 0) (i32.const 4096))",
    ),
    ("wasi:io/streams@0.2.3", "[resource-drop]output-stream", "(param i32)", "(call $f (call $get-stderr))"),
    ("wasi:random/random@0.2.3", "get-random-u64", "(result i64)", "(drop (call $f))"),
];

#[test]
fn each_function_of_wasi_counts_as_a_call() {
    const STDERR: &str = "wasi:cli/stderr@0.2.3";
    for (interface, function, kind, call) in WASI {
        for world in ["layer-selector", "publisher"] {
            let guest = Guest::new(world)
                .world_import(STDERR)
                .import(STDERR, "get-stderr", "get-stderr", "(result i32)")
                .import(interface, function, "f", kind)
                .item("(global $stderr (mut i32) (i32.const 0))");
            let guest =
                if interface == "wasi:io/streams@0.2.3" { guest } else { guest.world_import(interface) };
            let body = format!("(global.set $stderr (call $get-stderr)) {}", forever(call));
            let limits = Limits { host_calls: 1_000, ..Limits::default() };
            let error = match world {
                "publisher" => failed_targets(&guest.body("targets", &body).build(), limits),
                _ => failed_outputs(&guest.body("outputs", &body).build(), limits),
            };
            assert!(error.contains("it called the host more than 1000 times"), "{function}: {error}");
        }
    }
}

#[test]
fn randomness_costs_fuel() {
    let body = "(drop (memory.grow (i32.const 100)))".to_owned()
        + &forever("(call $f (i64.const 1000000) (i32.const 4096))");
    let component = Guest::new("layer-selector")
        .world_import("wasi:random/random@0.2.3")
        .import("wasi:random/random@0.2.3", "get-random-bytes", "f", "(param i64 i32)")
        .body("outputs", &body)
        .build();
    let plugin = runtime(Limits { fuel: 100_000_000, ..Limits::default() });
    let plugin = plugin.load(&component, Stage::Select).unwrap();
    let error = plugin.select_outputs(&nothing(), &selection()).unwrap_err();
    assert!(matches!(error.failure, Failure::Limit(exceeded) if exceeded.limit == Limit::Fuel), "{error}");
}
