#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmarks; `./dev bench` builds first. run.sh --help lists the options; with --peers in
# front, the same job on streamd and on what one could use instead.
# Debian's own interpreter: python3-confluent-kafka is invisible to another python3 on the PATH.
cd "$(dirname "$0")/../.." || exit 1
if [ "${1:-}" = --peers ]; then
  shift
  exec /usr/bin/python3 -B tests/bench/peers/peers.py "$@"
fi
exec /usr/bin/python3 -B tests/bench/bench.py "$@"
