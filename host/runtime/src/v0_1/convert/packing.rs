//! Interfaces `archive` and `packing`.

use seed_model as model;

use super::types::{descriptor, digest};
use crate::error::InvalidOutput;
use crate::v0_1::bindings::exports::seed::pipeline::packing as wit;
use crate::v0_1::bindings::seed::pipeline::archive;

impl From<&model::PackRequest> for wit::Request {
    fn from(model: &model::PackRequest) -> Self {
        Self {
            config: model.config.clone(),
            name: model.name.clone(),
            system: model.system.clone(),
            platform: (&model.platform).into(),
            created: model.created.clone(),
            plan: (&model.plan).into(),
        }
    }
}

/// A codec from a component. The level is within what the contract says.
pub(in crate::v0_1) fn codec(wit: archive::Codec) -> Result<model::Codec, InvalidOutput> {
    let refuse = |name, level, most| {
        Err(super::types::invalid("codec", format!("{name} supports the levels 1 to {most}, not {level}")))
    };
    match wit {
        archive::Codec::None => Ok(model::Codec::None),
        archive::Codec::Gzip(level @ 1..=12) => Ok(model::Codec::Gzip(level)),
        archive::Codec::Gzip(level) => refuse("gzip", level, 12),
        archive::Codec::Zstd(level @ 1..=19) => Ok(model::Codec::Zstd(level)),
        archive::Codec::Zstd(level) => refuse("zstd", level, 19),
    }
}

impl From<&model::PackedLayer> for archive::PackedLayer {
    fn from(model: &model::PackedLayer) -> Self {
        Self { descriptor: (&model.descriptor).into(), diff_id: model.diff_id.to_string() }
    }
}

/// A packed layer from a component.
fn packed_layer(field: &str, wit: archive::PackedLayer) -> Result<model::PackedLayer, InvalidOutput> {
    Ok(model::PackedLayer {
        descriptor: descriptor(&format!("{field}.descriptor"), wit.descriptor)?,
        diff_id: digest(&format!("{field}.diff-id"), &wit.diff_id)?,
    })
}

/// An image from a component.
pub(in crate::v0_1) fn image(wit: wit::Image) -> Result<model::Image, InvalidOutput> {
    let layers = wit.layers.into_iter().enumerate();
    Ok(model::Image {
        manifest: descriptor("manifest", wit.manifest)?,
        config: descriptor("config", wit.config)?,
        layers: layers
            .map(|(i, layer)| packed_layer(&format!("layers[{i}]"), layer))
            .collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_bounded() {
        assert_eq!(codec(archive::Codec::Gzip(12)).unwrap(), model::Codec::Gzip(12));
        insta::assert_snapshot!(codec(archive::Codec::Gzip(13)).unwrap_err().reason, @"gzip supports the levels 1 to 12, not 13");
        insta::assert_snapshot!(codec(archive::Codec::Zstd(0)).unwrap_err().reason, @"zstd supports the levels 1 to 19, not 0");
    }
}
