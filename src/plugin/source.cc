// SPDX-License-Identifier: Apache-2.0
#include "engine/api/nothing_reader.h"
#include "engine/api/spec.h"
#include "plugin/adapters.h"
#include "plugin/component.h"

#include <fmt/format.h>

#include <mutex>
#include <optional>
#include <utility>

namespace streamd::plugin {
namespace {

constexpr const char* kPartition = "plugin";

// What the control thread tells the reader.
struct Acknowledged {
  std::mutex mutex;
  std::optional<Position> position;
};

class SourceTask final : public Reader, public Task {
 public:
  SourceTask(const sd_source& source, std::shared_ptr<const Settings> settings,
             const SourceContext& context, std::shared_ptr<Acknowledged> acknowledged)
      : Task(around(*settings, context, 0)),
        source_(source),
        settings_(std::move(settings)),
        max_record_(context.max_record),
        acknowledged_(std::move(acknowledged)) {
    if (const auto stored = context.resume_at.find(kPartition); stored != context.resume_at.end())
      position_ = stored->second;
  }
  ~SourceTask() override {
    if (open_) static_cast<void>(run("close", [this] { source_.close(self_); }));
  }

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override {
    out.clear();
    if (ended_) return Pull::end;
    STREAMD_TRY(open());
    STREAMD_TRY(acknowledge());
    bytes_ = std::make_shared<std::string>();
    records_.clear();
    max_records_ = limits.max_records;
    const auto code = call("pull", {SD_IDLE, SD_END}, [&] {
      return source_.pull(self_, limits.max_records, limits.max_wait.micros);
    });
    max_records_ = 0;
    if (!code) return tl::unexpected(code.error());
    STREAMD_TRY(ask_position());
    ended_ = *code == SD_END;
    caught_up_ = *code != SD_OK;
    if (records_.empty()) return ended_ ? Pull::end : Pull::idle;
    hand_over(out);
    return Pull::data;
  }
  void partitions(std::vector<PartitionState>& out) override {
    out.push_back({0, position_, caught_up_, ended_});
  }
  std::string partition_name(std::uint32_t) const override { return kPartition; }

  sd_code record(sd_view data, std::uint64_t position, std::int64_t arrival) override {
    if (records_.size() >= max_records_)
      return misused(max_records_ == 0 ? "it called record() outside of pull()"
                                       : fmt::format("it handed over more than the {} records "
                                                     "that were asked for",
                                                     max_records_));
    const std::string_view text = from_abi(data);
    const bool fits = text.size() <= max_record_;
    records_.push_back({bytes_->size(), fits ? text.size() : max_record_, position, arrival, fits});
    bytes_->append(text.substr(0, max_record_));
    return SD_OK;
  }
  sd_code position(sd_view text) override {
    if (!asking_) return misused("it called position() outside of position()");
    constexpr std::size_t kLongest = 64 * 1024;
    if (text.size > kLongest) return misused("its position has more than 64 KiB");
    position_ = from_abi(text);
    return SD_OK;
  }

 private:
  struct Taken {
    std::size_t at, size;
    std::uint64_t position;
    std::int64_t arrival;
    bool fits;
  };

  Status open() {
    if (open_) return {};
    const auto code = call("open", {}, [&] {
      return source_.open(host_table(), static_cast<Task*>(this), settings_->options.values(),
                          to_abi(std::string_view(position_)), &self_);
    });
    if (!code) return tl::unexpected(code.error());
    open_ = true;
    return {};
  }
  Status acknowledge() {
    if (source_.acknowledge == nullptr) return {};
    std::optional<Position> position;
    {
      const std::lock_guard lock(acknowledged_->mutex);
      position.swap(acknowledged_->position);
    }
    if (!position) return {};
    const auto code = call("acknowledge", {}, [&] {
      return source_.acknowledge(self_, to_abi(std::string_view(*position)));
    });
    if (!code) return tl::unexpected(code.error());
    return {};
  }
  Status ask_position() {
    asking_ = true;
    const auto code = call("position", {}, [this] { return source_.position(self_); });
    asking_ = false;
    if (!code) return tl::unexpected(code.error());
    return {};
  }
  void hand_over(RawBatch& out) {
    const char* const base = bytes_->data();
    for (const Taken& taken : records_) {
      RawRecord record;
      record.data = {base + taken.at, taken.size};
      record.position = taken.position;
      record.arrival = {taken.arrival};
      if (!taken.fits) record.fault = "too-long";
      out.records.push_back(record);
    }
    out.buffer = std::move(bytes_);
  }

  const sd_source& source_;
  const std::shared_ptr<const Settings> settings_;
  const std::size_t max_record_;
  const std::shared_ptr<Acknowledged> acknowledged_;
  void* self_ = nullptr;
  bool open_ = false, ended_ = false, caught_up_ = false, asking_ = false;
  Position position_;
  std::size_t max_records_ = 0;  // 0: not in pull()
  std::shared_ptr<std::string> bytes_;
  std::vector<Taken> records_;
};

class PluginSource final : public Source {
 public:
  PluginSource(const sd_source& source, std::shared_ptr<const Settings> settings,
               SourceContext context)
      : source_(source),
        settings_(std::move(settings)),
        context_(std::move(context)),
        acknowledged_(std::make_shared<Acknowledged>()) {}

  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    if (worker != 0) return std::make_unique<NothingReader>();
    return std::make_unique<SourceTask>(source_, settings_, context_, acknowledged_);
  }
  Status acknowledge(Epoch, const Positions& positions) override {
    const auto own = positions.find(kPartition);
    if (own == positions.end()) return {};
    const std::lock_guard lock(acknowledged_->mutex);
    acknowledged_->position = own->second;
    return {};
  }

 private:
  const sd_source& source_;
  const std::shared_ptr<const Settings> settings_;
  const SourceContext context_;
  const std::shared_ptr<Acknowledged> acknowledged_;
};

class PluginSourcePlan final : public SourcePlan {
 public:
  PluginSourcePlan(const sd_source& source, std::shared_ptr<const Settings> settings)
      : source_(source), settings_(std::move(settings)) {}

  bool bounded() const override { return (source_.flags & SD_SOURCE_BOUNDED) != 0; }
  std::string describe() const override {
    return fmt::format("{} of {}", settings_->type, settings_->plugin);
  }
  std::string default_decode() const override {
    return source_.decode.size == 0 ? "json" : std::string(from_abi(source_.decode));
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    return std::make_unique<PluginSource>(source_, settings_, std::move(context));
  }

 private:
  const sd_source& source_;
  const std::shared_ptr<const Settings> settings_;
};

}  // namespace

void add_source(const Library& library, const sd_source& source, Registry& registry) {
  Registered<SourcePlan> added;
  added.view = view_of(*source.spec, "source", library.name());
  const SpecView own = added.view;
  added.make = [library, &source, own](const ConfigNode& node, std::vector<const SpecView*> also,
                                       Diagnostics& problems) -> Made<SourcePlan> {
    const auto settings = read_node(library, *source.spec, source.check, own, node, also, problems);
    if (!settings) return {nullptr};
    return {std::make_unique<PluginSourcePlan>(source, settings)};
  };
  registry.add(std::move(added));
}

}  // namespace streamd::plugin
