# syntax=docker/dockerfile:1
#
# Images of the API, the worker and the embedded storage:
#
#   docker build --target api --tag rapidphoto-api .
#   docker build --target worker --tag rapidphoto-worker .
#   docker build --target store --tag rapidphoto-store .
#
# Dependencies are a layer of their own, which is rebuilt only if Cargo.lock or a manifest changes.

ARG RUST_VERSION=1.95
ARG DEBIAN=bookworm

FROM rust:${RUST_VERSION}-slim-${DEBIAN} AS chef
# The toolchain of the image, whatever rust-toolchain.toml says.
ENV RUSTUP_TOOLCHAIN=${RUST_VERSION}
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev ca-certificates \
    && rm -rf /var/lib/apt/lists/*
RUN cargo install cargo-chef --version =0.1.77 --locked
WORKDIR /build

FROM chef AS plan
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS build
COPY --from=plan /build/recipe.json recipe.json
RUN cargo chef cook --release --locked --recipe-path recipe.json \
    -p rapidphoto-api -p rapidphoto-worker -p rapidphoto --features rapidphoto/store
COPY . .
RUN cargo build --release --locked \
    -p rapidphoto-api -p rapidphoto-worker -p rapidphoto --features rapidphoto/store

# Without a shell's tools beyond Debian's minimum, without a package list, and as a user without a name or a home.
FROM debian:${DEBIAN}-slim AS base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
USER 10001:10001
WORKDIR /
STOPSIGNAL SIGTERM

FROM base AS api
COPY --from=build /build/target/release/rapidphoto-api /usr/local/bin/rapidphoto-api
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["rapidphoto-api", "health"]
ENTRYPOINT ["rapidphoto-api"]
CMD ["serve"]

FROM base AS worker
COPY --from=build /build/target/release/rapidphoto-worker /usr/local/bin/rapidphoto-worker
EXPOSE 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["rapidphoto-worker", "health"]
ENTRYPOINT ["rapidphoto-worker"]
CMD ["serve"]

FROM base AS store
COPY --from=build /build/target/release/rapidphoto /usr/local/bin/rapidphoto
# A new volume gets the owner of this directory.
COPY --from=base --chown=10001:10001 /mnt /var/lib/rapidphoto
VOLUME /var/lib/rapidphoto
EXPOSE 9000 9090
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["rapidphoto", "store", "--health"]
ENTRYPOINT ["rapidphoto", "store"]
