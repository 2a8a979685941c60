// SPDX-License-Identifier: Apache-2.0
#include "engine/core/hash.h"
#include "engine/core/key.h"
#include "operators/builtin_operators.h"
#include "operators/key_parts.h"

#include <cmath>
#include <memory>
#include <utility>

namespace streamd {
namespace {

struct SampleConfig {
  std::optional<double> share;
  std::optional<std::uint64_t> one_in;
  std::vector<ExprText> by;
  std::uint64_t seed = 0;
};

struct SampleShape {
  std::uint64_t below = 0;  // hashes below this pass
  bool all = false;
  std::uint64_t seed = 0;
  KeyColumns key;
};

// Kept: hashes are compared between runs and machines, so only the configured seed decides.
class Sample final : public Operator {
 public:
  explicit Sample(const SampleShape& shape) : shape_(shape), keys_(shape.key) {}

  Status on_batch(const Batch& in, Emitter& out) override {
    passed_.clear();
    std::size_t rejected = 0;
    const bool keyed = !shape_.key.parts.empty();
    if (keyed) keys_.start(in);
    const Origin& origin = in.origin();
    const std::uint64_t place =
        hash_bytes(origin.partition, hash_bytes(origin.node, shape_.seed ^ 0x5851F42D4C957F2Dull));
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::uint32_t row = in.physical(i);
      std::uint64_t hash = 0;
      if (keyed) {
        key_.clear();
        if (!keys_.append(row, key_)) {
          out.reject(in, i, keys_.fault());
          ++rejected;
          continue;
        }
        hash = hash_bytes(key_, shape_.seed);
      } else {
        const std::uint64_t position = in.position(i);
        hash = hash_bytes({reinterpret_cast<const char*>(&position), sizeof position}, place);
      }
      if (shape_.all || hash < shape_.below) passed_.push_back(row);
    }
    const std::size_t dropped = in.size() - rejected - passed_.size();
    if (dropped > 0) out.drop(DropReason::filtered, dropped);
    if (passed_.size() == in.size())
      out.emit(in);
    else if (!passed_.empty())
      out.emit(in.select(passed_));
    return {};
  }

 private:
  const SampleShape& shape_;
  KeyReader keys_;
  std::string key_;
  std::vector<std::uint32_t> passed_;
};

class SamplePlan final : public OperatorPlan {
 public:
  SamplePlan(const SampleConfig& config, KeyParts key) : key_(std::move(key)) {
    const double share =
        config.share ? *config.share : 1.0 / static_cast<double>(config.one_in.value_or(1));
    shape_.all = share >= 1.0;
    if (!shape_.all) shape_.below = static_cast<std::uint64_t>(std::ldexp(share, 64));
    shape_.seed = config.seed;
  }
  Needs needs(const Needs& wanted) const override {
    Needs needs = wanted;
    key_.fields(needs.fields);
    return needs;
  }
  Ports bind(const Schema& in, Diagnostics& problems) override {
    shape_.key = key_.bind(in, problems);
    return {in, false};
  }
  std::unique_ptr<Operator> make(const OperatorContext&) const override {
    return std::make_unique<Sample>(shape_);
  }

 private:
  KeyParts key_;
  SampleShape shape_;
};

}  // namespace

void add_sample_operator(Registry& registry) {
  using C = SampleConfig;
  registry.add_operator(
      Spec<C>("sample")
          .summary("Passes a share of the records, always the same ones.")
          .details(
              "A record passes when a hash of it is below the share: of its `by` values, so that "
              "all records of a key pass or none, or, without `by`, of where it was read "
              "(source, partition, position). So the choice is the same after a restart, with any "
              "number of workers, and in every pipeline with the same `seed` and `by`. Other "
              "records are counted as `filtered`.\n\n"
              "The hash is good for fair shares; whoever knows the seed can choose keys that pass. "
              "A record without a `by` field becomes a dead letter with code `missing-field`.")
          .field(
              &C::share,
              {.name = "share", .help = "How many of all, between 0 and 1.", .examples = {"0.1"}})
          .field(&C::one_in,
                 {.name = "one_in", .help = "The same as a share of 1/n.", .examples = {"100"}})
          .field(&C::by, {.name = "by",
                          .help = "Fields or CEL expressions; all records of a key pass, or none.",
                          .examples = {"[client_ip]"}})
          .field(&C::seed, {.name = "seed", .help = "Another seed, another choice."})
          .rule("sample needs share or one_in, not both",
                [](const C& c) { return c.share.has_value() != c.one_in.has_value(); })
          .rule("share must be between 0 and 1",
                [](const C& c) { return !c.share || (*c.share >= 0 && *c.share <= 1); })
          .rule("one_in must be at least 1", [](const C& c) { return !c.one_in || *c.one_in > 0; })
          .example("A tenth of the clients", "share: 0.1\nby: [client_ip]\n")
          .example("Every hundredth record or so", "one_in: 100\n"),
      [](const C& config, const ConfigNode&,
         Diagnostics& problems) -> std::unique_ptr<OperatorPlan> {
        auto key = KeyParts::parse(config.by, problems);
        return std::make_unique<SamplePlan>(config, std::move(key));
      });
}

}  // namespace streamd
