{
  description = "A program in Rust";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    seed.url = "github:seed-oci/seed";
    seed.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    inputs:
    {
      packages = inputs.seed.lib.forSystems [ "x86_64-linux" "aarch64-linux" ] (
        system:
        let
          pkgs = inputs.nixpkgs.legacyPackages.${system};
        in
        rec {
          primes = pkgs.rustPlatform.buildRustPackage {
            pname = "primes";
            version = "1.0.0";
            src = ./.;
            cargoLock.lockFile = ./Cargo.lock;
          };

          # The C library changes with nixpkgs, the program daily.
          seed = inputs.seed.lib.mkSeed {
            inherit system;
            library = [
              pkgs.glibc
              pkgs.stdenv.cc.cc.lib
            ];
            apps = [ primes ];
          };

          # The same as a build seed, without a network: see build.toml.
          build-seed = seed.override {
            base = [
              pkgs.bash
              pkgs.coreutils
            ];
          };
          nix = pkgs.nix;

          default = primes;
        }
      );
    };
}
