# `just` lists the recipes. All of them are one-liners: nothing needs just.
set positional-arguments

[private]
default:
    @just --list --unsorted

# Server, a user, twenty photos, live progress, result table (`just demo --exit`)
demo *arguments:
    cargo run --release -- demo "$@"

# The server on this machine (`just serve --listen 127.0.0.1:8080`)
serve *arguments:
    cargo run --release -- serve "$@"

# All tests; installs what they need (`just test --fast` for the unit tests alone)
test *arguments:
    scripts/test "$@"

# Five minutes of 1000 hostile sockets, forms of 1 GB, guessed passwords and poison photos beside 200 photos
drill:
    DRILL_SECONDS=300 scripts/test -p rapidphoto --test whole -- --nocapture photos_complete_in_bounded_memory

# Everything that must hold before a change lands
ci:
    bash .ci/run

# Lints, as CI runs them
lint:
    cargo clippy --workspace --all-targets --features rapidphoto/failpoints,rapidphoto/store -- -D warnings

# Fuzzes every target (`just fuzz --seconds 900 imaging/inspect`)
fuzz *arguments:
    scripts/fuzz "$@"

# Formats the code
fmt:
    cargo fmt --all

# Dependency directions, licences, bans, sources
deps:
    cargo xtask check-deps
    scripts/deny

# The crates' documentation in the browser
docs:
    cargo doc --workspace --no-deps --open

# The README's curl walk-through against a fresh server
walkthrough:
    cargo build --release --bin rapidphoto
    scripts/walkthrough-check

# Thumbnails beside Pillow-SIMD, libvips and sharp: speed and SSIM (first `bins/bench-thumbnails/compare/install`)
bench-thumbnails *arguments:
    bins/bench-thumbnails/compare/run "$@"

# All benchmarks: thumbnails, the JPEG decoder alone, the database
bench:
    bins/bench-thumbnails/compare/run
    cargo run --release -p jpeg-scale --example bench -- 5 "${XDG_CACHE_HOME:-$HOME/.cache}"/rapidphoto/compare/photos/j*.jpg
    cargo run --release -p rapidphoto-persistence --example throughput
