# SPDX-License-Identifier: Apache-2.0
# streamd as a container image. docs/guide/container.md tells how to use it.
#
#   docker build -t streamd .
#   docker run -v ./pipelines:/pipelines streamd /pipelines/demo.yaml
#
# Everything in it is Debian 13's own, but the image has no shell and no package manager: only the
# binary, the libraries that it is linked with, certificates and time zones (tools/image/rootfs.sh).
# `./dev image` builds the same without Docker.

FROM debian:trixie-slim AS build
COPY tools/packages/build.txt /packages.txt
RUN apt-get update \
 && sed 's/#.*//' /packages.txt \
    | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
ENV LANG=C.UTF-8 CCACHE_DIR=/ccache CCACHE_BASEDIR=/src CCACHE_NOHASHDIR=1
# jobs=0: as many compilers at once as there are cores.
ARG jobs=0
RUN --mount=type=cache,target=/ccache \
    cmake --preset release \
 && cmake --build build/release --target streamd --parallel "$([ "$jobs" -gt 0 ] && echo "$jobs" || nproc)" \
 && tools/image/rootfs.sh build/release/bin/streamd /rootfs \
 && rm -rf build

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="streamd" \
      org.opencontainers.image.description="Watches logs and internet-scan data for attacks: stream processing in one binary and one YAML file" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /rootfs/system /
COPY --from=build --chown=10001:10001 /rootfs/owned /
ENV STREAMD_STATE_DIR=/state \
    STREAMD_PLUGIN_PATH=/plugins
# State, outboxes, dead letters and what a pipeline writes to relative paths: the only place that
# is written to. Plugins are only read.
VOLUME ["/state", "/plugins"]
WORKDIR /state
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s --retries=3 CMD ["/usr/bin/streamd", "health"]
ENTRYPOINT ["/usr/bin/streamd"]
CMD ["--help"]
