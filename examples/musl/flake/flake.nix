{
  description = "One C program, linked with glibc and with musl";

  outputs =
    { self }:
    let
      # What `../prepare` took from this machine. A flake with nixpkgs takes `pkgs` and `pkgs.pkgsMusl` instead.
      prepared =
        name:
        builtins.path {
          inherit name;
          path = ./prepared + "/${name}";
        };
      busybox = "${prepared "busybox"}/bin/busybox";

      # Copied by a build, so that Nix looks for references: a source has none.
      build =
        libc: program:
        derivation {
          inherit busybox libc;
          program = prepared program;
          name = "hello";
          system = "x86_64-linux";
          builder = busybox;
          args = [
            "sh"
            "-euc"
            ''
              $busybox mkdir -p $out/bin
              $busybox cp $program $out/bin/hello
            ''
          ];
        };
    in
    {
      packages.x86_64-linux = rec {
        glibc = prepared "glibc";
        musl = prepared "musl";
        hello = build glibc "hello-glibc";
        hello-musl = build musl "hello-musl";
      };
    };
}
