# The flake's library. `program` maps a system to its `seed` package, for images that do not name one.
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
