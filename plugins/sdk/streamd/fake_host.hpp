// SPDX-License-Identifier: Apache-2.0
// Tests of plugins without streamd: a host in memory, with the rules of streamd_plugin.h. Push
// records, let event time go on, look at what came out, kill it and start it again. A rule that is
// broken is an exception (sd::test::Misuse) that says which, and what a plugin may no longer look
// at is overwritten and freed: build tests with -fsanitize=address.
//
//   test/expect.hpp        the runner: run(), expect(), equal(), throws()
//   test/operator_run.hpp  an operator at work
//   test/source_run.hpp    a source
//   test/sink_run.hpp      a sink
//   test/function_run.hpp  call(): a function for expressions
//   test/load.hpp          load(): a plugin from a shared library, in whatever language
#pragma once

#include "test/expect.hpp"
#include "test/function_run.hpp"
#include "test/operator_run.hpp"
#include "test/sink_run.hpp"
#include "test/source_run.hpp"
