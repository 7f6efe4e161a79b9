//! Images of several systems: records of runs for one system each, the index over them, and the lock.

use std::fs;

use seed_tests::{Fault, HostileRegistry, TestEnvironment};
use serde_json::{Value, json};

/// The directories example for two systems.
fn two_systems() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n\n[source.directories]",
    );
    environment
}

/// The same, where runs for each system have written `x86.json` and `arm.json`.
fn recorded() -> TestEnvironment {
    let environment = two_systems();
    for (system, record) in [("x86_64-linux", "x86.json"), ("aarch64-linux", "arm.json")] {
        environment.run_json(&["--system", system, "--record", record]);
    }
    environment
}

/// Writes a record with a change.
fn change(environment: &TestEnvironment, from: &str, to: &str, change: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_str(&environment.read(from)).unwrap();
    change(&mut record);
    environment.write(to, record.to_string());
}

/// The errors of `seed index` with these records, one after the other. None of them publishes anything.
#[track_caller]
fn errors(environment: &TestEnvironment, code: i32, cases: &[&[&str]]) -> String {
    let before = environment.read("result/index.json");
    let error = |records: &&[&str]| {
        let error = environment.error(code, &[&["index", "--quiet"], *records].concat());
        format!("$ seed index {}\n{error}", records.join(" "))
    };
    let all: Vec<_> = cases.iter().map(error).collect();
    assert_eq!(environment.read("result/index.json"), before, "something was published");
    assert!(!environment.read("seed.lock").contains("[[seed]]"), "the lock was written");
    all.join("\n")
}

#[test]
fn records_become_the_index_that_one_run_makes() {
    let environment = recorded();
    let record = environment.read("arm.json");
    let lock = environment.read("seed.lock");
    assert!(!lock.contains("[[seed]]") && !lock.contains("[published]"), "{lock}");
    environment.run_json(&["--system", "aarch64-linux", "--record", "arm.json", "--locked"]);
    assert_eq!(environment.read("arm.json"), record, "equal runs write equal records");

    let composed = environment.seed(&["index", "--json", "arm.json", "x86.json"]).ok().json();
    let lock = environment.read("seed.lock");
    let index = environment.read("result/index.json");
    let whole = environment.run_json(&[]);
    assert_eq!(composed["digest"], whole["digest"]);
    assert_eq!(environment.read("result/index.json"), index);
    assert_eq!(environment.read("seed.lock"), lock);
    insta::assert_snapshot!("published", environment.redact(&lock[lock.find("[[seed]]").unwrap()..]));
    for (image, record) in whole["images"].as_array().unwrap().iter().zip(["arm.json", "x86.json"]) {
        let record: Value = serde_json::from_str(&environment.read(record)).unwrap();
        assert_eq!(image["digest"], record["manifest"]["digest"]);
        assert!(lock.contains(image["digest"].as_str().unwrap()), "{lock}");
    }
}

#[test]
fn records_that_do_not_agree() {
    let environment = recorded();
    environment.write("text.json", "not json");
    environment.write("large.json", "x".repeat((1 << 20) + 1));
    let from_x86 = |to, edit: fn(&mut Value)| change(&environment, "x86.json", to, edit);
    from_x86("newer.json", |record| record["schema"] = json!(2));
    environment.write("unknown-key.json", environment.read("x86.json").replacen('{', "{\"a\":1,", 1));
    from_x86("platform.json", |record| record["platform"]["architecture"] = json!("arm64"));
    from_x86("other.json", |record| record["name"] = json!("other"));
    from_x86("riscv.json", |record| {
        record["system"] = json!("riscv64-linux");
        record["platform"]["architecture"] = json!("riscv64");
    });
    from_x86("plugin.json", |record| {
        record["plugins"][1]["digest"] = json!(format!("sha256:{}", "0".repeat(64)));
    });
    change(&environment, "x86.json", "old.json", |record| record["variables"]["commit"] = json!("1111"));
    change(&environment, "arm.json", "new.json", |record| record["variables"]["commit"] = json!("2222"));
    insta::assert_snapshot!(
        "records_that_do_not_agree",
        errors(
            &environment,
            2,
            &[
                &["x86.json"],
                &["x86.json", "missing.json"],
                &["x86.json", "text.json"],
                &["x86.json", "large.json"],
                &["newer.json"],
                &["unknown-key.json"],
                &["platform.json"],
                &["other.json"],
                &["riscv.json"],
                &["x86.json", "arm.json", "x86.json"],
                &["old.json", "new.json"],
                &["plugin.json", "arm.json"],
            ]
        )
    );
}

#[test]
fn images_that_are_not_what_their_records_say() {
    let mut environment = recorded();
    let arm: Value = serde_json::from_str(&environment.read("arm.json")).unwrap();
    let from_x86 = |to, edit: &dyn Fn(&mut Value)| change(&environment, "x86.json", to, edit);
    from_x86("platform.json", &|record| record["manifest"] = arm["manifest"].clone());
    from_x86("layers.json", &|record| {
        record["layers"].as_array_mut().unwrap().pop();
    });
    insta::assert_snapshot!(
        "images_that_are_not_what_their_records_say",
        errors(&environment, 7, &[&["platform.json", "arm.json"], &["layers.json", "arm.json"]])
    );
    // Another machine has other images in its cache.
    let elsewhere = environment.root().join("elsewhere");
    environment.set("SEED_CACHE_DIR", elsewhere);
    insta::assert_snapshot!("no_such_image_here", errors(&environment, 7, &[&["x86.json", "arm.json"]]));
}

#[test]
fn nothing_is_published_where_the_registry_lacks_an_image() {
    let environment = recorded();
    let registry = HostileRegistry::start(Fault::ManifestError);
    let address = registry.address();
    environment.publish_to(address, "org/app", "tags = [\"v1\"], tag-latest = true");
    let error = errors(&environment, 7, &[&["x86.json", "arm.json"]]);
    insta::assert_snapshot!("missing_in_the_registry", error.replace(address, "[REGISTRY]"));
    let writes: Vec<_> =
        registry.requests().into_iter().filter(|request| !request.starts_with("GET")).collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn records_are_of_one_system_and_have_a_place() {
    let environment = two_systems();
    let error = |args: &[&str]| environment.error(2, &[&["run", "--quiet"], args].concat());
    let errors = [
        error(&["--record", "all.json"]),
        error(&["--system", "x86_64-linux", "--record", "missing/x86.json"]),
        error(&["--system", "x86_64-linux", "--record", "."]),
    ];
    insta::assert_snapshot!("records_without_a_place", errors.join("\n"));
    assert!(!environment.path("result").exists());
}

#[test]
fn the_lock_names_what_whole_runs_published() {
    let environment = two_systems();
    let part = environment.seed(&["run", "--system", "x86_64-linux"]).ok();
    assert!(part.stderr.contains("does not cover all of the pipeline's systems"), "{}", part.stderr);
    assert!(!environment.read("seed.lock").contains("[[seed]]"));

    environment.run_json(&["--no-publish"]);
    assert!(!environment.read("seed.lock").contains("[[seed]]"));

    environment.run_json(&[]);
    let lock = environment.read("seed.lock");
    assert_eq!(lock.matches("[[seed]]").count(), 2, "{lock}");

    // Digests of images change with the sources: that is no change of what decides.
    environment.write("apps/srv/www/more.html", "more");
    for args in [&["--locked"][..], &["--system", "x86_64-linux"]] {
        let run = environment.run_json(args);
        assert_eq!(run["lock"], "unchanged", "{run:#}");
        assert_eq!(environment.read("seed.lock"), lock);
    }
    assert_eq!(environment.run_json(&[])["lock"], "updated");
    assert_ne!(environment.read("seed.lock"), lock);

    // A run that fails half-way has published nothing that others should use.
    let lock = environment.read("seed.lock");
    let pipeline = environment.read("pipeline.toml");
    environment.write("apps/srv/www/more.html", "even more");
    environment.write("mine/file", "precious");
    let blocked = "\n[[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = { path = \"mine\" }\n";
    environment.write("pipeline.toml", pipeline.clone() + blocked);
    environment.seed(&["run", "--quiet"]).failed(7);
    let seeds = |lock: &str| lock[lock.find("[[seed]]").unwrap()..].to_owned();
    assert_eq!(seeds(&environment.read("seed.lock")), seeds(&lock));
    environment.write("pipeline.toml", pipeline);

    environment.write(
        "seed.lock",
        format!("{lock}\n[[seed]]\nsystem = \"x86_64-linux\"\ndigest = \"sha256:{}\"\n", "0".repeat(64)),
    );
    let error = environment.error(5, &["run", "--quiet"]);
    insta::assert_snapshot!("a_system_that_is_locked_twice", error);
}

#[test]
fn commands_need_a_locked_image_and_a_container_engine() {
    let mut environment = two_systems();
    environment.set("PATH", "/nonexistent");
    let exec = |environment: &TestEnvironment, args: &[&str], code| {
        let error = environment.error(code, &[&["exec", "--quiet"], args].concat());
        format!("$ seed exec {}\n{error}", args.join(" "))
    };
    let mut errors = vec![exec(&environment, &["--", "true"], 5)];
    environment.run_json(&[]);
    errors.push(exec(&environment, &["--system", "riscv64-linux", "--", "true"], 5));
    errors.push(exec(&environment, &["--system", "x86_64-linux", "--", "true"], 1));
    // The layout holds another image by now, and on this machine nothing else has it.
    let elsewhere = environment.root().join("elsewhere");
    environment.set("SEED_CACHE_DIR", elsewhere);
    fs::remove_file(environment.path("site.tar")).unwrap();
    environment.write("apps/srv/www/more.html", "more");
    environment.run_json(&["--locked"]);
    fs::remove_file(environment.path("site.tar")).unwrap();
    errors.push(exec(&environment, &["--system", "x86_64-linux", "--", "true"], 5));
    insta::assert_snapshot!("commands_that_cannot_be_run", errors.join("\n"));

    let several = ["--use-seed", "--system", "x86_64-linux", "--system", "aarch64-linux"];
    environment.seed(&[&["run"], &several[..]].concat()).failed(2);
}
