//! Compression of layers: chunks of tar, each an independent gzip member or zstd frame.
//!
//! Members and frames may be concatenated (RFC 1952, RFC 8878), so a layer is simply its chunks in a row. Each chunk
//! depends on its own bytes only: that is what makes the blob equal at any number of threads.

use std::cell::RefCell;

use libdeflater::{CompressionLvl, Compressor, Decompressor};
use seed_model::Codec;
use zstd::zstd_safe;

/// Bytes of tar in one chunk. 4 MiB compress within 2 % of an unchunked stream (zstd 3: 0.292 against 0.286 of the
/// input) and 3 % better than 1 MiB, while a 100 MiB path still feeds 25 cores.
pub(crate) const CHUNK_SIZE: usize = 4 << 20;

/// The bundled libdeflate, which has no function that tells its version; a test compares this with `Cargo.lock`.
const LIBDEFLATE_VERSION: &str = "1.26";

/// A codec that there is no encoder for, or bytes that no encoder of ours made.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The level is out of range.
    #[error("{codec} has no level {level}: choose 1 to {highest}")]
    Level {
        /// `gzip` or `zstd`.
        codec: &'static str,
        /// The level that was asked for.
        level: u8,
        /// The highest level.
        highest: u8,
    },
    /// The encoder or decoder failed.
    #[error("{codec} cannot {action} a chunk of {length} bytes: {reason}")]
    Failed {
        /// `gzip`, `zstd` or `none`.
        codec: &'static str,
        /// `compress` or `decompress`.
        action: &'static str,
        /// The length of the input.
        length: usize,
        /// What the library said.
        reason: String,
    },
}

/// Names everything that decides compressed bytes: format, library and version, level, chunk size. It is part of the
/// layer key, so another encoder never answers from this one's cache.
pub fn codec_id(codec: Codec) -> Result<String, CodecError> {
    let chunk = CHUNK_SIZE;
    match codec {
        Codec::None => Ok(format!("none/{chunk}")),
        Codec::Gzip(level @ 1..=12) => Ok(format!("gzip/libdeflate-{LIBDEFLATE_VERSION}/{level}/{chunk}")),
        Codec::Zstd(level @ 1..=19) => {
            Ok(format!("zstd/libzstd-{}/{level}/{chunk}", zstd_safe::version_string()))
        }
        Codec::Gzip(level) => Err(CodecError::Level { codec: "gzip", level, highest: 12 }),
        Codec::Zstd(level) => Err(CodecError::Level { codec: "zstd", level, highest: 19 }),
    }
}

/// The encoders of one thread, kept because making one costs more than compressing a small file.
#[derive(Default)]
struct Encoders {
    gzip: Option<(u8, Compressor)>,
    zstd: Option<(u8, zstd::bulk::Compressor<'static>)>,
}

thread_local! {
    static ENCODERS: RefCell<Encoders> = RefCell::default();
}

/// Compresses one chunk.
pub(crate) fn compress(codec: Codec, tar: &[u8]) -> Result<Vec<u8>, CodecError> {
    let failed = |codec, reason| CodecError::Failed { codec, action: "compress", length: tar.len(), reason };
    ENCODERS.with_borrow_mut(|encoders| match codec {
        Codec::None => Ok(tar.to_vec()),
        Codec::Gzip(level) => {
            let encoder = match encoders.gzip.take() {
                Some((kept, encoder)) if kept == level => encoder,
                _ => Compressor::new(CompressionLvl::new(level.into()).map_err(|_| CodecError::Level {
                    codec: "gzip",
                    level,
                    highest: 12,
                })?),
            };
            let (_, encoder) = encoders.gzip.insert((level, encoder));
            // libdeflate's header has no file name, MTIME 0 and OS 255 (unknown).
            let mut packed = vec![0; encoder.gzip_compress_bound(tar.len())];
            let length =
                encoder.gzip_compress(tar, &mut packed).map_err(|error| failed("gzip", error.to_string()))?;
            packed.truncate(length);
            Ok(packed)
        }
        Codec::Zstd(level) => {
            let failed = |error: std::io::Error| failed("zstd", error.to_string());
            let mut encoder = match encoders.zstd.take() {
                Some((kept, encoder)) if kept == level => encoder,
                _ => zstd::bulk::Compressor::new(level.into()).map_err(failed)?,
            };
            // The frame header has the content size, and there is no checksum: diff ID and digest cover every byte.
            encoder.include_contentsize(true).map_err(failed)?;
            encoder.include_checksum(false).map_err(failed)?;
            let packed = encoder.compress(tar).map_err(failed);
            encoders.zstd = Some((level, encoder));
            packed
        }
    })
}

/// Decompresses one chunk that was `length` bytes of tar.
pub(crate) fn decompress(codec: Codec, packed: &[u8], length: usize) -> Result<Vec<u8>, CodecError> {
    let failed =
        |codec, reason| CodecError::Failed { codec, action: "decompress", length: packed.len(), reason };
    let (name, tar) = match codec {
        Codec::None => ("none", packed.to_vec()),
        Codec::Gzip(_) => {
            let mut tar = vec![0; length];
            let got = Decompressor::new()
                .gzip_decompress(packed, &mut tar)
                .map_err(|error| failed("gzip", error.to_string()))?;
            tar.truncate(got);
            ("gzip", tar)
        }
        Codec::Zstd(_) => {
            let tar =
                zstd::bulk::decompress(packed, length).map_err(|error| failed("zstd", error.to_string()))?;
            ("zstd", tar)
        }
    };
    if tar.len() == length {
        Ok(tar)
    } else {
        Err(failed(name, format!("it contains {} bytes, expected {length}", tar.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_everything_that_decides_bytes() {
        let ids = [Codec::None, Codec::Gzip(4), Codec::Zstd(3)].map(|codec| codec_id(codec).unwrap());
        insta::assert_snapshot!(ids.join("\n"), @"
        none/4194304
        gzip/libdeflate-1.26/4/4194304
        zstd/libzstd-1.5.7/3/4194304
        ");
    }

    #[test]
    fn the_version_of_libdeflate_is_the_one_that_is_linked() {
        let lock = include_str!("../../../Cargo.lock");
        let version = format!("name = \"libdeflate-sys\"\nversion = \"{LIBDEFLATE_VERSION}.");
        assert!(lock.contains(&version), "Cargo.lock has another libdeflate than {LIBDEFLATE_VERSION}");
    }

    #[test]
    fn levels_are_checked() {
        let wrong = [Codec::Gzip(0), Codec::Gzip(13), Codec::Zstd(0), Codec::Zstd(20)];
        let errors = wrong.map(|codec| codec_id(codec).unwrap_err().to_string());
        insta::assert_snapshot!(errors.join("\n"), @"
        gzip has no level 0: choose 1 to 12
        gzip has no level 13: choose 1 to 12
        zstd has no level 0: choose 1 to 19
        zstd has no level 20: choose 1 to 19
        ");
    }

    #[test]
    fn chunks_round_trip_at_every_level() {
        let text = b"a line of text that compresses\n".repeat(999);
        let codecs = (1..=12).map(Codec::Gzip).chain((1..=19).map(Codec::Zstd)).chain([Codec::None]);
        for codec in codecs {
            for content in [&text[..], b"", b"x"] {
                let packed = compress(codec, content).unwrap();
                assert_eq!(decompress(codec, &packed, content.len()).unwrap(), content);
                assert_eq!(compress(codec, content).unwrap(), packed);
                assert!(decompress(codec, &packed, content.len() + 1).is_err(), "{codec:?}");
                if codec != Codec::None {
                    assert!(decompress(codec, &packed[..packed.len() - 1], content.len()).is_err());
                }
            }
        }
    }

    #[test]
    fn headers_say_nothing_about_the_machine() {
        // RFC 1952: magic, deflate, no flags, MTIME 0, XFL, OS unknown.
        let gzip = compress(Codec::Gzip(4), b"content").unwrap();
        assert_eq!((&gzip[..8], gzip[9]), (&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0][..], 255));
        // RFC 8878: magic, then a descriptor with single segment, no checksum and no dictionary; the content size.
        let zstd = compress(Codec::Zstd(3), b"content").unwrap();
        assert_eq!(zstd[..6], [0x28, 0xB5, 0x2F, 0xFD, 0b0010_0000, 7]);
    }
}
