// SPDX-License-Identifier: Apache-2.0
#include "engine/app/replay_source.h"

#include "engine/core/clock.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace streamd {
namespace {

using Records = std::shared_ptr<const std::vector<std::string>>;

// Lists no partition: the positions of the real source stay as they are, and event time does not
// move, so nothing is closed. Its records have numbers of their own, others in each replay: a sink
// that knows records by their place would take them for those of an earlier replay. They begin with
// the wall clock's microsecond, and no replay is faster than one record in each.
class ReplayReader final : public Reader {
 public:
  ReplayReader(Records records, std::function<void()> done, const Clock& clock)
      : records_(std::move(records)), done_(std::move(done)), clock_(clock) {}

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    out.buffer = records_;
    const EventTime now = clock_.wall();  // stamps without a year go by it
    while (next_ < records_->size() && out.records.size() < limits.max_records) {
      RawRecord record;
      record.data = (*records_)[next_];
      record.position = first_number_ + next_++;
      record.arrival = now;
      out.records.push_back(record);
    }
    if (!out.records.empty()) return Pull::data;
    if (!std::exchange(said_, true)) done_();
    return Pull::idle;
  }
  void partitions(std::vector<PartitionState>&) override {}
  std::optional<Duration> confirmed_at(Duration) const override { return std::nullopt; }
  std::string partition_name(std::uint32_t) const override { return "dead letters"; }

 private:
  Records records_;
  std::function<void()> done_;
  const Clock& clock_;
  const std::uint64_t first_number_ =
      static_cast<std::uint64_t>(std::max<std::int64_t>(clock_.wall().micros, 0));
  std::size_t next_ = 0;
  bool said_ = false;
};

class ReplaySource final : public Source {
 public:
  ReplaySource(Records records, std::function<void()> done, const Clock& clock)
      : records_(std::move(records)), done_(std::move(done)), clock_(clock) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    const auto own = worker == 0 ? records_ : std::make_shared<const std::vector<std::string>>();
    return std::make_unique<ReplayReader>(own, done_, clock_);
  }

 private:
  Records records_;
  std::function<void()> done_;
  const Clock& clock_;
};

class ReplayPlan final : public SourcePlan {
 public:
  ReplayPlan(Records records, std::function<void()> done)
      : records_(std::move(records)), done_(std::move(done)) {}
  bool bounded() const override { return false; }
  std::string describe() const override { return "dead letters"; }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    return std::make_unique<ReplaySource>(records_, done_, *context.clock);
  }

 private:
  Records records_;
  std::function<void()> done_;
};

}  // namespace

std::unique_ptr<SourcePlan> replay_source(std::vector<std::string> records,
                                          std::function<void()> done) {
  return std::make_unique<ReplayPlan>(
      std::make_shared<const std::vector<std::string>>(std::move(records)), std::move(done));
}

}  // namespace streamd
