#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmarks; `./dev bench` builds first. run.sh --help lists the options.
# Debian's own interpreter: python3-confluent-kafka is invisible to another python3 on the PATH.
cd "$(dirname "$0")/../.." || exit 1
exec /usr/bin/python3 -B tests/bench/bench.py "$@"
