//! Runs a composite action's steps as GitHub's runner does, as far as this project's action needs it: inputs are
//! texts, steps are scripts for bash, and files carry what a step hands on. All else is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::environment::TestEnvironment;
use crate::repository::repository;
use crate::run::Run;

type Texts = BTreeMap<String, String>;

/// An action: a directory with an `action.yml`.
#[derive(Debug)]
pub struct Action {
    directory: PathBuf,
    document: Value,
}

/// What came of a job's step that uses an action.
#[derive(Debug)]
pub struct Job {
    /// The exit code of the last of the action's steps that ran.
    pub code: Option<i32>,
    /// All that the steps printed.
    pub log: String,
    /// The action's outputs.
    pub outputs: Texts,
    /// The job's summary.
    pub summary: String,
    /// Variables that the steps set for the rest of the job.
    pub variables: Texts,
}

impl Job {
    /// The same, which must be a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.log);
        self
    }
}

impl Action {
    /// The action of this project.
    pub fn load() -> Self {
        let directory = repository();
        let document = read_yaml(&directory.join("action.yml"));
        assert_eq!(document["runs"]["using"], "composite");
        Self { directory, document }
    }

    /// Runs the steps in the working directory of `environment`, whose variables are the runner's, with these inputs.
    pub fn run(&self, environment: &TestEnvironment, with: &[(&str, &str)]) -> Job {
        let files = tempfile::tempdir_in(environment.root()).unwrap();
        let file = |name: &str| files.path().join(name);
        fs::create_dir_all(runner_temp(environment)).unwrap();
        let (mut log, mut code) = (String::new(), None);
        let (mut variables, mut path, mut steps) = (Texts::new(), Vec::new(), BTreeMap::new());
        let inputs = self.inputs(with);
        for (index, step) in self.document["runs"]["steps"].as_array().unwrap().iter().enumerate() {
            let script = file(&format!("{index}.sh"));
            fs::write(&script, script_of(step)).unwrap();
            let mut command = environment.command("bash");
            command.args(["--noprofile", "--norc", "-e", "-o", "pipefail"]).arg(&script);
            command.envs(&variables).env("PATH", search_path(environment, &path));
            command.env("GITHUB_ACTION_PATH", &self.directory).env("RUNNER_TEMP", runner_temp(environment));
            for name in ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"] {
                // The summary goes on; the others are read after each step.
                let own =
                    if name == "GITHUB_STEP_SUMMARY" { file(name) } else { file(&format!("{name}{index}")) };
                fs::OpenOptions::new().append(true).create(true).open(&own).unwrap();
                command.env(name, own);
            }
            for (name, value) in step["env"].as_object().into_iter().flatten() {
                command.env(name, evaluate(value.as_str().unwrap(), &inputs, &steps));
            }
            let run = Run::of(&mut command);
            log.extend([run.stdout, run.stderr]);
            code = run.code;
            variables.extend(read_assignments(&file(&format!("GITHUB_ENV{index}"))));
            let added = fs::read_to_string(file(&format!("GITHUB_PATH{index}"))).unwrap();
            path.extend(added.lines().map(str::to_owned));
            if let Some(id) = step["id"].as_str() {
                steps.insert(id.to_owned(), read_assignments(&file(&format!("GITHUB_OUTPUT{index}"))));
            }
            if code != Some(0) {
                break;
            }
        }
        let outputs = self.document["outputs"].as_object().unwrap().iter();
        let outputs = outputs.map(|(name, output)| {
            (name.clone(), evaluate(output["value"].as_str().unwrap(), &inputs, &steps))
        });
        let summary = fs::read_to_string(file("GITHUB_STEP_SUMMARY")).unwrap();
        Job { code, log, outputs: outputs.collect(), summary, variables }
    }

    /// The given inputs, and the defaults of the others.
    fn inputs(&self, with: &[(&str, &str)]) -> Texts {
        let declared = self.document["inputs"].as_object().unwrap();
        let default = |(name, input): (&String, &Value)| {
            (name.clone(), input["default"].as_str().unwrap_or_default().to_owned())
        };
        let mut inputs: Texts = declared.iter().map(default).collect();
        for (name, value) in with {
            let given = inputs.insert((*name).to_owned(), (*value).to_owned());
            assert!(given.is_some(), "the action has no input {name}");
        }
        inputs
    }
}

/// What the runner removes after a job.
pub fn runner_temp(environment: &TestEnvironment) -> PathBuf {
    environment.root().join("runner-temp")
}

/// A YAML file.
pub fn read_yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn script_of(step: &Value) -> &str {
    let known = ["name", "id", "shell", "env", "run"];
    let unknown: Vec<_> =
        step.as_object().unwrap().keys().filter(|key| !known.contains(&key.as_str())).collect();
    assert!(unknown.is_empty(), "this runner does not know {unknown:?}");
    assert_eq!(step["shell"], "bash");
    let script = step["run"].as_str().unwrap();
    assert!(!script.contains("${{"), "an expression in a script would be run: {script}");
    script
}

fn search_path(environment: &TestEnvironment, added: &[String]) -> String {
    let inherited = environment.variable("PATH");
    let all = added.iter().rev().map(String::as_str).chain([inherited.as_str()]);
    all.collect::<Vec<_>>().join(":")
}

/// A text with the values of its expressions `inputs.NAME` and `steps.ID.outputs.NAME`.
fn evaluate(text: &str, inputs: &Texts, steps: &BTreeMap<String, Texts>) -> String {
    let Some((before, rest)) = text.split_once("${{") else { return text.to_owned() };
    let (expression, after) = rest.split_once("}}").unwrap();
    let words: Vec<_> = expression.trim().split('.').collect();
    let value = match words.as_slice() {
        ["inputs", name] => inputs.get(*name).cloned(),
        // What no step set is empty.
        ["steps", id, "outputs", name] => {
            Some(steps.get(*id).and_then(|outputs| outputs.get(*name)).cloned().unwrap_or_default())
        }
        _ => None,
    };
    let value = value.unwrap_or_else(|| panic!("this runner does not know the expression `{expression}`"));
    format!("{before}{value}{}", evaluate(after, inputs, steps))
}

/// The lines `NAME=VALUE`, and `NAME<<END` up to a line `END`, of a file that carries values.
fn read_assignments(path: &Path) -> Texts {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let mut all = Texts::new();
    while let Some(line) = lines.next() {
        let delimited = line.split_once("<<").filter(|(name, _)| !name.contains('='));
        let (name, value) = if let Some((name, end)) = delimited {
            let value: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
            (name, value.join("\n"))
        } else {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{line:?}"));
            (name, value.to_owned())
        };
        all.insert(name.to_owned(), value);
    }
    all
}
