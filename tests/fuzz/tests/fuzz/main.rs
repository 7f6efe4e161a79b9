//! Every target with its seeds, and with mutations of these: some hundreds, or as many as `SEED_FUZZ_SECONDS` gives time for.
//!
//! The inputs follow from the seeds and from the number in `SEED_FUZZ_START` alone, so a failure happens again.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stderr, reason = "it says how much was tried")]

mod mutate;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mutate::Mutator;
use seed_fuzz::{TARGETS, Target, target};

/// Mutations without a time.
const FEW: u64 = 300;

/// The longest that one input may take. They are short, and this machine may be busy.
const LONGEST: Duration = Duration::from_secs(10);

fn seeds(target: Target) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name);
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seed", target.name);
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Runs one input; one that fails is kept.
fn run(target: Target, input: &[u8]) {
    let start = Instant::now();
    let outcome = catch_unwind(|| (target.run)(input));
    let time = start.elapsed();
    if outcome.is_ok() && time <= LONGEST {
        return;
    }
    let path = std::env::temp_dir().join(format!("seed-fuzz-{}", target.name));
    fs::write(&path, input).unwrap();
    let what = if outcome.is_err() { "panics".to_owned() } else { format!("takes {time:?}") };
    panic!(
        "{} {what} with {}: make it a seed in tests/fuzz/seeds/{}",
        target.name,
        path.display(),
        target.name
    );
}

fn fuzz(name: &str) {
    let target = target(name).unwrap();
    let seeds = seeds(target);
    for seed in &seeds {
        run(target, seed);
    }
    let mut mutator = Mutator::new(&seeds, number("SEED_FUZZ_START").unwrap_or(0));
    let seconds = number("SEED_FUZZ_SECONDS");
    let (start, mut count) = (Instant::now(), 0_u64);
    while seconds.map_or(count < FEW, |seconds| start.elapsed() < Duration::from_secs(seconds)) {
        run(target, &mutator.next());
        count += 1;
    }
    eprintln!("{name}: {count} inputs in {} s", start.elapsed().as_secs());
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            fuzz(stringify!($name));
        })*

        #[test]
        fn every_target_is_here() {
            assert_eq!(TARGETS.map(|target| target.name), [$(stringify!($name)),*]);
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
            let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
            for target in TARGETS {
                let (name, file) = (target.name, format!("fuzz_targets/{}.rs", target.name));
                assert!(manifest.contains(&format!("path = \"{file}\"")), "{name} for `cargo fuzz`");
                assert!(fs::read_to_string(root.join(file)).unwrap().contains(&format!("run(\"{name}\", ")));
            }
        }
    };
}

targets! {
    manifest index config reference archive pipeline lock layer_lock record tar gzip zstd nar challenge docker_config
    registration log dsse bundle component
}
