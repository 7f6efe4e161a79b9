//! The same sources give the same digests, wherever and by whoever `seed` is run.

use seed_tests::{Run, TestEnvironment, seed_program};
use serde_json::Value;

/// Runs the directories example with these variables, umask and threads; gives image digest and layer digests.
fn digests(variables: &[(&str, &str)], umask: &str, threads: &str) -> (Value, Value) {
    let mut environment = TestEnvironment::with_example("directories");
    for (name, value) in variables {
        environment.set(name, value);
    }
    let mut command = environment.command("sh");
    command
        .args(["-c", "umask $1; exec \"$2\" run --json --threads $3", "sh", umask])
        .arg(seed_program())
        .arg(threads);
    let summary = Run::of(&mut command).ok().json();
    let layers = summary["images"][0]["layers"].as_array().unwrap();
    let digests = layers.iter().map(|layer| layer["digest"].clone()).collect();
    (summary["digest"].clone(), Value::Array(digests))
}

#[test]
fn directory_umask_zone_locale_and_threads_do_not_count() {
    let usual = digests(&[], "022", "1");
    let other = digests(
        &[("TZ", "Pacific/Kiritimati"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")],
        "077",
        "8",
    );
    assert_eq!(usual, other);
}

#[test]
fn times_and_permissions_of_the_sources_do_not_count() {
    let usual = digests(&[], "022", "2");
    let environment = TestEnvironment::with_example("directories");
    Run::of(
        environment
            .command("sh")
            .args(["-c", "chmod -R go-rwx,u+w . && find . -exec touch -d 2001-02-03 {} +"]),
    )
    .ok();
    assert_eq!(environment.run_json(&[])["digest"], usual.0);
}

#[test]
fn a_change_of_one_byte_changes_one_layer() {
    let environment = TestEnvironment::with_example("directories");
    let before = environment.run_json(&[]);
    environment.replace("library/srv/www/assets/style.css", "40rem", "41rem");
    let after = environment.run_json(&[]);
    assert_ne!(before["digest"], after["digest"]);
    let layers = |summary: &Value| -> Vec<(Value, Value)> {
        let layers = summary["images"][0]["layers"].as_array().unwrap();
        layers.iter().map(|layer| (layer["name"].clone(), layer["digest"].clone())).collect()
    };
    let changed: Vec<_> =
        layers(&after).into_iter().filter(|layer| !layers(&before).contains(layer)).collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!(changed[0].0, "library");
}
