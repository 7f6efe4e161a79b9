{
  description = "This machine's packages in the shape of nixpkgs, as far as the examples use it";

  outputs =
    { self }:
    {
      legacyPackages = builtins.listToAttrs (
        map
          (system: {
            name = system;
            value = import ./packages.nix {
              inherit system;
              # As text, so that Nix does not copy it to the store again.
              machine = "${self}/machine";
              build = "${self}/build.sh";
            };
          })
          [
            "x86_64-linux"
            "aarch64-linux"
          ]
      );
    };
}
