//! A hostile component for each limit.

use std::sync::Arc;
use std::time::{Duration, Instant};

use insta::assert_snapshot;
use seed_model::Stage;
use seed_runtime::Limits;

use crate::guest::{DATA, Guest, words};
use crate::support::{
    Recorder, failed_outputs, failed_targets, load, nothing, refused, reporting, runtime, selection, shown,
};

const LOG: &str = "seed:pipeline/log@0.1.0";
const BLOBS: &str = "seed:pipeline/blobs@0.1.0";
const PROGRESS: &str = "seed:pipeline/progress@0.1.0";
const ENDLESS: &str = "(loop $again (br $again)) unreachable";

#[test]
fn an_endless_loop_of_a_pure_function_runs_out_of_fuel() {
    let component = Guest::new("layer-selector").body("outputs", ENDLESS).build();
    let limits = Limits { fuel: 10_000_000, ..Limits::default() };
    assert_snapshot!(failed_outputs(&component, limits));
}

#[test]
fn an_endless_loop_of_a_publisher_runs_out_of_time() {
    let component = Guest::new("publisher").body("targets", ENDLESS).build();
    let start = Instant::now();
    assert_snapshot!(failed_targets(&component, Limits { time: 1, ..Limits::default() }));
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn an_endless_loop_in_describe_ends_too() {
    let component = Guest::new("layer-selector").body("describe", ENDLESS).build();
    let limits = Limits { fuel: 10_000_000, ..Limits::default() };
    assert_snapshot!(refused(&component, Stage::Select, limits));
}

#[test]
fn an_endless_loop_can_be_cancelled() {
    let component = Guest::new("publisher").body("targets", ENDLESS).build();
    let runtime = runtime(Limits::default());
    let plugin = runtime.load(&component, Stage::Publish).unwrap();
    let error = std::thread::scope(|scope| {
        let call = scope.spawn(|| plugin.targets(&nothing(), "{}", "test").unwrap_err());
        std::thread::sleep(Duration::from_millis(50));
        runtime.cancel();
        call.join().unwrap()
    });
    assert_snapshot!(shown(&error));
}

#[test]
fn memory_growth_ends_at_the_limit() {
    let grow = "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable";
    let component = Guest::new("layer-selector").body("outputs", grow).build();
    assert_snapshot!(failed_outputs(&component, Limits { memory: 64 << 20, ..Limits::default() }));
}

#[test]
fn all_memories_count_together() {
    let items = "(memory $second 600)";
    let component = Guest::new("layer-selector").item(items).build();
    assert_snapshot!(refused(&component, Stage::Select, Limits { memory: 32 << 20, ..Limits::default() }));
}

#[test]
fn tables_end_at_the_limit() {
    let component = Guest::new("layer-selector").item("(table $large 2000000 funcref)").build();
    assert_snapshot!(refused(&component, Stage::Select, Limits::default()));
}

#[test]
fn instances_end_at_the_limit() {
    let component = Guest::new("layer-selector").build();
    assert_snapshot!(refused(&component, Stage::Select, Limits { instances: 0, ..Limits::default() }));
}

#[test]
fn deep_recursion_ends_at_the_limit() {
    let item = "(func $deeper (param i32) (result i32) (i32.add (i32.const 1) (call $deeper (i32.add (local.get 0) (i32.const 1)))))";
    let component =
        Guest::new("layer-selector").item(item).body("outputs", "(call $deeper (i32.const 0))").build();
    assert_snapshot!(failed_outputs(&component, Limits::default()));
    // A larger stack than that of the calling thread is not the end of the process.
    let limits = Limits { stack: 64 << 20, ..Limits::default() };
    assert!(failed_outputs(&component, limits).contains("64 MiB"));
}

#[test]
fn a_huge_result_is_not_copied() {
    // `ok` with a list of 100,000,000 output requests that begins at 0.
    let result = words(&[0, 0, 100_000_000]);
    let component = Guest::new("layer-selector")
        .item("(func (export \"cabi_post_seed:pipeline/layer-selection@0.1.0#outputs\") (param i32))")
        .data(DATA, &result)
        .body("outputs", &format!("(drop (memory.grow (i32.const 40000))) (i32.const {DATA})"))
        .build();
    let limits = Limits { memory: 4 << 30, ..Limits::default() };
    assert_snapshot!(failed_outputs(&component, limits));
}

#[test]
fn one_string_many_times_is_not_copied_either() {
    // A thousand output requests whose layer name is the same megabyte.
    let grow = "(drop (memory.grow (i32.const 40)))";
    let fill = format!(
        "(local $i i32)
        {grow}
        (loop $again
            (i32.store (i32.add (i32.const 16384) (i32.mul (local.get $i) (i32.const 16))) (i32.const 131072))
            (i32.store offset=4 (i32.add (i32.const 16384) (i32.mul (local.get $i) (i32.const 16))) (i32.const 1000000))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
        (i32.const {DATA})"
    );
    let component =
        Guest::new("layer-selector").data(DATA, &words(&[0, 16384, 1000])).body("outputs", &fill).build();
    assert_snapshot!(failed_outputs(&component, Limits::default()));
}

#[test]
fn a_log_flood_is_dropped_and_the_call_goes_on() {
    let flood = format!(
        "(local $i i32)
        (loop $again
            (call $log (i32.const 2) (i32.const {DATA}) (i32.const 5))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $i) (i32.const 10000))))
        (i32.const 2048)"
    );
    let component = Guest::new("layer-selector")
        .import(LOG, "log", "log", "(param i32 i32 i32)")
        .data(DATA, b"flood")
        .data(2048, &words(&[0, 0, 0]))
        .body("outputs", &flood)
        .build();
    let plugin =
        runtime(Limits { log_size: 100, ..Limits::default() }).load(&component, Stage::Select).unwrap();
    let recorder = Arc::new(Recorder::default());
    assert_eq!(plugin.select_outputs(&reporting(recorder.clone()), &selection()).unwrap(), []);
    assert_snapshot!(recorder.lines());
}

#[test]
fn host_calls_end_at_the_limit() {
    let flood = format!(
        "(loop $again (call $log (i32.const 0) (i32.const {DATA}) (i32.const 1)) (br $again)) unreachable"
    );
    let component = Guest::new("publisher")
        .import(LOG, "log", "log", "(param i32 i32 i32)")
        .body("targets", &flood)
        .build();
    assert_snapshot!(failed_targets(
        &component,
        Limits { host_calls: 1000, log_size: 10, ..Limits::default() }
    ));
}

#[test]
fn resources_end_at_the_limit_and_their_bars_end_with_the_call() {
    let hoard = format!(
        "(loop $again (drop (call $task (i32.const {DATA}) (i32.const 3) (i32.const 0) (i64.const 0))) (br $again)) unreachable"
    );
    let component = Guest::new("publisher")
        .import(PROGRESS, "[constructor]task", "task", "(param i32 i32 i32 i64) (result i32)")
        .data(DATA, b"bar")
        .body("targets", &hoard)
        .build();
    let plugin =
        runtime(Limits { handles: 3, ..Limits::default() }).load(&component, Stage::Publish).unwrap();
    let recorder = Arc::new(Recorder::default());
    let error = plugin.targets(&reporting(recorder.clone()), "{}", "test").unwrap_err();
    assert_snapshot!(shown(&error));
    let (starts, ends) =
        (recorder.lines().matches("start bar").count(), recorder.lines().matches("end 7").count());
    assert!(starts >= 3 && starts == ends, "{starts} bars began and {ends} ended");
}

#[test]
fn borrowed_resources_count_too() {
    let task = format!("(call $task (i32.const {DATA}) (i32.const 3) (i32.const 0) (i64.const 0))");
    let body = format!(
        "(local $first i32) (local.set $first {task}) (drop {task}) (call $advance (local.get $first) (i64.const 1)) unreachable"
    );
    let component = Guest::new("publisher")
        .import(PROGRESS, "[constructor]task", "task", "(param i32 i32 i32 i64) (result i32)")
        .import(PROGRESS, "[method]task.advance", "advance", "(param i32 i64)")
        .data(DATA, b"bar")
        .body("targets", &body)
        .build();
    assert_snapshot!(failed_targets(&component, Limits { handles: 2, ..Limits::default() }));
}

#[test]
fn blob_bytes_end_at_the_limit() {
    let put =
        "(loop $again (call $put (i32.const 0) (i32.const 100000) (i32.const 1024)) (br $again)) unreachable";
    let component = Guest::new("publisher")
        .import(BLOBS, "put", "put", "(param i32 i32 i32)")
        .body("targets", put)
        .build();
    assert_snapshot!(failed_targets(&component, Limits { blob_bytes: 1 << 20, ..Limits::default() }));
}

#[test]
fn a_panic_shows_its_message() {
    let component = Guest::new("layer-selector")
        .import(LOG, "log", "log", "(param i32 i32 i32)")
        .data(DATA, b"panicked at src/lib.rs:3:5:\nno layer is left")
        .body("outputs", &format!("(call $log (i32.const 3) (i32.const {DATA}) (i32.const 44)) unreachable"))
        .build();
    assert_snapshot!(failed_outputs(&component, Limits::default()));
}

#[test]
fn a_panic_without_a_message_and_other_traps_are_told_apart() {
    let silent = Guest::new("layer-selector").body("outputs", "unreachable").build();
    assert_snapshot!("silent_panic", failed_outputs(&silent, Limits::default()));
    let division =
        Guest::new("layer-selector").body("outputs", "(i32.div_u (i32.const 1) (i32.const 0))").build();
    assert_snapshot!("division", failed_outputs(&division, Limits::default()));
    let outside = Guest::new("layer-selector").body("outputs", "(i32.const -4)").build();
    assert_snapshot!("pointer_outside_of_memory", failed_outputs(&outside, Limits::default()));
}

#[test]
fn a_call_knows_nothing_of_the_one_before() {
    // The first call of an instance gives an empty list, the second one traps.
    let body = format!(
        "(if (global.get $called) (then unreachable)) (global.set $called (i32.const 1)) (i32.const {DATA})"
    );
    let component = Guest::new("layer-selector")
        .item("(global $called (mut i32) (i32.const 0))")
        .data(DATA, &words(&[0, 0, 0]))
        .body("outputs", &body)
        .build();
    let plugin = load(&component, Stage::Select);
    for _ in 0..3 {
        assert_eq!(plugin.select_outputs(&nothing(), &selection()).unwrap(), []);
    }
}
