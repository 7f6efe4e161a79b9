//! Tests that differ in a line or two.

use std::sync::Mutex;
use std::thread;

/// Runs every case, some side by side, and gives what came of each below its name, for one snapshot.
pub fn table<C: Sync>(cases: &[(&str, C)], run: impl Fn(&C) -> String + Sync) -> String {
    let left = Mutex::new(cases.iter().enumerate());
    let texts = Mutex::new(vec![String::new(); cases.len()]);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let case = left.lock().unwrap().next();
                    let Some((index, (name, case))) = case else { break };
                    let text = format!("# {name}\n{}\n", run(case).trim_end());
                    texts.lock().unwrap()[index] = text;
                }
            });
        }
    });
    texts.into_inner().unwrap().join("\n")
}
