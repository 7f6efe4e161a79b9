{
  description = "A text file, and its image";

  inputs.seed.url = "github:seed-oci/seed";

  outputs =
    { self, seed }:
    seed.lib.eachSystem
      [
        "x86_64-linux"
        "aarch64-linux"
      ]
      (system: {
        packages = {
          # A derivation that needs nothing but the shell of Nix's sandbox.
          default = derivation {
            name = "greeting";
            inherit system;
            builder = "/bin/sh";
            args = [
              "-c"
              "echo Hello from my seed! > $out"
            ];
          };

          # The layers of the image that `seed run` makes.
          seed = seed.lib.mkSeed {
            inherit system;
            apps = [ self.packages.${system}.default ];
          };
        };
      });
}
