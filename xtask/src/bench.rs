//! `cargo xtask bench`: packing against the peers that people use now, in turn and on the same files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use miette::{IntoDiagnostic, Result, bail, miette};

use crate::machine;
use crate::paths::{repository, state_directory};
use crate::process::{built, cargo, run};

/// The pipeline that packs the directory `root`, and writes nothing but the image.
const PIPELINE: &str = r#"schema = 1

[source.directories]
base = "root"

[seed]
name = "bench"

[pack]
config = { compression = "CODEC" }

[[publish]]
plugin = "builtin:oci-layout"
config = { path = "result" }
"#;

/// Compare packing with `tar | pigz` and `tar | zstd`
///
/// Each pair packs the same directory in turn, `seed` with an empty cache. `seed` also checks the NAR hash and computes two
/// digests, which the peers do not. What is printed is the median of the ratios, pair by pair: below 1, `seed` took less
/// time. The last line is a run in which nothing changed.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The directory to pack [default: the Rust toolchain's own]
    #[arg(long, value_name = "DIR")]
    input: Option<PathBuf>,

    /// Compare ways to choose layers instead: what each sends again over the update histories of real packages
    #[arg(long, conflicts_with_all = ["input", "pairs"])]
    layers: bool,

    /// With `--layers`: how many layers each way may make
    #[arg(long, value_name = "N", default_value = "64", requires = "layers")]
    budget: String,

    /// With `--layers`: draw the layers of one image, coloured by how often each changes, into this SVG file instead
    #[arg(long, value_name = "FILE", requires = "layers", conflicts_with = "record")]
    picture: Option<PathBuf>,

    /// With `--layers`: record the histories anew from this machine, a Debian system that has all packages of the images
    #[arg(long, requires = "layers")]
    record: bool,

    /// How many pairs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
}

pub(crate) fn bench(args: &BenchArgs) -> Result<()> {
    if args.layers {
        return layers(args);
    }
    run(&mut cargo(&["build", "--workspace", "--bin", "seed"]))?;
    let input = match &args.input {
        Some(directory) => directory.clone(),
        None => sysroot()?,
    };
    let directory = state_directory()?.join("bench");
    remove(&directory)?;
    fs::create_dir_all(&directory).into_diagnostic()?;
    // A copy: a link would be packed as a link.
    run(Command::new("cp").arg("-a").arg(&input).arg(directory.join("root")))?;

    println!("{}, {} pairs", input.display(), args.pairs);
    for (codec, peer, program) in [
        ("gzip", "tar c root | pigz -6 > peer", "pigz"),
        ("zstd", "tar c root | zstd -q -3 -T0 -f -o peer", "zstd"),
    ] {
        fs::write(directory.join("pipeline.toml"), PIPELINE.replace("CODEC", codec)).into_diagnostic()?;
        if machine::find(program).is_none() {
            println!("{codec:<5} skipped: `{program}` is not installed");
            continue;
        }
        compare(&directory, codec, peer, args.pairs)?;
    }
    let unchanged = seed(&directory)?;
    println!("again unchanged: {:.3} s", unchanged.as_secs_f64());
    Ok(())
}

/// The comparison itself is the crate `layer-bench`.
fn layers(args: &BenchArgs) -> Result<()> {
    run(&mut cargo(&["build", "--workspace", "--bin", "layer-bench"]))?;
    let repository = repository();
    let mut command = Command::new(built("layer-bench")?);
    command.arg("--history").arg(repository.join("tests/bench/histories/debian-12.txt"));
    if args.record {
        return run(command.arg("--record"));
    }
    let selector = repository.join("plugins/prebuilt/standard-layers.wasm");
    if let Some(picture) = &args.picture {
        command.arg("--picture").arg(picture);
    }
    run(command.arg("--selector").arg(selector).arg("--budget").arg(&args.budget))
}

fn compare(directory: &Path, codec: &str, peer: &str, pairs: u32) -> Result<()> {
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // The first pair only warms the machine's own caches.
    for pair in 0..=pairs {
        for left in ["cache", "result"] {
            remove(&directory.join(left))?;
        }
        let ours_now = seed(directory)?;
        let theirs_now = timed(Command::new("sh").current_dir(directory).args(["-c", peer]))?;
        if pair > 0 {
            ours.push(ours_now.as_secs_f64());
            theirs.push(theirs_now.as_secs_f64());
            ratios.push(ours_now.as_secs_f64() / theirs_now.as_secs_f64());
        }
    }
    println!(
        "{codec:<5} seed {:.2} s, `{peer}` {:.2} s, ratio {:.2}",
        median(&mut ours),
        median(&mut theirs),
        median(&mut ratios)
    );
    Ok(())
}

/// One run of `seed` in `directory`, with its cache there.
fn seed(directory: &Path) -> Result<Duration> {
    timed(Command::new(built("seed")?).current_dir(directory).args([
        "run",
        "--quiet",
        "--cache-dir",
        "cache",
    ]))
}

fn timed(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let output = command.stdout(Stdio::null()).output().into_diagnostic()?;
    if !output.status.success() {
        bail!("{command:?} failed with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(start.elapsed())
}

fn sysroot() -> Result<PathBuf> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().into_diagnostic()?;
    let text = String::from_utf8(output.stdout).map_err(|_| miette!("rustc's sysroot is not UTF-8"))?;
    Ok(PathBuf::from(text.trim()))
}

/// Removes a directory, if it is there.
fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).into_diagnostic()?;
    }
    Ok(())
}

/// The middle value; the upper one of two.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
