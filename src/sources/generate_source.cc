// SPDX-License-Identifier: Apache-2.0
#include "sources/builtin_sources.h"
#include "sources/generate_config.h"
#include "sources/line_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

namespace streamd {
namespace {

// Records per batch: fixed, so that a restart cuts the stream at the same places.
constexpr std::uint64_t kBatchRecords = kBlockBytes / NginxTraffic::kMaxBytes;

struct Stream {
  GenerateConfig config;
  NginxTraffic traffic;
};

std::uint64_t parse_count(const Position& position) {
  std::uint64_t count = 0;
  if (position.starts_with("1:"))
    std::from_chars(position.data() + 2, position.data() + position.size(), count);
  return count;
}

class GenerateReader final : public Reader {
 public:
  GenerateReader(std::shared_ptr<const Stream> stream, const SourceContext& context,
                 unsigned worker)
      : stream_(std::move(stream)), clock_(context.clock) {
    const std::uint64_t partitions = stream_->config.partitions;
    for (std::uint64_t p = worker; p < partitions; p += context.workers) {
      Lane lane;
      lane.partition = static_cast<std::uint32_t>(p);
      const auto stored = context.resume_at.find(name_of(lane.partition));
      if (stored != context.resume_at.end()) lane.next = parse_count(stored->second);
      const std::uint64_t count = stream_->config.count;
      if (count > 0) lane.end = count > p ? (count - p + partitions - 1) / partitions : 0;
      lanes_.push_back(lane);
    }
  }

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    Lane* lane = nullptr;
    for (Lane& l : lanes_)
      if (!l.ended() && (lane == nullptr || l.next < lane->next)) lane = &l;
    if (lane == nullptr) return Pull::end;
    const std::uint64_t due = std::min(
        {due_now(*lane), lane->end - lane->next, kBatchRecords, std::uint64_t{limits.max_records}});
    if (due == 0) {
      std::this_thread::sleep_for(
          std::chrono::microseconds(std::min<std::int64_t>(limits.max_wait.micros, 20'000)));
      return Pull::idle;
    }
    fill(*lane, due, out);
    return Pull::data;
  }

  void partitions(std::vector<PartitionState>& out) override {
    for (const Lane& l : lanes_)
      out.push_back({l.partition, fmt::format("1:{}", l.next), due_now(l) == 0, l.ended()});
  }
  std::string partition_name(std::uint32_t partition) const override { return name_of(partition); }

 private:
  struct Lane {
    std::uint32_t partition = 0;
    std::uint64_t next = 0;
    std::uint64_t end = ~std::uint64_t{0};
    bool ended() const { return next >= end; }
  };

  static std::string name_of(std::uint32_t partition) {
    return fmt::format("generate/{}", partition);
  }
  std::uint64_t index(const Lane& lane, std::uint64_t n) const {
    return n * stream_->config.partitions + lane.partition;
  }

  // How many records of the lane may be made by now, when event time has a pace.
  std::uint64_t due_now(const Lane& lane) const {
    const double speed = stream_->config.speed;
    if (speed <= 0) return lane.end - lane.next;
    if (started_ < Duration{0}) {
      started_ = clock_->monotonic();
      std::uint64_t first = ~std::uint64_t{0};
      for (const Lane& l : lanes_) first = std::min(first, index(l, l.next));
      from_index_ = first;
    }
    const double seconds =
        static_cast<double>((clock_->monotonic().micros - started_.micros)) / 1e6;
    const double made = seconds * speed * static_cast<double>(stream_->config.rate);
    const std::uint64_t upto = from_index_ + static_cast<std::uint64_t>(made);
    const std::uint64_t partitions = stream_->config.partitions;
    const std::uint64_t lane_upto =
        upto > lane.partition ? (upto - lane.partition + partitions - 1) / partitions : 0;
    return lane_upto > lane.next ? lane_upto - lane.next : 0;
  }

  void fill(Lane& lane, std::uint64_t records, RawBatch& out) {
    auto block = pool_.take();
    const EventTime arrival = clock_->wall();
    char* at = block.get();
    out.records.resize(records);
    for (RawRecord& record : out.records) {
      const std::size_t size = stream_->traffic.write(index(lane, lane.next), at);
      record.data = {at, size};
      record.position = lane.next++;
      record.arrival = arrival;
      at += size;
    }
    out.partition = lane.partition;
    out.buffer = std::move(block);
    out.padding = kBlockPadding;
  }

  std::shared_ptr<const Stream> stream_;
  const Clock* clock_;
  BlockPool pool_;
  std::vector<Lane> lanes_;
  mutable Duration started_{-1};
  mutable std::uint64_t from_index_ = 0;
};

class GenerateSource final : public Source {
 public:
  GenerateSource(std::shared_ptr<const Stream> stream, SourceContext context)
      : stream_(std::move(stream)), context_(std::move(context)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    return std::make_unique<GenerateReader>(stream_, context_, worker);
  }

 private:
  std::shared_ptr<const Stream> stream_;
  SourceContext context_;
};

class GeneratePlan final : public SourcePlan {
 public:
  GeneratePlan(GenerateConfig config, const TrafficConfig& traffic)
      : config_(std::move(config)), traffic_(traffic) {}
  bool bounded() const override { return config_.count > 0; }
  std::string describe() const override {
    const std::string many = config_.count > 0 ? fmt::format("{}", config_.count) : "endless";
    return fmt::format("{} made-up nginx requests, {} per second of event time, seed {}", many,
                       config_.rate, config_.seed);
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    auto stream = std::make_shared<const Stream>(Stream{config_, NginxTraffic(traffic_)});
    return std::make_unique<GenerateSource>(std::move(stream), std::move(context));
  }

 private:
  GenerateConfig config_;
  TrafficConfig traffic_;
};

}  // namespace

void add_generate_source(Registry& registry) {
  registry.add_source(generate_spec(),
                      [](GenerateConfig config, const ConfigNode& node,
                         Diagnostics& problems) -> std::unique_ptr<SourcePlan> {
                        const auto traffic = traffic_of(config, node, problems);
                        if (!traffic) return nullptr;
                        return std::make_unique<GeneratePlan>(std::move(config), *traffic);
                      });
}

}  // namespace streamd
