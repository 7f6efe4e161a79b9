//! The action and the workflows are valid by GitHub's schemas, and keep the rules that keep them safe.

use std::fs;
use std::path::{Path, PathBuf};

use seed_tests::{read_yaml, repository};
use serde_json::Value;

fn validator(name: &str) -> jsonschema::Validator {
    let path = repository().join("tests/fixtures/github-schemas").join(name);
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

/// This project's workflows, and those for users.
fn workflows() -> Vec<(PathBuf, Value)> {
    let directories = [".github/workflows", "examples/workflows"].map(|name| repository().join(name));
    let entries = directories.iter().flat_map(|directory| fs::read_dir(directory).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut all: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| (path.clone(), read_yaml(&path)))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(all.len() >= 4);
    all
}

#[track_caller]
fn check(validator: &jsonschema::Validator, path: &Path, document: &Value) {
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
}

/// Every step of a workflow or of a composite action.
fn steps(document: &Value) -> Vec<&Value> {
    let jobs = document["jobs"].as_object().into_iter().flat_map(|jobs| jobs.values());
    let owners = jobs.chain([&document["runs"]]);
    owners.filter_map(|owner| owner["steps"].as_array()).flatten().collect()
}

#[test]
fn they_are_valid_by_the_published_schemas() {
    let (action, workflow) = (validator("github-action.json"), validator("github-workflow.json"));
    assert!(!action.is_valid(&serde_json::json!({"name": "x"})), "the schema refuses nothing");
    assert!(!workflow.is_valid(&serde_json::json!({"on": "push"})), "the schema refuses nothing");
    let path = repository().join("action.yml");
    check(&action, &path, &read_yaml(&path));
    for (path, document) in workflows() {
        check(&workflow, &path, &document);
    }
}

#[test]
fn no_script_holds_an_expression_and_every_action_is_pinned() {
    let action = repository().join("action.yml");
    for (path, document) in workflows().into_iter().chain([(action.clone(), read_yaml(&action))]) {
        let steps = steps(&document);
        assert!(!steps.is_empty(), "{}", path.display());
        for step in steps {
            // An expression in a script becomes part of the script, whatever its value holds.
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{}: {script}", path.display());
            let Some(uses) = step["uses"].as_str() else { continue };
            let (name, version) = uses.split_once('@').unwrap();
            let is_commit = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit || name == "seed-oci/seed", "{}: {uses}", path.display());
        }
        let may_write_all = document["permissions"] == "write-all";
        assert!(!may_write_all, "{}", path.display());
    }
}

#[test]
fn workflows_for_users_give_the_action_inputs_that_it_has() {
    let action = read_yaml(&repository().join("action.yml"));
    let mut uses = 0;
    for (path, document) in workflows() {
        for step in steps(&document) {
            if !step["uses"].as_str().is_some_and(|uses| uses.starts_with("seed-oci/seed@")) {
                continue;
            }
            uses += 1;
            for input in step["with"].as_object().into_iter().flat_map(|with| with.keys()) {
                assert!(action["inputs"][input].is_object(), "{}: {input}", path.display());
            }
        }
    }
    assert!(uses >= 2);
}

#[test]
fn every_input_and_output_is_documented() {
    let action = read_yaml(&repository().join("action.yml"));
    let text = fs::read_to_string(repository().join("docs/github-action.md")).unwrap();
    for section in ["inputs", "outputs"] {
        for (name, declared) in action[section].as_object().unwrap() {
            let row = text.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
            let row = row.unwrap_or_else(|| panic!("docs/github-action.md has no row for `{name}`"));
            if let Some(default) = declared["default"].as_str().filter(|default| !default.is_empty()) {
                assert!(row.contains(&format!("| `{default}` |")), "{row}: the default is {default}");
            }
        }
    }
}
