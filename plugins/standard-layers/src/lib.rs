//! The default layer selector: the standard layers, as the crate `layering` makes them.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests fail by panicking"))]

use layering::Config;
use seed_plugin::selector::{Closure, ImagePlan, LayerSelector, OutputRequest, SelectRequest};
use seed_plugin::{About, Plugin, StageError};

struct StandardLayers;

impl Plugin for StandardLayers {
    type Config = Config;
    const ABOUT: About = seed_plugin::about!(include_str!("config.schema.json"));
}

impl LayerSelector for StandardLayers {
    fn outputs(config: Config, request: SelectRequest) -> Result<Vec<OutputRequest>, StageError> {
        Ok(layering::choose(&config, &request)?)
    }

    fn plan(config: Config, request: SelectRequest, closure: Closure) -> Result<ImagePlan, StageError> {
        Ok(layering::plan(&config, &request, &closure)?)
    }
}

seed_plugin::export_layer_selector!(StandardLayers);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_key_of_the_schema() {
        seed_plugin::testing::knows_every_key::<StandardLayers>();
    }
}
