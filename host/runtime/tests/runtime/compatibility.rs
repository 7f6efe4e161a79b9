//! Components of the contract as it is, and of its released versions, which must run for ever.
//!
//! `wit/frozen/VERSION/components/` holds one for each world. It imports every function that the world has and exports
//! every function that a stage has, so a changed shape anywhere makes it fail to load.

use std::fs;

use seed_model::{ImagePlan, Stage, StageError};
use seed_runtime::{CONTRACT, Failure};

use crate::guest::{component, contract};
use crate::support::{load, nothing, pack_request, publication, selection, sign_request};

/// The fixture of a world, made of its source in `wit/fixtures` as `cargo xtask wit freeze` makes it.
fn current(stage: Stage) -> Vec<u8> {
    let path = contract().join("fixtures").join(format!("{}.wat", stage.world()));
    let source = fs::read_to_string(path).unwrap().replace("VERSION", &CONTRACT.to_string());
    component(wat::parse_str(source).unwrap(), &CONTRACT.to_string(), stage.world(), "")
}

fn runs(component: &[u8], stage: Stage) {
    let plugin = load(component, stage);
    assert_eq!(plugin.description().name, "fixture");
    let nothing = nothing();
    match stage {
        Stage::Select => {
            assert_eq!(plugin.select_outputs(&nothing, &selection()).unwrap(), []);
            let plan = plugin.plan(&nothing, &selection(), &seed_model::Closure::default()).unwrap();
            assert_eq!(plan, ImagePlan::default());
        }
        Stage::Pack => {
            let error = plugin.pack(&nothing, &pack_request(ImagePlan::default())).unwrap_err();
            assert_eq!(error.failure, Failure::Stage(StageError::Failed(String::new())));
        }
        Stage::Sign => {
            assert_eq!(plugin.describe_key(&nothing, "{}", "release").unwrap().name, "");
            assert_eq!(plugin.sign(&nothing, &sign_request()).unwrap().signatures, []);
        }
        Stage::Publish => {
            assert_eq!(plugin.targets(&nothing, "{}", "test").unwrap(), Vec::<String>::new());
            assert_eq!(plugin.publish(&nothing, &publication()).unwrap(), []);
        }
    }
}

#[test]
fn components_of_released_versions_run() {
    let Ok(versions) = fs::read_dir(contract().join("frozen")) else { return };
    for version in versions {
        let components = version.unwrap().path().join("components");
        for path in fs::read_dir(components).unwrap().map(|entry| entry.unwrap().path()) {
            let world = path.file_stem().unwrap().to_str().unwrap();
            let stage = Stage::ALL.into_iter().find(|stage| stage.world() == world);
            runs(&fs::read(&path).unwrap(), stage.unwrap_or_else(|| panic!("there is no world {world}")));
        }
    }
}

#[test]
fn components_of_this_version_run() {
    for stage in Stage::ALL {
        runs(&current(stage), stage);
    }
}
