// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fakes.h"

#include "engine/codec/encode.h"
#include "engine/config/render.h"
#include "engine/config/yaml.h"
#include "engine/plan/build.h"
#include "tests/support/catch.h"

#include <algorithm>

namespace streamd::test {
namespace {

struct NoConfig {};

class FakeReader final : public Reader {
 public:
  FakeReader(std::shared_ptr<FakeInput> input, const SourceContext& context, unsigned worker)
      : input_(std::move(input)) {
    for (std::size_t p = worker; p < input_->partitions.size(); p += context.workers) {
      own_.push_back(p);
      const auto it = context.resume_at.find("fake/" + std::to_string(p));
      next_.push_back(it == context.resume_at.end() ? 0 : std::stoul(it->second));
    }
  }
  Result<Pull> pull(const PullLimits&, RawBatch& out) override {
    out.clear();
    out.expired = input_->expired.exchange(0);
    bool more = false;
    for (std::size_t k = 0; k < own_.size(); ++k) {
      const std::size_t i = (turn_ + k) % own_.size();
      const auto& records = input_->partitions[own_[i]];
      const std::size_t end = std::min(records.size(), input_->allowed.load());
      more = more || next_[i] < records.size();
      if (next_[i] >= end) continue;
      if (input_->on_pull) input_->on_pull(own_[i], next_[i]);
      out.partition = static_cast<std::uint32_t>(own_[i]);
      out.buffer = input_;
      while (next_[i] < end && out.records.size() < input_->batch) {
        out.records.push_back({records[next_[i]], next_[i], {}, false, {}});
        ++next_[i];
      }
      input_->read += out.records.size();
      turn_ = i + 1;
      return Pull::data;
    }
    return more || input_->endless ? Pull::idle : Pull::end;
  }
  void partitions(std::vector<PartitionState>& out) override {
    ++input_->listed;
    for (std::size_t i = 0; i < own_.size(); ++i) {
      const bool all = next_[i] >= input_->partitions[own_[i]].size();
      out.push_back(
          {static_cast<std::uint32_t>(own_[i]), std::to_string(next_[i]),
           next_[i] >= std::min(input_->partitions[own_[i]].size(), input_->allowed.load()),
           all && !input_->endless});
    }
  }
  std::optional<Duration> confirmed_at(Duration pulled_at) const override {
    if (!input_->hung) confirmed_at_ = pulled_at;
    return confirmed_at_;
  }
  std::string partition_name(std::uint32_t partition) const override {
    return "fake/" + std::to_string(partition);
  }

 private:
  std::shared_ptr<FakeInput> input_;
  std::vector<std::size_t> own_, next_;
  std::size_t turn_ = 0;
  mutable std::optional<Duration> confirmed_at_;
};

class FakeSource final : public Source {
 public:
  FakeSource(std::shared_ptr<FakeInput> input, SourceContext context)
      : input_(std::move(input)), context_(std::move(context)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return std::make_unique<FakeReader>(input_, context_, worker);
  }

 private:
  std::shared_ptr<FakeInput> input_;
  SourceContext context_;
};

class FakeSourcePlan final : public SourcePlan {
 public:
  explicit FakeSourcePlan(std::shared_ptr<FakeInput> input) : input_(std::move(input)) {}
  bool bounded() const override { return !input_->endless; }
  std::string describe() const override { return "fake"; }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    return std::make_unique<FakeSource>(input_, std::move(context));
  }

 private:
  std::shared_ptr<FakeInput> input_;
};

class FakeTransaction final : public Transaction {
 public:
  explicit FakeTransaction(FakeOutput& output) : output_(output) {}
  std::string name() const override { return "fake"; }
  Result<Epoch> last_committed() override { return last_; }
  Status commit(Epoch epoch, const std::map<std::string, Positions>&) override {
    auto status = output_.commit(epoch);
    if (status) last_ = epoch;
    return status;
  }

 private:
  FakeOutput& output_;
  Epoch last_ = 0;
};

class FakeSink final : public Sink {
 public:
  FakeSink(std::shared_ptr<FakeOutput> output, JsonEncoder encoder, const std::string& restored)
      : output_(std::move(output)), encoder_(std::move(encoder)) {
    const std::lock_guard lock(output_->mutex);
    output_->lines.resize(restored.empty() ? 0 : std::stoul(restored));
  }
  Status write(const Batch& batch, Emitter&) override {
    if (output_->failures > 0) {
      --output_->failures;
      return fail_for_now("the far side is away");
    }
    const std::lock_guard lock(output_->mutex);
    ++output_->writes;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      std::string line;
      encoder_.append(batch, i, line);
      output_->lines.push_back(std::move(line));
    }
    return {};
  }
  Status barrier(Epoch) override {
    const std::lock_guard lock(output_->mutex);
    length_ = std::to_string(output_->lines.size());
    return {};
  }
  Result<bool> prepared(Epoch) override {
    ++output_->asked;
    return output_->unprepared == 0 || output_->unprepared-- == 0;
  }
  std::string state(Epoch) override { return length_; }
  Transaction* transaction() override { return output_->commit ? &transaction_ : nullptr; }

 private:
  std::shared_ptr<FakeOutput> output_;
  FakeTransaction transaction_{*output_};
  JsonEncoder encoder_;
  std::string length_;
};

class FakeSinkPlan final : public SinkPlan {
 public:
  explicit FakeSinkPlan(std::shared_ptr<FakeOutput> output) : output_(std::move(output)) {}
  Needs needs() const override { return {{}, true}; }
  void bind(const Schema& in, Diagnostics&) override { in_ = in; }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  bool transactional() const override { return static_cast<bool>(output_->commit); }
  std::string describe() const override { return "fake"; }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    return std::make_unique<FakeSink>(output_, JsonEncoder(in_), context.restored);
  }

 private:
  std::shared_ptr<FakeOutput> output_;
  Schema in_;
};

class SharedBackend final : public StateBackend {
 public:
  explicit SharedBackend(std::shared_ptr<StateBackend> inner) : inner_(std::move(inner)) {}
  Result<std::optional<std::string>> get(std::string_view key) override { return inner_->get(key); }
  Status scan(std::string_view from, std::string_view to, const Visit& visit) override {
    return inner_->scan(from, to, visit);
  }
  Status write(const ChangeSet& changes) override { return inner_->write(changes); }

 private:
  std::shared_ptr<StateBackend> inner_;
};

}  // namespace

void add_fake_source(Registry& registry, std::shared_ptr<FakeInput> input) {
  registry.add_source(Spec<NoConfig>("fake").summary("Records of a test."),
                      [input](NoConfig, const ConfigNode&, Diagnostics&) {
                        return std::make_unique<FakeSourcePlan>(input);
                      });
}

void add_fake_sink(Registry& registry, const std::string& type,
                   std::shared_ptr<FakeOutput> output) {
  registry.add_sink(Spec<NoConfig>(type).summary("Lines of a test."),
                    [output](NoConfig, const ConfigNode&, Diagnostics&) {
                      return std::make_unique<FakeSinkPlan>(output);
                    });
}

std::vector<std::string> FakeOutput::sorted() {
  const std::lock_guard lock(mutex);
  auto copy = lines;
  std::sort(copy.begin(), copy.end());
  return copy;
}

Plan plan_of(const std::string& yaml, const Registry& registry) {
  Diagnostics problems;
  std::optional<Plan> plan;
  if (const auto document = parse_yaml(yaml, 0, process_surroundings(), problems))
    plan = build_plan(*document, registry, problems);
  INFO(render(problems, {{"test.yaml", yaml}}));
  REQUIRE(problems.errors() == 0);
  REQUIRE(plan.has_value());
  return std::move(*plan);
}

Disk::Disk() : backend(make_memory_backend()) {}

std::function<Result<std::unique_ptr<StateBackend>>()> Disk::opener() const {
  return [shared = backend]() -> Result<std::unique_ptr<StateBackend>> {
    return std::make_unique<SharedBackend>(shared);
  };
}

LogFn Log::fn() {
  return [this](LogLevel, const std::string& text) {
    const std::lock_guard lock(mutex);
    lines.push_back(text);
  };
}

std::size_t Log::count(const std::string& part) {
  const std::lock_guard lock(mutex);
  return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) {
    return line.find(part) != std::string::npos;
  }));
}

}  // namespace streamd::test
