// SPDX-License-Identifier: Apache-2.0
#include "sources/stdin_source.h"

#include "sources/builtin_sources.h"
#include "sources/line_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

constexpr std::string_view kPartition = "stdin";

struct StdinConfig {};

std::uint64_t stored_count(const Positions& positions) {
  const auto found = positions.find(std::string(kPartition));
  if (found == positions.end() || !found->second.starts_with("1:")) return 0;
  std::uint64_t count = 0;
  std::from_chars(found->second.data() + 2, found->second.data() + found->second.size(), count);
  return count;
}

class LineStreamReader final : public Reader {
 public:
  LineStreamReader(int descriptor, std::size_t max_record, const Clock* clock, std::uint64_t count)
      : descriptor_(descriptor), max_record_(max_record), clock_(clock), count_(count) {}

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    hand_out(limits.max_records, out);
    if (!out.records.empty()) return Pull::data;
    if (at_end_) return Pull::end;
    auto ready = wait(limits.max_wait);
    if (!ready) return tl::unexpected(std::move(ready).error());
    caught_up_ = !*ready;
    if (!*ready) return Pull::idle;
    STREAMD_TRY(read_more());
    hand_out(limits.max_records, out);
    if (!out.records.empty()) return Pull::data;
    return at_end_ ? Pull::end : Pull::idle;
  }

  void partitions(std::vector<PartitionState>& out) override {
    out.push_back({0, fmt::format("1:{}", count_), caught_up_, at_end_ && begin_ == end_});
  }
  std::string partition_name(std::uint32_t) const override { return std::string(kPartition); }

 private:
  Result<bool> wait(Duration limit) {
    pollfd waiting{descriptor_, POLLIN, 0};
    const int millis =
        static_cast<int>(std::clamp<std::int64_t>((limit.micros + 999) / 1000, 0, 60'000));
    const int events = ::poll(&waiting, 1, millis);
    if (events < 0 && errno != EINTR)
      return fail(ErrorKind::external,
                  fmt::format("cannot wait for input: {}", std::strerror(errno)));
    return events > 0;
  }

  // Room for more in a block that no batch looks at: the unfinished line moves to a new one.
  void make_room() {
    const std::size_t rest = end_ - begin_;
    auto fresh = pool_.take(std::max(kBlockBytes, rest * 2));
    if (rest > 0) std::memcpy(fresh.get(), block_.get() + begin_, rest);
    capacity_ = std::max(kBlockBytes, rest * 2);
    block_ = std::move(fresh);
    begin_ = 0;
    end_ = rest;
    lent_ = false;
  }

  Status read_more() {
    if (!block_ || lent_ || end_ == capacity_) make_room();
    const ssize_t got = ::read(descriptor_, block_.get() + end_, capacity_ - end_);
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) return {};
      return fail(ErrorKind::external, fmt::format("cannot read input: {}", std::strerror(errno)));
    }
    if (got == 0) at_end_ = true;
    end_ += static_cast<std::size_t>(got);
    return {};
  }

  void hand_out(std::size_t max_records, RawBatch& out) {
    if (!block_) return;
    if (skipping_ && !skip_rest_of_line()) return;
    const EventTime arrival = clock_->wall();
    begin_ += take_lines(block_.get() + begin_, end_ - begin_, 0, arrival, max_records, out);
    if (out.records.size() < max_records) hand_out_rest(arrival, out);
    for (RawRecord& record : out.records) {
      record.position = count_++;
      if (record.fault.empty() && record.data.size() > max_record_) mark_too_long(record);
    }
    if (out.records.empty()) return;
    out.buffer = block_;
    out.padding = kBlockPadding;
    lent_ = true;
  }

  // What follows the last LF: the last line of the input, or the beginning of one that is too long.
  void hand_out_rest(EventTime arrival, RawBatch& out) {
    const std::size_t rest = end_ - begin_;
    const bool too_long = rest > max_record_ + 1;
    if (rest == 0 || (!at_end_ && !too_long)) return;
    if (std::memchr(block_.get() + begin_, '\n', rest) != nullptr) return;
    append_line(block_.get() + begin_, rest, 0, arrival, out);
    begin_ = end_;
    skipping_ = !at_end_;
  }

  static void mark_too_long(RawRecord& record) {
    record.data = record.data.substr(0, kFaultBytes);
    record.fault = "too-long";
  }

  bool skip_rest_of_line() {
    const void* found = std::memchr(block_.get() + begin_, '\n', end_ - begin_);
    skipping_ = found == nullptr && !at_end_;
    begin_ = found == nullptr
                 ? end_
                 : static_cast<std::size_t>(static_cast<const char*>(found) - block_.get()) + 1;
    return !skipping_;
  }

  int descriptor_;
  std::size_t max_record_;
  const Clock* clock_;
  std::uint64_t count_;
  BlockPool pool_;
  std::shared_ptr<char[]> block_;
  std::size_t begin_ = 0, end_ = 0, capacity_ = 0;
  bool lent_ = false;      // a batch points into block_
  bool skipping_ = false;  // inside a line that was handed out as too long
  bool at_end_ = false;
  bool caught_up_ = false;
};

class NothingReader final : public Reader {
 public:
  Result<Pull> pull(const PullLimits&, RawBatch& out) override {
    out.clear();
    return Pull::end;
  }
  void partitions(std::vector<PartitionState>&) override {}
  std::string partition_name(std::uint32_t) const override { return {}; }
};

class LineStreamSource final : public Source {
 public:
  LineStreamSource(int descriptor, SourceContext context)
      : descriptor_(descriptor), context_(std::move(context)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    if (worker != 0) return std::make_unique<NothingReader>();
    return std::make_unique<LineStreamReader>(descriptor_, context_.max_record, context_.clock,
                                              stored_count(context_.resume_at));
  }

 private:
  int descriptor_;
  SourceContext context_;
};

class StdinPlan final : public SourcePlan {
 public:
  bool bounded() const override { return true; }
  std::string describe() const override {
    return "standard input; what was read before a crash does not come back";
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    return open_line_stream(STDIN_FILENO, std::move(context));
  }
};

}  // namespace

std::unique_ptr<Source> open_line_stream(int descriptor, SourceContext context) {
  return std::make_unique<LineStreamSource>(descriptor, std::move(context));
}

void add_stdin_source(Registry& registry) {
  registry.add_source(
      Spec<StdinConfig>("stdin")
          .summary("Reads records by line from standard input.")
          .details(
              "Ends with the input. Cannot be read twice: records that were read after the last "
              "checkpoint are lost with a crash. Empty lines are skipped; a line longer than "
              "`max_record` becomes a dead letter.")
          .promise("at most once over a crash: the input cannot be read again")
          .example("JSON lines from a pipe", "decode: json"),
      [](StdinConfig, const ConfigNode&, Diagnostics&) -> std::unique_ptr<SourcePlan> {
        return std::make_unique<StdinPlan>();
      });
}

}  // namespace streamd
