{
  description = "seed: Nix flakes to signed, reproducible OCI images";

  outputs =
    { self }:
    {
      # Makes the derivation that a pipeline's `source.attr` names; see nix/mkseed.nix.
      lib.mkSeed = import ./nix/mkseed.nix;
    };
}
