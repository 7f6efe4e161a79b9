//! The `config` table of this plugin: how layers are compressed.

use seed_plugin::Diagnostic;
use seed_plugin::packer::Codec;
use serde::Deserialize;

/// See `config.schema.json`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Config {
    compression: Compression,
    level: Option<u8>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Compression {
    #[default]
    Gzip,
    Zstd,
    None,
}

/// libdeflate's level 4 makes layers as small as zlib's default does, at twice its speed.
const DEFAULT_GZIP_LEVEL: u8 = 4;

/// zstd's own default.
const DEFAULT_ZSTD_LEVEL: u8 = 3;

impl Config {
    /// The codec, with its level checked.
    pub(crate) fn codec(self) -> Result<Codec, Diagnostic> {
        let refuse = |message: &str, help: &str| {
            Err(Diagnostic::error("oci-packer::level", message).with_help(help).at("/level"))
        };
        match (self.compression, self.level) {
            (Compression::None, None) => Ok(Codec::None),
            (Compression::None, Some(_)) => refuse(
                "uncompressed layers have no compression level",
                "remove `level`, or set `compression` to `gzip` or `zstd`",
            ),
            (Compression::Gzip, Some(level @ 13..)) => {
                refuse(&format!("gzip has no level {level}"), "use a level from 1 to 12")
            }
            (Compression::Gzip, level) => Ok(Codec::Gzip(level.unwrap_or(DEFAULT_GZIP_LEVEL))),
            (Compression::Zstd, level) => Ok(Codec::Zstd(level.unwrap_or(DEFAULT_ZSTD_LEVEL))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(config: &str) -> Result<Codec, String> {
        serde_json::from_str::<Config>(config).unwrap().codec().map_err(|diagnostic| diagnostic.message)
    }

    #[test]
    fn has_defaults() {
        assert_eq!(codec("{}"), Ok(Codec::Gzip(4)));
        assert_eq!(codec(r#"{"compression":"zstd"}"#), Ok(Codec::Zstd(3)));
        assert_eq!(codec(r#"{"compression":"none"}"#), Ok(Codec::None));
        assert_eq!(codec(r#"{"compression":"zstd","level":19}"#), Ok(Codec::Zstd(19)));
    }

    #[test]
    fn refuses_levels_that_do_not_exist() {
        assert_eq!(codec(r#"{"level":13}"#), Err("gzip has no level 13".to_owned()));
        let error = codec(r#"{"compression":"none","level":1}"#);
        assert_eq!(error, Err("uncompressed layers have no compression level".to_owned()));
    }

    #[test]
    fn knows_every_key_of_the_schema() {
        seed_plugin::testing::knows_every_key::<crate::OciPacker>();
    }
}
