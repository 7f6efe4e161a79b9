{
  description = "A program in C++";

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
          wordcount = pkgs.stdenv.mkDerivation {
            pname = "wordcount";
            version = "1.0";
            src = ./src;
            buildPhase = ''
              $CXX -std=c++20 -O2 -Wall -Wextra -s -o wordcount wordcount.cpp
            '';
            installPhase = ''
              mkdir -p $out/bin
              cp wordcount $out/bin/
            '';
          };

          # The C and C++ libraries change with nixpkgs, the program daily.
          seed = inputs.seed.lib.mkSeed {
            inherit system;
            library = [ pkgs.stdenv.cc.cc.lib ];
            apps = [ wordcount ];
          };

          # The same as a build seed, without a network: see build.toml.
          build-seed = seed.override {
            base = [
              pkgs.bash
              pkgs.coreutils
            ];
          };
          nix = pkgs.nix;

          default = wordcount;
        }
      );
    };
}
