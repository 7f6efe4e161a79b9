# The library of the flake. `program` gives the package of `seed` for a system, for images that name none.
{ program }:
let
  mkImage = import ./mkimage.nix;
in
{
  mkSeed = import ./mkseed.nix;
  mkPipeline = import ./mkpipeline.nix;
  mkImage = arguments: mkImage ({ program = program arguments.seed.system; } // arguments);
}
// import ./systems.nix
