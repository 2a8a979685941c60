// SPDX-License-Identifier: Apache-2.0
#include "sources/stdin_source.h"

#include "engine/api/nothing_reader.h"
#include "sources/arrival_numbers.h"
#include "sources/builtin_sources.h"
#include "sources/line_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

constexpr std::string_view kPartition = "stdin";

struct StdinConfig {};

std::string_view stored_position(const Positions& positions) {
  const auto found = positions.find(std::string(kPartition));
  return found == positions.end() ? std::string_view{} : found->second;
}

class LineStreamReader final : public Reader {
 public:
  LineStreamReader(int descriptor, const SourceContext& context)
      : descriptor_(descriptor),
        clock_(context.clock),
        lines_(context.max_record),
        numbers_(stored_position(context.resume_at), *context.clock) {}

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
    out.push_back({0, numbers_.position(), caught_up_, at_end_ && lines_.empty()});
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

  Status read_more() {
    const auto room = lines_.room();
    const ssize_t got = ::read(descriptor_, room.at, room.size);
    if (got < 0) {
      if (errno == EINTR || errno == EAGAIN) return {};
      return fail(ErrorKind::external, fmt::format("cannot read input: {}", std::strerror(errno)));
    }
    at_end_ = got == 0;
    if (at_end_) lines_.finish();
    lines_.filled(static_cast<std::size_t>(got));
    return {};
  }

  void hand_out(std::size_t max_records, RawBatch& out) {
    lines_.take(clock_->wall(), max_records, out);
    if (!out.records.empty()) numbers_.number(out.records);
  }

  int descriptor_;
  const Clock* clock_;
  LineBuffer lines_;
  ArrivalNumbers numbers_;
  bool at_end_ = false;
  bool caught_up_ = false;
};

class LineStreamSource final : public Source {
 public:
  LineStreamSource(int descriptor, SourceContext context)
      : descriptor_(descriptor), context_(std::move(context)) {}
  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    if (worker != 0) return std::make_unique<NothingReader>();
    return std::make_unique<LineStreamReader>(descriptor_, context_);
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
