# The text of a pipeline file, from a set with its sections:
#
#   mkPipeline {
#     source.flake = ".";
#     seed.name = "hello";
#     select.config.entrypoint = [ "hello" ];
#     publish = [ { plugin = "builtin:oci-layout"; config.path = "image"; } ];
#   }
#
# `seed` checks the keys; this only writes them.
pipeline: import ./toml.nix ({ schema = 1; } // pipeline)
