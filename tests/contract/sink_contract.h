// SPDX-License-Identifier: Apache-2.0
// What every sink must do, given how to open it and how to read what is at its far side.
#pragma once

#include "engine/api/sink.h"
#include "tests/contract/component.h"

#include <functional>
#include <memory>
#include <string>

namespace streamd::test {

struct SinkUnderTest {
  std::function<std::unique_ptr<Sink>(const std::string& restored)> open;
  std::function<std::string()> far_side;
  std::function<Batch(int)> batch;  // batch n, two records at least
  bool exactly_once = false;
};

inline std::string checkpoint(Sink& sink, Epoch epoch) {
  REQUIRE(sink.barrier(epoch).has_value());
  REQUIRE(sink.prepared(epoch).value());
  std::string state = sink.state(epoch);
  sink.committed(epoch);
  return state;
}

inline void check_sink(const SinkUnderTest& subject) {
  Collector out;
  auto sink = subject.open("");
  sink->close();  // without a write
  sink = subject.open("");
  REQUIRE(sink->write(subject.batch(1), out).has_value());
  const std::string state = checkpoint(*sink, 1);
  const std::string durable = subject.far_side();
  REQUIRE(sink->write(subject.batch(2), out).has_value());
  // Written between barrier and prepared: not part of the epoch.
  REQUIRE(sink->barrier(2).has_value());
  REQUIRE(sink->write(subject.batch(3), out).has_value());
  REQUIRE(sink->prepared(2).value());
  const std::string second = sink->state(2);
  REQUIRE(sink->tick(out).has_value());
  const std::string whole = subject.far_side();
  CHECK(whole.starts_with(durable));
  sink.reset();  // dies without close

  if (!subject.exactly_once) return;
  sink = subject.open(second);
  REQUIRE(sink->write(subject.batch(3), out).has_value());
  static_cast<void>(checkpoint(*sink, 3));
  CHECK(subject.far_side() == whole);
  sink.reset();
  sink = subject.open(state);
  CHECK(subject.far_side() == durable);
  REQUIRE(sink->write(subject.batch(2), out).has_value());
  REQUIRE(sink->write(subject.batch(3), out).has_value());
  static_cast<void>(checkpoint(*sink, 2));
  CHECK(subject.far_side() == whole);
  CHECK(out.rejected.empty());
  sink->close();
}

}  // namespace streamd::test
