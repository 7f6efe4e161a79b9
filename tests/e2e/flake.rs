//! This project's flake, over a stub of nixpkgs that has the names it uses: what users type, and that an image made in a
//! Nix build is the one that `seed run` makes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use seed_tests::{Docker, Run, TestEnvironment, copy_project_flake, peer, stub_nixpkgs};

use crate::hello::{use_nix, use_nix_in_root};

/// Where the programs of a test run.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// On this machine.
    Here,
    /// In the Debian root of this suite, which sees nothing of this machine but the environment.
    Root(&'static str),
}

/// An environment with this project's flake and the stub of nixpkgs beside its working directory.
struct Project {
    environment: TestEnvironment,
    place: Place,
}

impl Project {
    fn new(place: Place) -> Self {
        let mut environment = TestEnvironment::new();
        match place {
            Place::Here => use_nix(&mut environment),
            Place::Root(_) => use_nix_in_root(&mut environment),
        }
        copy_project_flake(&environment.root().join("project"));
        stub_nixpkgs(&environment.root().join("nixpkgs"));
        Self { environment, place }
    }

    fn reference(&self, name: &str) -> String {
        format!("path:{}", self.environment.root().join(name).display())
    }

    fn command(&self, program: &str) -> Command {
        match self.place {
            Place::Here => self.environment.command(program),
            Place::Root(suite) => {
                let mut command = self.environment.command(peer(&format!("in-{suite}")));
                command.arg(self.environment.root()).arg("--chdir").arg(self.environment.work()).arg(program);
                command
            }
        }
    }

    #[track_caller]
    fn nix(&self, args: &[&str]) -> String {
        Run::of(self.command("nix").args(args)).ok().stdout
    }

    /// `seed run --json`; the program is the one that the stub of nixpkgs has.
    #[track_caller]
    fn seed_run(&self, pipeline: &str) -> serde_json::Value {
        let program = self.environment.root().join("nixpkgs/tools/seed/bin/seed");
        Run::of(self.command(program.to_str().unwrap()).args(["run", "--json", pipeline])).ok().json()
    }

    /// Starts a flake in the working directory from a template, with inputs that are here.
    fn start(&self, template: &str, inputs: &[(&str, &str)]) {
        self.nix(&["flake", "init", "--template", &format!("{}#{template}", self.reference("project"))]);
        self.lock(inputs);
    }

    fn lock(&self, inputs: &[(&str, &str)]) {
        let references: Vec<_> = inputs.iter().map(|(input, name)| (*input, self.reference(name))).collect();
        let mut args = vec!["flake", "lock"];
        for (input, reference) in &references {
            args.extend(["--override-input", input, reference]);
        }
        self.nix(&args);
    }

    /// Makes the working directory a repository with one commit.
    fn commit(&self) {
        let identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"];
        let commit = [&identity[..], &["commit", "--quiet", "--message", "Start"]].concat();
        for args in [&["init", "--quiet"][..], &["add", "--all"], &commit] {
            Run::of(self.command("git").args(args)).ok();
        }
    }

    /// The path of the link `result`, as this machine sees it.
    fn result(&self) -> PathBuf {
        let target = fs::read_link(self.environment.work().join("result")).unwrap();
        match self.place {
            Place::Here => target,
            Place::Root(_) => {
                let copy = self.environment.root().join("copy");
                Run::of(self.command("cp").arg("-r").arg(&target).arg(&copy)).ok();
                copy
            }
        }
    }
}

/// An image of the flake in the working directory, made in a build and by a run, is the same file.
fn made_in_a_build_and_by_a_run(place: Place) {
    let project = Project::new(place);
    project.start("app", &[("nixpkgs", "nixpkgs"), ("seed", "project")]);
    // With locked layers, which are in a file that a run writes.
    project.environment.replace(
        "pipeline.toml",
        "[select.config]",
        "[select]\nlayer-lock = \"layers.lock\"\n\n[select.config]",
    );
    project.seed_run("pipeline.toml");
    assert!(project.environment.work().join("layers.lock").exists());
    for file in ["app.tar", "seed.lock"] {
        fs::remove_file(project.environment.work().join(file)).unwrap();
    }
    // In a repository, so that there is a commit to note in the image.
    project.commit();
    project.nix(&["build", ".#seed"]);
    let built = fs::read(project.result()).unwrap();
    let summary = project.seed_run("pipeline.toml");
    let ran = fs::read(project.environment.work().join("app.tar")).unwrap();
    assert!(built == ran, "{place:?}: {summary:#}");
    let commit = Run::of(project.command("git").args(["rev-parse", "HEAD"])).ok().stdout;
    assert!(String::from_utf8_lossy(&built).contains(commit.trim()), "{place:?}");
}

#[test]
fn an_image_made_in_a_build_is_that_of_a_run() {
    for place in [Place::Here, Place::Root("trixie"), Place::Root("forky")] {
        made_in_a_build_and_by_a_run(place);
    }
}

#[test]
fn a_layout_and_a_registration_give_the_same_image() {
    let project = Project::new(Place::Here);
    project.start("app", &[("nixpkgs", "nixpkgs"), ("seed", "project")]);
    let digest = project.seed_run("pipeline.toml")["digest"].clone();

    let flake = format!("(builtins.getFlake \"path:{}\")", project.environment.work().display());
    let layout = format!("({flake}.packages.x86_64-linux.seed.override {{ format = \"oci-layout\"; }})");
    project.nix(&["build", "--impure", "--expr", &layout]);
    let index = fs::read_to_string(project.result().join("index.json")).unwrap();
    assert!(index.contains(digest.as_str().unwrap()), "{index}");

    let outputs = "seed: builtins.concatStringsSep \" \" (map (layer: seed.${layer}.outPath) [ \"base\" \"library\" \"apps\" ])";
    let outputs = project.nix(&["eval", "--raw", ".#seed.seedLayers", "--apply", outputs]);
    let [base, library, apps] = *outputs.split(' ').collect::<Vec<_>>() else { panic!("{outputs}") };
    let requisites =
        Run::of(project.command("nix-store").args(["--query", "--requisites", base, library, apps])).ok();
    let dump = Run::of(project.command("nix-store").arg("--dump-db").args(requisites.stdout.lines())).ok();
    project.environment.write("registration", dump.stdout);
    let closure = format!(
        "[source.closure]\ngraph = \"registration\"\noutputs = {{ base = \"{base}\", library = \"{library}\", apps = \"{apps}\" }}\n"
    );
    project.environment.replace("pipeline.toml", "[source]\nflake = \".\"\n", &closure);
    assert_eq!(project.seed_run("pipeline.toml")["digest"], digest);
}

/// This project's own, with Nix, the sources and what building takes.
#[test]
fn a_build_seed_made_in_a_build_is_that_of_a_run() {
    let project = Project::new(Place::Here);
    let environment = &project.environment;
    copy_project_flake(&environment.work());
    project.lock(&[("nixpkgs", "nixpkgs")]);
    project.commit();
    project.nix(&["build", ".#seed-build"]);

    // Outside the sources, which are in the image.
    let cacert = format!("{}#legacyPackages.x86_64-linux.cacert", project.reference("nixpkgs"));
    let pipeline = format!(
        "schema = 1\n[source]\nflake = \"git+file:{}\"\nattr = \"seed-build\"\n[seed]\nname = \"seed-build\"\nvariant = \"build\"\n\
         [select.config.env]\nSSL_CERT_FILE = \"{}/etc/ssl/certs/ca-bundle.crt\"\n\
         [[publish]]\nplugin = \"builtin:oci-layout\"\nconfig = {{ archive = \"seed-build.tar\" }}\n",
        environment.work().display(),
        project.nix(&["eval", "--raw", &cacert])
    );
    let file = environment.root().join("seed-build.toml");
    fs::write(&file, pipeline).unwrap();
    let summary = project.seed_run(file.to_str().unwrap());
    let ran = fs::read(file.with_file_name("seed-build.tar")).unwrap();
    assert!(fs::read(project.result()).unwrap() == ran, "{summary:#}");
    let layers = summary["images"][0]["layers"].as_array().unwrap().iter();
    let mut names: Vec<_> = layers.map(|layer| layer["name"].as_str().unwrap()).collect();
    names.dedup();
    assert_eq!(names[..3], ["nix", "base", "inputs"]);
}

/// No nixpkgs, and no program but the shell of Nix's sandbox.
#[test]
fn the_minimal_template_needs_nothing() {
    let project = Project::new(Place::Here);
    project.start("minimal", &[("seed", "project")]);
    let summary = project.seed_run("pipeline.toml");
    assert_eq!(summary["name"], "greeting");
    assert!(project.environment.work().join("greeting.tar").exists());
}

/// A name that nixpkgs does not have fails here.
#[test]
fn every_output_of_the_flake_evaluates() {
    let project = Project::new(Place::Here);
    let (flake, nixpkgs) = (project.reference("project"), project.reference("nixpkgs"));
    project.nix(&["flake", "check", "--no-build", &flake, "--override-input", "nixpkgs", &nixpkgs]);
    let overlay = format!(
        "let pkgs = (builtins.getFlake \"{nixpkgs}\").legacyPackages.x86_64-linux; in \
         builtins.attrNames ((builtins.getFlake \"{flake}\").overlays.default pkgs pkgs).seedTools"
    );
    let tools = project.nix(&["eval", "--impure", "--json", "--expr", &overlay]);
    assert_eq!(tools.trim(), r#"["cli","mkImage","mkPipeline","mkSeed","verify"]"#);
}

/// As the documentation has it.
#[test]
fn the_quick_start_holds_as_written() {
    let docker = Docker::start();
    let project = Project::new(Place::Here);
    project.start("app", &[("nixpkgs", "nixpkgs"), ("seed", "project")]);
    project.nix(&["build", ".#seed"]);
    assert_eq!(load(&docker, &project), "Loaded image: app:latest");
    let hello = Run::of(&mut docker.command(&["run", "--rm", "--network", "none", "app"])).ok().stdout;
    assert_eq!(hello, "Hello from my seed!\n");

    // The same in this project.
    copy_project_flake(&project.environment.work());
    project.lock(&[("nixpkgs", "nixpkgs")]);
    project.nix(&["build", ".#seed"]);
    assert_eq!(load(&docker, &project), "Loaded image: seed:latest");
    let list = Run::of(&mut docker.command(&["image", "list"])).ok().stdout;
    assert!(list.lines().any(|line| line.starts_with("seed ") && line.contains(" latest ")), "{list}");
    let version = project.nix(&["run", ".#seed", "--", "--version"]);
    assert!(version.starts_with("seed "), "{version}");
    let help = project.nix(&["run", ".#verify", "--", "--help"]);
    assert!(help.contains("seed verify"), "{help}");
}

/// Loads the archive `result` of `project`, and returns what Docker says.
#[track_caller]
fn load(docker: &Docker, project: &Project) -> String {
    let result = fs::File::open(project.environment.work().join("result")).unwrap();
    Run::of(docker.command(&["load"]).stdin(result)).ok().stdout.trim().to_owned()
}
