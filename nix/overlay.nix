# `pkgs.seedTools`: the program, `verify`, and the library with that program.
{ lib }:
final: prev:
let
  program = final.callPackage ./package.nix { };
in
{
  seedTools = {
    cli = program;
    verify = final.writeShellScriptBin "verify" ''exec ${program}/bin/seed verify "$@"'';
    inherit (lib) mkPipeline;
    mkSeed = arguments: lib.mkSeed ({ inherit (final.stdenv.hostPlatform) system; } // arguments);
    mkImage = arguments: lib.mkImage ({ inherit program; } // arguments);
  };
}
