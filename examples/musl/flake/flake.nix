{
  description = "One C program, linked with glibc and with musl";

  outputs =
    { self }:
    let
      # `../prepare` copied these from this machine. With nixpkgs, use `pkgs` and `pkgs.pkgsMusl` instead.
      prepared =
        name:
        builtins.path {
          inherit name;
          path = ./prepared + "/${name}";
        };
      busybox = "${prepared "busybox"}/bin/busybox";

      # Copied by a build, so that Nix scans for references, which it does not do in sources.
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
