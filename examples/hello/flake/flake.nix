{
  description = "A program that greets, made from nothing but what is in this directory";

  outputs =
    { self }:
    let
      mkSeed = import ./mkseed.nix;

      packagesFor =
        system:
        let
          # A real flake takes its programs from nixpkgs. This one works without a network and without a compiler, so it
          # brings a very small one: `hexbuild` makes a program from a commented listing of its bytes.
          hexbuild = ./program + "/hexbuild.${system}";

          build =
            name: listing:
            derivation {
              inherit name system;
              builder = hexbuild;
              args = [
                (builtins.placeholder "out")
                name
                listing
              ];
            };

          greeting = builtins.toFile "greeting" "Hello from seed!\n";
        in
        rec {
          hello = build "hello" (
            builtins.replaceStrings [ "@greeting@" ] [ greeting ] (
              builtins.readFile (./program + "/hello.${system}.hex")
            )
          );

          # The compiler, made by itself: it must equal `program/hexbuild.${system}` byte for byte.
          hexbuild-rebuilt = build "hexbuild" (builtins.readFile (./program + "/hexbuild.${system}.hex"));

          seed = mkSeed {
            inherit system;
            base = [ (builtins.toFile "os-release" "ID=seed\nNAME=\"Hello from seed\"\n") ];
            library = [ greeting ];
            apps = [ hello ];
            checks = [ hexbuild-rebuilt ];
          };

          default = hello;
        };
    in
    {
      packages = {
        x86_64-linux = packagesFor "x86_64-linux";
        aarch64-linux = packagesFor "aarch64-linux";
      };
    };
}
