// SPDX-License-Identifier: Apache-2.0
#include "engine/testing/script.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace streamd::testing {
namespace {

// One record a pull: event time moves behind each of them, whatever batches would do.
class ScriptReader final : public Reader {
 public:
  ScriptReader(std::shared_ptr<Script> script, Positions resume_at, std::size_t max_record)
      : script_(std::move(script)), resume_at_(std::move(resume_at)), max_record_(max_record) {}

  Result<Pull> pull(const PullLimits&, RawBatch& out) override {
    out.clear();
    const auto& records = script_->records();
    for (; at_ < records.size(); ++at_) {
      const Script::Record& record = records[at_];
      if (record.number < next(record.partition)) continue;
      next_[record.partition] = record.number + 1;
      ++at_;
      const auto bytes = std::make_shared<const std::string>(record.data);
      out.partition = static_cast<std::uint32_t>(record.partition);
      RawRecord raw{*bytes, record.number, record.arrival, false, {}};
      if (bytes->size() > max_record_) {
        raw.fault = "too-long";
        raw.data = raw.data.substr(0, max_record_);
      }
      out.records.push_back(raw);
      out.buffer = bytes;
      return Pull::data;
    }
    return script_->ended() ? Pull::end : Pull::idle;
  }

  void partitions(std::vector<PartitionState>& out) override {
    for (std::size_t p = 0; p < script_->partitions().size(); ++p) {
      const std::uint64_t position = next(p);
      const bool all = position == script_->size_of(p);
      out.push_back(
          {static_cast<std::uint32_t>(p), std::to_string(position), all, all && script_->ended()});
    }
  }
  std::string partition_name(std::uint32_t partition) const override {
    return script_->partitions()[partition];
  }

 private:
  std::uint64_t next(std::size_t partition) {
    while (next_.size() <= partition) {
      std::uint64_t from = 0;
      const auto stored = resume_at_.find(script_->partitions()[next_.size()]);
      if (stored != resume_at_.end())
        std::from_chars(stored->second.data(), stored->second.data() + stored->second.size(), from);
      next_.push_back(from);
    }
    return next_[partition];
  }

  std::shared_ptr<Script> script_;
  const Positions resume_at_;
  const std::size_t max_record_;
  std::vector<std::uint64_t> next_;  // per partition
  std::size_t at_ = 0;
};

class ScriptSource final : public Source {
 public:
  ScriptSource(std::shared_ptr<Script> script, SourceContext context)
      : script_(std::move(script)), context_(std::move(context)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned) override {
    return std::make_unique<ScriptReader>(script_, context_.resume_at, context_.max_record);
  }

 private:
  std::shared_ptr<Script> script_;
  SourceContext context_;
};

class ScriptPlan final : public SourcePlan {
 public:
  explicit ScriptPlan(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  bool bounded() const override { return false; }
  std::string describe() const override { return "records of a test"; }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    return std::make_unique<ScriptSource>(script_, std::move(context));
  }

 private:
  std::shared_ptr<Script> script_;
};

}  // namespace

void Script::add(std::string data, const std::string& partition, EventTime arrival) {
  const auto known = std::find(partitions_.begin(), partitions_.end(), partition);
  const auto p = static_cast<std::size_t>(known - partitions_.begin());
  if (known == partitions_.end()) {
    partitions_.push_back(partition);
    sizes_.push_back(0);
  }
  records_.push_back({std::move(data), p, sizes_[p]++, arrival});
}

std::unique_ptr<SourcePlan> scripted_source(std::shared_ptr<Script> script) {
  return std::make_unique<ScriptPlan>(std::move(script));
}

}  // namespace streamd::testing
