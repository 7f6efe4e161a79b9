//! Embeds the builtin plugins: every `NAME.wasm` of `plugins/prebuilt`, or of the directory in `SEED_PLUGINS_DIR`.

#![allow(
    clippy::disallowed_methods,
    reason = "a build script takes its input from cargo's variables, and writes for cargo"
)]

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=SEED_PLUGINS_DIR");
    let directory = match env::var_os("SEED_PLUGINS_DIR") {
        Some(directory) => fs::canonicalize(directory)?,
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/prebuilt"),
    };
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut components = components(&directory)?;
    components.sort();
    let rows = components.iter().map(|(name, path)| {
        let path = path.to_string_lossy();
        format!("    ({name:?}, include_bytes!({path:?})),\n")
    });
    let table = format!("&[\n{}]\n", rows.collect::<String>());
    let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
    fs::write(out.join("builtins.rs"), table)
}

/// Name and path of each component.
fn components(directory: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            println!("cargo::rerun-if-changed={}", path.display());
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push((name, path));
        }
    }
    Ok(found)
}
