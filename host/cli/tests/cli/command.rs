//! What a person sees when something is wrong before any work begins, and how scripts are served.

use std::fs::File;
use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;
use seed_tests::{Run, TestEnvironment};

#[test]
fn a_missing_pipeline_says_how_to_get_one() {
    assert_snapshot!(TestEnvironment::new().show(&["run"]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error[seed::pipeline::not-found]: pipeline file not found: pipeline.toml
      help: run `seed init` to write one for the flake in this directory, or name another file: `seed run PATH`
    ");
}

#[test]
fn a_typo_is_shown_in_its_line() {
    let environment = TestEnvironment::new();
    environment.write("pipeline.toml", "schema = 1\n\n[source]\nflak = \".\"\n\n[seed]\nname = \"a\"\n");
    assert_snapshot!(environment.show(&["plan"]), @r#"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error[seed::pipeline::missing-key]: missing key `publish` in the file
     --> pipeline.toml:1:1
      |
    1 | schema = 1
      | ^ needs `publish`
      help: add where to publish the image, such as:

            [[publish]]
            plugin = "builtin:oci-layout"
            config = { path = "result" }

    error[seed::pipeline::missing-key]: missing key `flake` in [source]
     --> pipeline.toml:3:1
      |
    3 | [source]
      | ^^^^^^^^ needs `flake`
      help: write `flake = "."`, or use [source.directories] or [source.closure], which do not need Nix

    error[seed::pipeline::unknown-key]: unknown key `flak` in [source]
     --> pipeline.toml:4:1
      |
    3 | [source]
    4 | flak = "."
      | ^^^^ not a key of this table
      help: did you mean `flake`?

    error: pipeline.toml has 3 problems
    "#);
}

#[test]
fn errors_are_json_for_machines() {
    let environment = TestEnvironment::new();
    environment.write("app/pipeline.toml", "schema = 2\n");
    assert_snapshot!(environment.show(&["run", "app", "--json"]), @r#"
    exit code: 2
    ----- stdout -----
    {
      "schema": 1,
      "error": {
        "exit-code": 2,
        "code": "seed::pipeline::schema",
        "message": "app/pipeline.toml: unsupported version 2: this `seed` reads pipeline files of version 1",
        "causes": [],
        "help": "upgrade `seed`, or write the file in the older format",
        "places": [
          {
            "file": "app/pipeline.toml",
            "line": 1,
            "column": 10,
            "label": "expected 1"
          }
        ],
        "related": []
      }
    }
    ----- stderr -----
    "#);
}

#[test]
fn a_wrong_option_is_a_usage_error_with_a_suggestion() {
    assert_snapshot!(TestEnvironment::new().show(&["run", "--lockd"]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error: unexpected argument '--lockd' found

      tip: a similar argument exists: '--locked'
      tip: to pass '--lockd' as a value, use '-- --lockd'

    Usage: seed run --locked [PIPELINE] [-- <COMMAND>...]

    For more information, try '--help'.
    ");
}

#[test]
fn init_does_not_replace_a_file() {
    let environment = TestEnvironment::new();
    environment.write("pipeline.toml", "mine");
    assert_snapshot!(environment.show(&["init"]), @"
    exit code: 2
    ----- stdout -----
    ----- stderr -----
    error[seed::cli::exists]: `pipeline.toml` already exists
      help: replace it with `--force`, write another file with `--output FILE`, or print it with `--output -`
    ");
    assert_eq!(environment.read("pipeline.toml"), "mine");
}

#[test]
fn no_home_needs_a_cache_directory() {
    let mut environment = TestEnvironment::new();
    environment.unset("SEED_CACHE_DIR");
    environment.unset("HOME");
    assert_snapshot!(environment.show(&["plugin", "inspect", "builtin:oci-packer"]), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[seed::cli::no-cache-directory]: no cache directory: neither `HOME` nor `XDG_CACHE_HOME` is set
      help: set `--cache-dir DIR` or `SEED_CACHE_DIR`
    ");
}

#[test]
fn colours_are_used_when_asked_for() {
    let mut environment = TestEnvironment::new();
    assert!(environment.show(&["run", "--color", "always"]).contains("\u{1b}["));
    assert!(!environment.show(&["run"]).contains("\u{1b}["));
    environment.set("CLICOLOR_FORCE", "1");
    let forced = environment.show(&["run"]);
    assert_eq!(forced.contains("\u{1b}["), cfg!(unix), "a file that asks for colours gets them");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let environment = TestEnvironment::new();
    let mut child = environment
        .seed_command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_standard_output_is_an_error() {
    let environment = TestEnvironment::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let run = Run::from(environment.seed_command(&["completions", "bash"]).stdout(full).output().unwrap());
    assert_snapshot!(environment.shown(&run), @"
    exit code: 1
    ----- stdout -----
    ----- stderr -----
    error[seed::cli::output]: cannot write to standard output
      cause: No space left on device (os error 28)
      help: free disk space, or check the program that reads the output
    ");
}

#[test]
fn every_shell_gets_a_script() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let shown = TestEnvironment::new().show(&["completions", shell]);
        assert!(shown.starts_with("exit code: 0") && shown.contains("plugin"), "{shell}: {shown}");
    }
}
