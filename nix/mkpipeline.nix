# Turns a set of sections into the text of a pipeline file:
#
#   mkPipeline {
#     source.flake = ".";
#     seed.name = "hello";
#     select.config.entrypoint = [ "hello" ];
#     publish = [ { plugin = "builtin:oci-layout"; config.path = "image"; } ];
#   }
#
# It only writes: `seed` checks the keys.
pipeline: import ./toml.nix ({ schema = 1; } // pipeline)
