# This project's packages for one system. `flake` is this flake; its `inputs` go into the build seed.
{
  pkgs,
  lib,
  flake,
  inputs,
}:
let
  inherit (pkgs.stdenv.hostPlatform) system;

  program = pkgs.callPackage ./package.nix { };
  shell = import ./shell.nix { inherit pkgs program; };

  image =
    {
      seed,
      variant ? "runtime",
      plugin ? "builtin:standard-layers",
      name,
    }:
    lib.mkImage {
      inherit flake program;
      seed = lib.mkSeed ({ inherit system; } // seed);
      pipeline = {
        seed = { inherit name variant; };
        select = {
          inherit plugin;
          config = {
            env.SSL_CERT_FILE = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
          } // (if variant == "runtime" then { entrypoint = [ "seed" ]; } else { });
        };
      };
    };

  images = {
    # An image of the program: `nix build .#seed`, `docker load < result`.
    seed = image {
      name = "seed";
      seed = {
        base = [ pkgs.cacert ];
        apps = [ program ];
        devShells = [ shell ];
      };
    };
    # The same without glibc: its selector refuses it.
    seed-musl = image {
      name = "seed-musl";
      plugin = "builtin:musl-runtime";
      seed = {
        base = [ pkgs.cacert ];
        apps = [ (pkgs.pkgsStatic.callPackage ./package.nix { }) ];
      };
    };
    # The build seed: builds this project without a network.
    seed-build = image {
      name = "seed-build";
      variant = "build";
      seed = {
        base = [
          pkgs.bashInteractive
          pkgs.cacert
        ];
        devShells = [ shell ];
        layers = {
          nix = [ pkgs.nix ];
          inputs = inputs ++ [
            flake
            program.inputDerivation
            pkgs.stdenv
            pkgs.stdenvNoCC
          ];
        };
      };
    };
  };
in
{
  default = program;
  seed-cli = program;
  verify = pkgs.writeShellScriptBin "verify" ''exec ${program}/bin/seed verify "$@"'';
}
// (if pkgs.stdenv.hostPlatform.isLinux then images else { })
