//! The plugin as a whole: from a closure to a plan.

use seed_plugin::Platform;
use seed_plugin::selector::{
    EntryKind, Installable, Output, OutputRequest, Part, Path, SourceKind, VariantKind,
};

use super::*;

const MIB: u64 = 1 << 20;

/// A closure: paths as (name, size, references), outputs as (layer, roots). Names become store paths.
fn closure(paths: &[(&str, u64, &[u32])], outputs: &[(&str, &[u32])]) -> Closure {
    let path = |(name, nar_size, references): &(&str, u64, &[u32])| Path {
        store_path: format!("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-{name}"),
        nar_hash: [0; 32],
        nar_size: *nar_size,
        references: references.to_vec(),
    };
    let output =
        |(layer, roots): &(&str, &[u32])| Output { layer: (*layer).to_owned(), roots: roots.to_vec() };
    Closure::new(paths.iter().map(path), outputs.iter().map(output).collect())
}

fn request(layers: &[&str], variant: VariantKind) -> SelectRequest {
    let offer = |layer: &&str| OutputRequest {
        layer: (*layer).to_owned(),
        installables: vec![Installable { attribute: (*layer).to_owned(), part: Part::DefaultOutput }],
    };
    SelectRequest {
        config: "{}".to_owned(),
        name: "hello".to_owned(),
        system: "x86_64-linux".to_owned(),
        platform: Platform { os: "linux".to_owned(), architecture: "amd64".to_owned(), variant: None },
        variant,
        source: SourceKind::Flake,
        available: layers.iter().map(offer).collect(),
        variables: vec![("commit".to_owned(), "c0ffee".to_owned())],
        layer_lock: None,
    }
}

fn config(json: serde_json::Value) -> Config {
    serde_json::from_value(json).unwrap()
}

fn bare() -> Config {
    config(serde_json::json!({"users": false, "tmp": false}))
}

/// `name: indices` per layer.
fn summary(plan: &ImagePlan) -> Vec<String> {
    plan.layers.iter().map(|layer| format!("{}: {:?}", layer.name, layer.paths)).collect()
}

/// base ← library ← apps, with a shared path that only library and apps name.
fn example() -> Closure {
    closure(
        &[
            ("app-1.0", 10, &[1, 2]),
            ("glibc-2.40", 30 * MIB, &[1]),
            ("openssl-3", 8 * MIB, &[1]),
            ("bash-5.2", MIB, &[1]),
        ],
        &[("base", &[3]), ("library", &[2]), ("apps", &[0])],
    )
}

#[test]
fn chooses_by_variant_in_the_standard_order() {
    let names = |variant| {
        let request = request(&["overlays", "apps", "base", "checks"], variant);
        outputs::choose(&Config::default(), &request)
            .unwrap()
            .into_iter()
            .map(|o| o.layer)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(VariantKind::Runtime), ["base", "apps"]);
    assert_eq!(names(VariantKind::Build), ["base", "apps", "checks", "overlays"]);
}

#[test]
fn puts_nix_and_the_inputs_where_they_disturb_least() {
    let request = request(&["apps", "inputs", "base", "nix"], VariantKind::Build);
    let chosen = outputs::choose(&Config::default(), &request).unwrap();
    let names: Vec<_> = chosen.iter().map(|output| output.layer.as_str()).collect();
    assert_eq!(names, ["nix", "base", "inputs", "apps"]);
}

#[test]
fn takes_the_layers_that_the_configuration_names() {
    let request = request(&["base", "models"], VariantKind::Runtime);
    let chosen =
        outputs::choose(&config(serde_json::json!({"layers": ["models", "base"]})), &request).unwrap();
    assert_eq!(chosen[0].layer, "models");

    let error =
        outputs::choose(&config(serde_json::json!({"layers": ["base", "model"]})), &request).unwrap_err();
    assert_eq!(error.message, "the source offers no layer `model`");
    assert_eq!(error.help.as_deref(), Some("did you mean `models`? it offers `base`, `models`"));
    assert_eq!(error.config_path.as_deref(), Some("/layers/1"));
}

#[test]
fn refuses_a_layer_that_is_not_standard() {
    let error =
        outputs::choose(&Config::default(), &request(&["base", "app"], VariantKind::Runtime)).unwrap_err();
    assert_eq!(error.message, "the source offers `app`, which is not a standard layer");
    assert!(error.help.unwrap().starts_with("did you mean `apps`? rename it to one of base, library, apps"));
}

/// An output per layer, of one derivation.
fn split(layers: &[&str], variant: VariantKind) -> SelectRequest {
    let mut request = request(layers, variant);
    for offer in &mut request.available {
        offer.installables[0] =
            Installable { attribute: "seed".to_owned(), part: Part::Output(offer.layer.clone()) };
    }
    request
}

#[test]
fn refuses_a_split_derivation_that_lacks_an_output() {
    let error =
        outputs::choose(&Config::default(), &split(&["base", "apps"], VariantKind::Runtime)).unwrap_err();
    assert_eq!(error.message, "the derivation `seed` has no output `library`");
    assert!(
        error
            .help
            .unwrap()
            .starts_with("it has `base`, `apps`; `mkSeed` makes one output per standard layer")
    );

    let runtime = ["base", "library", "apps"];
    assert!(outputs::choose(&Config::default(), &split(&runtime, VariantKind::Runtime)).is_ok());
    let mut build = split(&runtime, VariantKind::Build);
    build.available.extend(request(&["nix", "inputs"], VariantKind::Build).available);
    let error = outputs::choose(&Config::default(), &build).unwrap_err();
    assert_eq!(error.message, "the derivation `seed` has no output `checks`");
    let listed = config(serde_json::json!({"layers": ["base", "apps"]}));
    assert!(outputs::choose(&listed, &split(&["base", "apps"], VariantKind::Runtime)).is_ok());
}

#[test]
fn says_how_to_take_a_plain_package() {
    let help = |outputs: &[&str]| {
        let request = split(outputs, VariantKind::Runtime);
        outputs::choose(&Config::default(), &request).unwrap_err().help.unwrap()
    };
    let plain =
        "`seed` is a plain package: instead of `attr`, write a table `[layers]` with `apps = [\"seed\"]`";
    assert_eq!(help(&["out"]), plain);
    assert_eq!(help(&["dev", "out"]), plain);
    // One derivation that means its outputs as layers, and misnames one.
    assert!(
        help(&["base", "app"]).starts_with("did you mean `apps`? rename it to one of base, library, apps")
    );
}

#[test]
fn refuses_a_source_with_nothing_to_take() {
    let error = outputs::choose(&Config::default(), &request(&["checks"], VariantKind::Runtime)).unwrap_err();
    assert_eq!(error.message, "the source offers none of the layers base, library, apps");
    assert_eq!(error.help.as_deref(), Some("it offers `checks`"));
    let error = outputs::choose(&Config::default(), &request(&[], VariantKind::Runtime)).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("it offers no layers"));
}

#[test]
fn gives_each_path_to_the_first_layer_that_reaches_it() {
    let plan =
        plan(&bare(), &request(&["base", "library", "apps"], VariantKind::Runtime), &example()).unwrap();
    assert_eq!(summary(&plan), ["base: [1]", "base: [3]", "library: [2]", "apps: [0]"]);
}

#[test]
fn keeps_within_the_budget_and_the_boundaries() {
    let request = request(&["base", "library", "apps"], VariantKind::Runtime);
    let plan_for = |max: usize| {
        plan(
            &config(serde_json::json!({"users": false, "tmp": false, "max-layers": max})),
            &request,
            &example(),
        )
    };
    assert_eq!(summary(&plan_for(3).unwrap()), ["base: [1, 3]", "library: [2]", "apps: [0]"]);
    assert_eq!(summary(&plan_for(4).unwrap()), ["base: [1]", "base: [3]", "library: [2]", "apps: [0]"]);
    let error = plan_for(2).unwrap_err();
    assert_eq!(error.message, "`max-layers` is 2, but this image needs at least 3 layers");
    assert_eq!(error.help.as_deref(), Some("set `max-layers` to 3 or more"));
}

#[test]
fn keeps_to_the_budget_and_gives_no_small_path_a_layer_of_its_own() {
    let paths: Vec<(String, u64)> = (0..200_u64).map(|i| (format!("p{i}-1"), (i % 7) * MIB / 2)).collect();
    let paths: Vec<(&str, u64, &[u32])> =
        paths.iter().map(|(name, size)| (name.as_str(), *size, &[][..])).collect();
    let roots: Vec<u32> = (0..200).collect();
    let closure = closure(&paths, &[("base", &roots)]);
    let plan = plan(&bare(), &request(&["base"], VariantKind::Runtime), &closure).unwrap();
    assert_eq!(plan.layers.len(), 64);
    let mut all: Vec<u32> = plan.layers.iter().flat_map(|layer| layer.paths.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, roots, "each path stands once");
    let single = |layer: &Layer| layer.paths.len() == 1 && closure.nar_size(layer.paths[0]) < 2 * MIB;
    assert!(!plan.layers.iter().any(single));
}

#[test]
fn ends_where_paths_refer_to_each_other() {
    let closure = closure(&[("a", 1, &[1]), ("b", 1, &[0, 1])], &[("apps", &[0])]);
    let plan = plan(&bare(), &request(&["apps"], VariantKind::Runtime), &closure).unwrap();
    assert_eq!(summary(&plan), ["apps: [0, 1]"]);
}

#[test]
fn makes_a_path_of_the_packages_that_a_seed_file_lists() {
    let mut request = request(&["base", "apps"], VariantKind::Runtime);
    for offer in &mut request.available {
        offer.installables =
            vec![Installable { attribute: "seed".to_owned(), part: Part::Output(offer.layer.clone()) }];
    }
    let closure = closure(
        &[
            ("app-1.0", 9, &[1]),
            ("bash-5.2", 9, &[]),
            ("hello-seed-apps", 1, &[0]),
            ("hello-seed-base", 1, &[1]),
        ],
        &[("base", &[3]), ("apps", &[2])],
    );
    let plan = plan(&bare(), &request, &closure).unwrap();
    let store = "/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f";
    assert_eq!(plan.config.env, [format!("PATH={store}-app-1.0/bin:{store}-bash-5.2/bin:/bin")]);
}

#[test]
fn writes_the_users_environment_sorted_and_lets_it_replace_path() {
    let request = request(&["base"], VariantKind::Runtime);
    let config = config(serde_json::json!({"env": {"Z": "1", "PATH": "/x", "A": ""}}));
    let plan = plan(&config, &request, &closure(&[("a", 1, &[])], &[("base", &[0])])).unwrap();
    assert_eq!(plan.config.env, ["A=", "PATH=/x", "Z=1"]);
}

#[test]
fn makes_entries_and_resolves_links() {
    let request = request(&["base", "library", "apps"], VariantKind::Runtime);
    let config =
        config(serde_json::json!({"links": {"/bin/sh": "bash/bin/bash", "/etc/group": "/dev/null"}}));
    let plan = plan(&config, &request, &example()).unwrap();
    let top = plan.layers.last().unwrap();
    assert_eq!((top.name.as_str(), top.paths.len()), ("apps", 0));
    let shown: Vec<_> = top.entries.iter().map(|e| (e.path.as_str(), e.mode)).collect();
    assert_eq!(shown, [("/bin/sh", 0o777), ("/etc/group", 0o777), ("/etc/passwd", 0o644), ("/tmp", 0o1777)]);
    assert_eq!(
        top.entries[0].kind,
        EntryKind::Symlink("/nix/store/0c0ffee0c0ffee0c0ffee0c0ffee0c0f-bash-5.2/bin/bash".to_owned())
    );
}

#[test]
fn refuses_a_link_to_a_package_that_is_missing_or_ambiguous() {
    let request = request(&["base"], VariantKind::Runtime);
    let closure = closure(&[("bash-5.1", 1, &[]), ("bash-5.2", 1, &[])], &[("base", &[0, 1])]);
    let error = |target: &str| {
        plan(&config(serde_json::json!({"links": {"/bin/sh": target}})), &request, &closure).unwrap_err()
    };
    assert_eq!(
        error("zsh/bin/zsh").message,
        "the link `/bin/sh` refers to package `zsh`, which is not in the closure"
    );
    assert_eq!(
        error("bash/bin/sh").message,
        "the link `/bin/sh` refers to package `bash`, which the closure has more than once"
    );
    assert_eq!(error("bash/bin/sh").config_path.as_deref(), Some("/links/~1bin~1sh"));
}

#[test]
fn annotates_with_what_is_known() {
    let request = request(&["base"], VariantKind::Runtime);
    let config = config(serde_json::json!({"annotations": {"org.opencontainers.image.title": "Mine"}}));
    let plan = plan(&config, &request, &closure(&[("a", 1, &[])], &[("base", &[0])])).unwrap();
    let expected =
        [("org.opencontainers.image.revision", "c0ffee"), ("org.opencontainers.image.title", "Mine")];
    assert_eq!(plan.annotations, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
}

#[test]
fn tells_the_shortest_chain_to_a_path() {
    let closure = closure(
        &[("a", 1, &[1, 2]), ("b", 1, &[3]), ("c", 1, &[3]), ("d", 1, &[0, 3]), ("e", 1, &[])],
        &[("library", &[2]), ("apps", &[0])],
    );
    assert_eq!(chain(&closure, 3).unwrap(), "library → c → d");
    assert_eq!(chain(&closure, 1).unwrap(), "apps → a → b");
    assert_eq!(chain(&closure, 4), None);
}

#[test]
fn images_for_darwin_carry_outputs_only() {
    let mut darwin = request(
        &["nix", "base", "library", "apps", "inputs", "checks", "devShells", "overlays"],
        VariantKind::Build,
    );
    darwin.system = "aarch64-darwin".to_owned();
    darwin.platform = Platform { os: "darwin".to_owned(), architecture: "arm64".to_owned(), variant: None };
    let chosen = choose(&Config::default(), &darwin).unwrap();
    let layers: Vec<_> = chosen.iter().map(|output| output.layer.as_str()).collect();
    assert_eq!(layers, STANDARD);

    let plain = plan(&Config::default(), &darwin, &example()).unwrap();
    assert!(plain.layers.iter().all(|layer| layer.entries.is_empty()), "{plain:?}");
    assert!(plain.config.env.is_empty() && plain.notes.is_empty(), "{plain:?}");

    let asked = config(serde_json::json!({
        "entrypoint": ["/bin/app"], "env": {"A": "1"}, "links": {"/bin/sh": "nowhere/bin/sh"}, "labels": {"a": "b"}
    }));
    let reduced = plan(&asked, &darwin, &example()).unwrap();
    assert_eq!(reduced.layers, plain.layers);
    assert!(reduced.config.entrypoint.is_empty() && reduced.config.env.is_empty(), "{reduced:?}");
    assert_eq!(reduced.config.labels, [("a".to_owned(), "b".to_owned())]);
    assert_eq!(
        reduced.notes[0].message,
        "images for aarch64-darwin hold only store paths: ignored `entrypoint`, `env`, `links`"
    );
}

/// A closure for a build seed.
fn build_closure(shell: &str) -> Closure {
    closure(
        &[
            (shell, 10, &[]),
            ("nix-2.8", 10, &[]),
            ("source", 10, &[]),
            ("app-1.0", 10, &[0]),
            // Something that only builds take; not what `base` brings.
            ("bash-interactive-5.2", 10, &[]),
        ],
        &[("nix", &[1]), ("base", &[0]), ("inputs", &[2, 0, 4]), ("apps", &[3])],
    )
}

fn build_request() -> SelectRequest {
    request(&["nix", "base", "inputs", "apps"], VariantKind::Build)
}

#[test]
fn a_build_seed_makes_nix_ready() {
    let plan = plan(&Config::default(), &build_request(), &build_closure("busybox-1.35")).unwrap();
    let entries = &plan.layers.last().unwrap().entries;
    let modes: Vec<(u32, &str)> = entries.iter().map(|entry| (entry.mode, entry.path.as_str())).collect();
    let hash = "0c0ffee0c0ffee0c0ffee0c0ffee0c0f";
    let roots = ["busybox-1.35", "nix-2.8", "source", "app-1.0", "bash-interactive-5.2"]
        .map(|name| format!("/nix/var/nix/gcroots/seed/{hash}-{name}"));
    for path in ["/nix/store", "/nix/var/log", "/nix/var/nix", "/nix/var/nix/gcroots", "/tmp"] {
        assert!(modes.contains(&(0o1777, path)), "{path}: {modes:?}");
    }
    for path in roots {
        assert!(modes.contains(&(0o777, &path)), "{path}: {modes:?}");
    }
    for seldom in
        [(0o555, "/nix/seed/enter"), (0o444, "/nix/seed/registration"), (0o777, "/bin/sh"), (0o700, "/root")]
    {
        assert!(modes.contains(&seldom), "{seldom:?}: {modes:?}");
    }
    let shell = EntryKind::Symlink(format!("/nix/store/{hash}-busybox-1.35/bin/sh"));
    assert!(entries.iter().any(|entry| entry.path == "/bin/sh" && entry.kind == shell));
    let content = |path: &str| match &entries.iter().find(|entry| entry.path == path).unwrap().kind {
        EntryKind::File(content) => String::from_utf8(content.clone()).unwrap(),
        _ => panic!("{path} is no file"),
    };
    assert!(content("/nix/seed/enter").contains("-nix-2.8/bin/nix-store' --load-db"));
    assert!(content("/etc/nix/nix.conf").contains("\nsubstitute = false\n"));
    let listed: Vec<Vec<u32>> = content("/nix/seed/layers")
        .lines()
        .map(|line| line.split_whitespace().map(|number| number.parse().unwrap()).collect())
        .collect();
    assert_eq!(listed, plan.layers.iter().map(|layer| layer.paths.clone()).collect::<Vec<_>>());
    assert_eq!(
        (plan.config.entrypoint, plan.config.cmd),
        (vec!["/nix/seed/enter".to_owned()], vec!["/bin/sh".to_owned()])
    );
    assert!(plan.annotations.contains(&("io.github.seed-oci.variant".to_owned(), "build".to_owned())));
}

#[test]
fn a_build_seed_runs_what_it_is_told_through_its_entrypoint() {
    let config = config(serde_json::json!({
        "entrypoint": ["/bin/make"], "substitute": true, "links": {"/bin/sh": "app/bin/shell"}
    }));
    let plan = plan(&config, &build_request(), &build_closure("zsh-5")).unwrap();
    assert_eq!(plan.config.entrypoint, ["/nix/seed/enter", "/bin/make"]);
    assert!(plan.config.cmd.is_empty());
    let entries = &plan.layers.last().unwrap().entries;
    let has = |path: &str, text: &str| {
        entries.iter().any(|entry| {
            entry.path == path
                && match &entry.kind {
                    EntryKind::File(content) => String::from_utf8_lossy(content).contains(text),
                    EntryKind::Symlink(target) => target.contains(text),
                    _ => false,
                }
        })
    };
    assert!(has("/etc/nix/nix.conf", "\nsubstitute = true\n") && has("/bin/sh", "-app-1.0/bin/shell"));
}

#[test]
fn nix_may_be_an_output_of_a_split_derivation() {
    let closure = closure(
        &[("seed-nix", 1, &[1, 2]), ("man-db-2", 10, &[]), ("nix-2.8", 10, &[]), ("busybox-1.35", 10, &[])],
        &[("nix", &[0]), ("base", &[3])],
    );
    let mut request = request(&["nix", "base"], VariantKind::Build);
    request.available[0].installables[0].part = Part::Output("nix".to_owned());
    let plan = plan(&Config::default(), &request, &closure).unwrap();
    let enter =
        plan.layers.last().unwrap().entries.iter().find(|entry| entry.path == "/nix/seed/enter").unwrap();
    let EntryKind::File(script) = &enter.kind else { panic!("{enter:?}") };
    assert!(String::from_utf8_lossy(script).contains("-nix-2.8/bin/nix-store"));
}

#[test]
fn what_a_build_seed_lacks_is_said() {
    let without = closure(&[("nix-2.8", 10, &[]), ("zsh-5", 10, &[])], &[("nix", &[0]), ("base", &[1])]);
    let error =
        plan(&Config::default(), &request(&["nix", "base"], VariantKind::Build), &without).unwrap_err();
    assert_eq!(
        error.message,
        "a build seed needs a shell at `/bin/sh`, but the closure has none of bash, bash-interactive, dash, busybox"
    );
    let closure = closure(&[("busybox-1.35", 10, &[])], &[("base", &[0])]);
    let error = plan(&Config::default(), &request(&["base"], VariantKind::Build), &closure).unwrap_err();
    assert_eq!(error.message, "a build seed needs a layer `nix` that contains Nix");
}
