// SPDX-License-Identifier: Apache-2.0
#include "sinks/builtin_sinks.h"

namespace streamd {
namespace {

struct NullConfig {};

class NullSink final : public Sink {
 public:
  Status write(const Batch&, Emitter&) override { return {}; }
  Status barrier(Epoch) override { return {}; }
  Result<bool> prepared(Epoch) override { return true; }
};

class NullPlan final : public SinkPlan {
 public:
  Needs needs() const override { return {}; }
  void bind(const Schema&, Diagnostics&) override {}
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::each_worker; }
  std::string describe() const override { return "counts and forgets"; }
  Result<std::unique_ptr<Sink>> open(SinkContext) const override {
    return std::make_unique<NullSink>();
  }
};

}  // namespace

void add_null_sink(Registry& registry) {
  registry.add_sink(
      Spec<NullConfig>("null")
          .summary("Counts records and forgets them.")
          .details("Its name needs quotes: without them, null is no value in YAML.")
          .promise("exactly once: every record is counted once")
          .example("To measure what comes before it", "type: \"null\"\ninput: busy_clients"),
      [](NullConfig, const ConfigNode&, Diagnostics&) -> std::unique_ptr<SinkPlan> {
        return std::make_unique<NullPlan>();
      });
}

}  // namespace streamd
