# Packages under nixpkgs' names, made from files of a Debian machine that `prepare` copied. Their programs find their
# loader and libraries in the store, so an image with their closure has everything they need.
{
  system,
  # The copied files: `bin`, `lib` with all libraries, `usr` with the compilers' files, `rust`.
  machine,
  # The builder of every derivation here.
  build,
}:
let
  loader = if system == "x86_64-linux" then "ld-linux-x86-64.so.2" else "ld-linux-aarch64.so.1";

  # A derivation whose script runs with busybox's tools.
  run =
    name: attributes: script:
    derivation (
      {
        inherit
          name
          system
          machine
          loader
          script
          ;
        builder = "${machine}/bin/bash";
        args = [
          "-eu"
          build
        ];
      }
      // attributes
    );

  glibc = run "glibc" { } ''
    mkdir -p $out/lib
    for name in ld-linux libc. libm. libmvec. libdl. libpthread. librt. libutil. libresolv. libnss_; do
      cp $machine/lib/$name* $out/lib/ 2> /dev/null || true
    done
  '';

  bash = run "bash" { } ''
    mkdir -p $out/bin
    cp $machine/bin/bash $out/bin/bash
    ln -s bash $out/bin/sh
  '';

  # The C++ and unwinding libraries that compiled programs load.
  libraries = run "gcc-lib" { inherit glibc; } ''
    mkdir -p $out/lib
    cp $machine/lib/libstdc++.so.6 $machine/lib/libgcc_s.so.1 $out/lib/
    settle $out/lib/*
  '';

  # The compiler driver, which finds the patched programs of this output and the machine's headers and libraries.
  cc =
    run "gcc"
      {
        inherit glibc libraries;
      }
      ''
        mkdir -p $out/bin $out/lib $out/libexec/usr/bin
        cp $machine/lib/lib*.so* $out/lib/
        cp $machine/bin/g++ $out/libexec/usr/bin/
        ln -s $machine/usr/lib $out/libexec/usr/lib
        ln -s $machine/usr/include $out/libexec/usr/include
        for name in cc1plus collect2 as ld; do cp $machine/bin/$name $out/libexec/; done
        settle $out/libexec/usr/bin/g++ $out/libexec/cc1plus $out/libexec/collect2 $out/libexec/as $out/libexec/ld
        for name in c++ g++ cc; do
          printf '#!%s\nexec %s "$@"\n' $bash "$out/libexec/usr/bin/g++ -B$out/libexec --sysroot=$machine -fno-use-linker-plugin \
            -Wl,--dynamic-linker,$glibc/lib/$loader -Wl,-rpath,$libraries/lib:$glibc/lib" > $out/bin/$name
          chmod +x $out/bin/$name
        done
      ''
    // {
      cc.lib = libraries;
    };

  mkDerivation =
    attributes:
    run "${attributes.pname}-${attributes.version}" (
      {
        inherit cc;
        CXX = "c++";
        buildPhase = "";
      }
      // attributes
    ) ''
      PATH=$cc/bin:$PATH
      cp -r $src source
      chmod -R u+w source
      cd source
      eval "$buildPhase"
      eval "$installPhase"
    '';

  rust = run "rust" { inherit glibc libraries; } ''
    mkdir -p $out/bin $out/lib
    cp $machine/lib/libz.so.1 $out/lib/
    for name in rustc cargo; do
      # Unpatched, started through the loader: they find their files relative to themselves.
      printf '#!%s\nexec %s "$@"\n' $bash \
        "$glibc/lib/$loader --library-path $machine/rust/lib:$out/lib:$libraries/lib:$glibc/lib $machine/rust/bin/$name" \
        > $out/bin/$name
      chmod +x $out/bin/$name
    done
  '';
in
{
  inherit bash glibc;

  # What a shell in a container expects.
  coreutils = run "coreutils" { } ''
    mkdir -p $out/bin
    cp $machine/bin/busybox $out/bin/
    for name in cat chmod cp id ls mkdir mv rm tr; do ln -s busybox $out/bin/$name; done
  '';

  nix = run "nix" { inherit glibc libraries; shell = bash; } ''
    mkdir -p $out/bin $out/lib $out/libexec/nix
    cp $machine/nix/lib/* $out/lib/
    rm $out/lib/ld-linux* $out/lib/libc.so* $out/lib/libm.so* $out/lib/libstdc++* $out/lib/libgcc_s*
    cp $machine/nix/bin/nix $out/libexec/nix/nix
    settle $out/lib/* $out/libexec/nix/nix
    # One program that acts by its name; its helpers are in this output too.
    for name in nix nix-build nix-instantiate nix-store; do
      printf '#!%s\nexport NIX_LIBEXEC_DIR=%s\nexec -a %s %s "$@"\n' \
        $shell/bin/bash $out/libexec $name $out/libexec/nix/nix > $out/bin/$name
      chmod +x $out/bin/$name
    done
    ln -s nix $out/libexec/nix/build-remote
  '';

  python3 = run "python3" { inherit glibc; } ''
    mkdir -p $out/bin $out/lib
    cp -r $machine/lib/python3* $out/lib/
    cp $machine/lib/lib*.so* $out/lib/
    rm -f $out/lib/lib[cm].so* $out/lib/libstdc++* $out/lib/libgcc_s* $out/lib/libnss* $out/lib/libresolv*
    cp $machine/bin/python3* $out/bin/
    settle $out/bin/*
    for program in $out/bin/*; do ln -s ''${program##*/} $out/bin/python3; done
  '';

  stdenv = {
    inherit cc mkDerivation;
  };

  rustPlatform.buildRustPackage =
    attributes:
    mkDerivation (
      removeAttrs attributes [ "cargoLock" ]
      // {
        inherit rust;
        buildPhase = ''
          PATH=$rust/bin:$PATH
          # The linker is the compiler driver's, not Rust's own.
          export CARGO_HOME=$PWD/.cargo RUSTFLAGS="-C linker-features=-lld"
          cargo build --release --offline --locked
        '';
        installPhase = ''
          mkdir -p $out/bin
          for file in target/release/*; do
            if [ -f "$file" ] && [ -x "$file" ]; then cp "$file" $out/bin/; fi
          done
        '';
      }
    );

  writeScriptBin =
    name: text:
    run name { inherit text; } ''
      mkdir -p $out/bin
      printf '%s' "$text" > $out/bin/${name}
      chmod +x $out/bin/${name}
    '';
}
