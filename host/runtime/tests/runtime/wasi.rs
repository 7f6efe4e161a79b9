//! The closed WASI, as components of other toolchains see it.

use std::sync::Arc;

use insta::assert_snapshot;
use seed_model::Stage;
use seed_runtime::Limits;

use crate::guest::{DATA, Guest, words};
use crate::support::{Recorder, failed_outputs, failed_targets, load, nothing, reporting, selection, shown};

const ENVIRONMENT: &str = "wasi:cli/environment@0.2.3";
const STDERR: &str = "wasi:cli/stderr@0.2.3";
const STREAMS: &str = "wasi:io/streams@0.2.3";
const POLL: &str = "wasi:io/poll@0.2.3";
const EXIT: &str = "wasi:cli/exit@0.2.3";
const WALL: &str = "wasi:clocks/wall-clock@0.2.3";
const MONOTONIC: &str = "wasi:clocks/monotonic-clock@0.2.3";
const RANDOM: &str = "wasi:random/random@0.2.3";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.3";
const FILES: &str = "wasi:filesystem/types@0.2.3";
const SOCKETS: &str = "wasi:sockets/tcp-create-socket@0.2.3";

/// Instructions that trap unless the word at 4096 + `offset` is `value`.
fn expect(offset: usize, value: u32) -> String {
    format!("(if (i32.ne (i32.load (i32.const {})) (i32.const {value})) (then (unreachable)))", 4096 + offset)
}

fn empty_outputs(guest: Guest) -> Guest {
    guest.data(2048, &words(&[0, 0, 0]))
}

#[test]
fn there_are_no_arguments_no_environment_no_directories_and_no_sockets() {
    let empty_list = expect(4, 0);
    let body = format!(
        "(call $environment (i32.const 4096)) {empty_list}
        (i32.store (i32.const 4100) (i32.const 9))
        (call $arguments (i32.const 4096)) {empty_list}
        (i32.store (i32.const 4100) (i32.const 9))
        (call $directories (i32.const 4096)) {empty_list}
        (call $socket (i32.const 0) (i32.const 4096))
        (if (i32.ne (i32.load8_u (i32.const 4096)) (i32.const 1)) (then (unreachable)))
        (if (i32.ne (i32.load8_u (i32.const 4100)) (i32.const 1)) (then (unreachable)))
        (i32.const 2048)"
    );
    let guest = Guest::new("layer-selector")
        .world_import(ENVIRONMENT)
        .world_import(PREOPENS)
        .world_import(SOCKETS)
        .import(ENVIRONMENT, "get-environment", "environment", "(param i32)")
        .import(ENVIRONMENT, "get-arguments", "arguments", "(param i32)")
        .import(PREOPENS, "get-directories", "directories", "(param i32)")
        .import(SOCKETS, "create-tcp-socket", "socket", "(param i32 i32)")
        .body("outputs", &body);
    let plugin = load(&empty_outputs(guest).build(), Stage::Select);
    assert_eq!(plugin.select_outputs(&nothing(), &selection()).unwrap(), []);
}

#[test]
fn a_forged_file_descriptor_traps() {
    let component = Guest::new("layer-selector")
        .world_import(FILES)
        .import(FILES, "[method]descriptor.sync", "sync", "(param i32)")
        .body("outputs", "(call $sync (i32.const 1)) unreachable")
        .build();
    assert_snapshot!(failed_outputs(&component, Limits::default()));
}

#[test]
fn standard_error_goes_to_the_log_and_into_the_error() {
    let text = b"loading\nthread 'main' panicked at src/lib.rs:1:2:\nno luck\n";
    let body = format!(
        "(call $write (call $stderr) (i32.const {DATA}) (i32.const {}) (i32.const 4096))
        (call $exit (i32.const 1)) unreachable",
        text.len()
    );
    let component = Guest::new("publisher")
        .world_import(STDERR)
        .world_import(EXIT)
        .import(STDERR, "get-stderr", "stderr", "(result i32)")
        .import(STREAMS, "[method]output-stream.blocking-write-and-flush", "write", "(param i32 i32 i32 i32)")
        .import(EXIT, "exit", "exit", "(param i32)")
        .data(DATA, text)
        .body("targets", &body)
        .build();
    let plugin = load(&component, Stage::Publish);
    let recorder = Arc::new(Recorder::default());
    let error = plugin.targets(&reporting(recorder.clone()), "{}", "test").unwrap_err();
    assert_snapshot!("panic_on_standard_error", shown(&error));
    assert_snapshot!("log_of_standard_error", recorder.lines());
}

#[test]
fn an_exit_without_a_panic() {
    let component = Guest::new("publisher")
        .world_import(EXIT)
        .import(EXIT, "exit", "exit", "(param i32)")
        .body("targets", "(call $exit (i32.const 0)) unreachable")
        .build();
    assert_snapshot!(failed_targets(&component, Limits::default()));
}

/// A selector whose `outputs` asks for one layer, named by eight bytes that `value` leaves at 4096 as hexadecimal
/// digits.
fn witness(guest: Guest, value: &str) -> Guest {
    let digits = format!(
        "(local $i i32) (local $d i32)
        {value}
        (loop $again
            (local.set $d (i32.and (i32.shr_u
                (i32.load8_u (i32.add (i32.const 4096) (i32.shr_u (local.get $i) (i32.const 1))))
                (i32.mul (i32.const 4) (i32.and (local.get $i) (i32.const 1)))) (i32.const 15)))
            (i32.store8 (i32.add (i32.const 5000) (local.get $i)) (i32.load8_u (i32.add (i32.const {DATA}) (local.get $d))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 16))))
        (i32.const 2048)"
    );
    guest
        .data(DATA, b"0123456789abcdef")
        .data(2048, &words(&[0, 2064, 1, 0, 5000, 16, 0, 0]))
        .body("outputs", &digits)
}

fn witnessed(component: &[u8]) -> String {
    let plugin = load(component, Stage::Select);
    plugin.select_outputs(&nothing(), &selection()).unwrap().remove(0).layer
}

#[test]
fn pure_functions_see_fixed_clocks_and_the_same_randomness_each_time() {
    let wall = Guest::new("layer-selector").world_import(WALL).import(WALL, "now", "now", "(param i32)");
    let wall = witness(wall, "(call $now (i32.const 4096))").build();
    assert_eq!(witnessed(&wall), "1000000000000000", "one second after 1970, low digits first");

    let monotonic =
        Guest::new("layer-selector").world_import(MONOTONIC).import(MONOTONIC, "now", "now", "(result i64)");
    let monotonic = witness(monotonic, "(drop (call $now)) (i64.store (i32.const 4096) (call $now))").build();
    assert_eq!(witnessed(&monotonic), "0d70000000000000", "2,000 ns after two readings, low digits first");

    let random = Guest::new("layer-selector").world_import(RANDOM).import(
        RANDOM,
        "get-random-u64",
        "random",
        "(result i64)",
    );
    let random = witness(random, "(i64.store (i32.const 4096) (call $random))").build();
    assert_eq!(witnessed(&random), witnessed(&random));
    assert_ne!(witnessed(&random), "0000000000000000");
}

#[test]
fn a_pure_function_does_not_wait_and_a_publisher_waits_within_its_time() {
    let sleeper = |world| {
        Guest::new(world)
            .world_import(MONOTONIC)
            .import(MONOTONIC, "subscribe-duration", "subscribe", "(param i64) (result i32)")
            .import(POLL, "[method]pollable.block", "block", "(param i32)")
    };
    let hour = "(call $block (call $subscribe (i64.const 3600000000000)))";
    let selector =
        empty_outputs(sleeper("layer-selector").body("outputs", &format!("{hour} (i32.const 2048)"))).build();
    assert_eq!(load(&selector, Stage::Select).select_outputs(&nothing(), &selection()).unwrap(), []);
    let publisher = sleeper("publisher").body("targets", &format!("{hour} unreachable")).build();
    assert_snapshot!(failed_targets(&publisher, Limits { time: 1, ..Limits::default() }));
}
