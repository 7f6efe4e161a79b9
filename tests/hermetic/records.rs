//! Records that somebody changed on their way to `seed index`: nobody chooses that way what is signed.

use seed_tests::TestEnvironment;
use serde_json::{Value, json};

const RECORDS: [(&str, &str); 2] = [("x86_64-linux", "x86.json"), ("aarch64-linux", "arm.json")];

/// The directories example for two systems, signed.
fn signed() -> TestEnvironment {
    let environment = TestEnvironment::with_example("directories");
    environment.replace(
        "pipeline.toml",
        "[source.directories]",
        "[source]\nsystems = [\"x86_64-linux\", \"aarch64-linux\"]\n\n[source.directories]",
    );
    environment.sign_with("release");
    environment
}

/// Runs for each system, with records.
fn record(environment: &TestEnvironment, more: &[&str]) {
    for (system, record) in RECORDS {
        environment.run_json(&[&["--system", system, "--record", record], more].concat());
    }
}

/// Writes a record with a change.
fn change(environment: &TestEnvironment, from: &str, to: &str, change: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_str(&environment.read(from)).unwrap();
    change(&mut record);
    environment.write(to, record.to_string());
}

/// The error of `seed index` with these arguments, which publishes nothing.
#[track_caller]
fn refused(environment: &TestEnvironment, code: i32, arguments: &[&str]) -> String {
    let before = environment.read("result/index.json");
    let error = environment.error(code, &[&["index", "--quiet"], arguments].concat());
    assert_eq!(environment.read("result/index.json"), before, "something was published");
    assert!(!environment.read("seed.lock").contains("[[seed]]"), "the lock was written");
    error
}

#[test]
fn a_record_that_was_changed_is_refused() {
    let environment = signed();
    record(&environment, &[]);
    let old: Value = serde_json::from_str(&environment.read("x86.json")).unwrap();
    environment.write("apps/srv/www/index.html", "a fixed hole\n");
    record(&environment, &[]);
    // The cache has the old image still, as a registry would: all that the record says of it is right.
    let from = |to: &str, edit: &dyn Fn(&mut Value)| change(&environment, "x86.json", to, edit);
    from("older.json", &|record| {
        for key in ["manifest", "layers", "closure"] {
            record[key] = old[key].clone();
        }
    });
    from("unsigned.json", &|record| drop(record.as_object_mut().unwrap().remove("signatures")));
    from("variables.json", &|record| record["variables"]["version"] = json!("9.9"));
    from("garbage.json", &|record| record["signatures"][0]["signature"] = json!("!"));
    from("renamed.json", &|record| record["signatures"][0]["key"] = json!("another"));
    change(&environment, "arm.json", "swapped.json", |record| {
        record["signatures"] = old["signatures"].clone();
    });
    let records = [
        &["older.json", "arm.json"],
        &["unsigned.json", "arm.json"],
        &["variables.json", "arm.json"],
        &["garbage.json", "arm.json"],
        &["renamed.json", "arm.json"],
        &["x86.json", "swapped.json"],
    ];
    let errors: Vec<_> = records.into_iter().map(|records| refused(&environment, 6, records)).collect();
    insta::assert_snapshot!(errors.join("\n"));

    // As it is, it passes, in another order and on another machine of the same pipeline.
    let composed = environment.seed(&["index", "--json", "arm.json", "x86.json"]).ok().json();
    assert_eq!(composed["digest"], environment.run_json(&[])["digest"]);
}

#[test]
fn a_record_of_another_key_is_refused() {
    let environment = signed();
    record(&environment, &[]);
    environment.make_key("release");
    let error = refused(&environment, 6, &["x86.json", "arm.json"]);
    assert!(error.contains("seed::index::signature"), "{error}");
}

#[test]
fn a_record_of_another_run_is_refused() {
    let environment = signed();
    record(&environment, &["--run", "41"]);
    let errors = [
        refused(&environment, 2, &["x86.json", "arm.json"]),
        refused(&environment, 2, &["--run", "42", "x86.json", "arm.json"]),
    ];
    insta::assert_snapshot!(errors.join("\n"));
    // The run's name is signed, too.
    for (_, record) in RECORDS {
        change(&environment, record, record, |record| record["run"] = json!("42"));
    }
    let error = refused(&environment, 6, &["--run", "42", "x86.json", "arm.json"]);
    assert!(error.contains("seed::index::signature"), "{error}");
    for (_, record) in RECORDS {
        change(&environment, record, record, |record| record["run"] = json!("41"));
    }
    environment.seed(&["index", "--json", "--run", "41", "arm.json", "x86.json"]).ok();
}
