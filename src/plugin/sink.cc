// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"
#include "engine/codec/encode.h"
#include "engine/io/delivery/delivery_sink.h"
#include "plugin/adapters.h"
#include "plugin/component.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace streamd::plugin {
namespace {

// Const once bound; outlives the instances.
struct SinkShape {
  const sd_sink* sink = nullptr;
  std::shared_ptr<const Settings> settings;
  InputColumns columns;
  std::shared_ptr<const JsonEncoder> json;

  bool whole() const { return (sink->flags & SD_SINK_WHOLE) != 0; }
};

class SinkTask final : public Sink, public Task {
 public:
  SinkTask(const SinkShape& shape, const SinkContext& context)
      : Task(around(*shape.settings, context, context.worker)),
        shape_(shape),
        abi_(shape.columns),
        ids_(context.pipeline) {}
  ~SinkTask() override {
    if (open_) static_cast<void>(run("close", [this] { shape_.sink->close(self_); }));
  }

  Status write(const Batch& batch, Emitter& out) override {
    STREAMD_TRY(open());
    arena_.clear();
    rejected_.clear();
    batch_ = &abi_.make(batch, arena_);
    in_ = &batch;
    const auto code = call("write", {}, [&] { return shape_.sink->write(self_, batch_); });
    in_ = nullptr;
    if (!code) return tl::unexpected(code.error());
    unflushed_ = true;
    for (const auto& [record, why] : rejected_) out.reject(batch, record, {why.first, why.second});
    return {};
  }
  Status barrier(Epoch) override { return {}; }
  // What comes between the barrier and this belongs to the next epoch and is flushed too early,
  // which is harmless.
  Result<bool> prepared(Epoch) override {
    if (!unflushed_) return true;
    const auto code = call("flush", {}, [this] { return shape_.sink->flush(self_); });
    if (!code) return tl::unexpected(code.error());
    unflushed_ = false;
    return true;
  }

  sd_code reject(std::size_t record, sd_view code, sd_view reason) override {
    if (in_ == nullptr) return Task::reject(record, code, reason);
    if (record >= batch_->rows) return misused(fmt::format("it rejected record {}", record));
    rejected_.emplace_back(record,
                           std::pair(std::string(from_abi(code)), std::string(from_abi(reason))));
    return SD_OK;
  }
  sd_code record_json(const sd_batch* batch, std::size_t record, void (*take)(void*, sd_view),
                      void* arg) override {
    if (in_ == nullptr || batch != batch_ || record >= batch_->rows || !shape_.json)
      return misused(shape_.json ? "it called record_json() of a record that is not there"
                                 : "it called record_json() without SD_SINK_WHOLE");
    text_.clear();
    shape_.json->append(*in_, record, text_);
    take(arg, to_abi(std::string_view(text_)));
    return SD_OK;
  }
  sd_code record_id(const sd_batch* batch, std::size_t record, char* digits) override {
    if (in_ == nullptr || batch != batch_ || record >= batch_->rows)
      return misused("it called record_id() of a record that is not there");
    std::memcpy(digits, ids_.of(*in_, record).data(), 32);
    return SD_OK;
  }

 private:
  Status open() {
    if (open_) return {};
    const auto code = call("open", {}, [this] {
      return shape_.sink->open(host_table(), static_cast<Task*>(this),
                               shape_.settings->options.values(), &self_);
    });
    if (!code) return tl::unexpected(code.error());
    open_ = true;
    return {};
  }

  const SinkShape& shape_;
  AbiBatch abi_;
  delivery::RecordIds ids_;
  Arena arena_;
  void* self_ = nullptr;
  bool open_ = false, unflushed_ = false;
  const Batch* in_ = nullptr;  // null outside of write()
  const sd_batch* batch_ = nullptr;
  std::vector<std::pair<std::size_t, std::pair<std::string, std::string>>> rejected_;
  std::string text_;
};

class PluginSinkPlan final : public SinkPlan {
 public:
  explicit PluginSinkPlan(SinkShape shape) : shape_(std::move(shape)) {}

  Needs needs() const override {
    Needs needs;
    needs.whole = shape_.whole();
    shape_.columns.fields(needs.fields);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    shape_.columns.bind(in, problems);
    if (shape_.whole()) shape_.json = std::make_shared<const JsonEncoder>(in);
  }
  Promise promise() const override { return Promise::at_least_once; }
  Placement placement() const override {
    return (shape_.sink->flags & SD_SINK_EACH_WORKER) != 0 ? Placement::each_worker
                                                           : Placement::one;
  }
  std::string describe() const override {
    return fmt::format("{} of {}", shape_.settings->type, shape_.settings->plugin);
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    return std::make_unique<SinkTask>(shape_, context);
  }

 private:
  SinkShape shape_;
};

}  // namespace

void add_sink(const Library& library, const sd_sink& sink, Registry& registry) {
  Registered<SinkPlan> added;
  added.view = view_of(*sink.spec, "sink", library.name());
  const SpecView own = added.view;
  added.make = [library, &sink, own](const ConfigNode& node, std::vector<const SpecView*> also,
                                     Diagnostics& problems) -> Made<SinkPlan> {
    const auto settings = read_node(library, *sink.spec, sink.check, own, node, also, problems);
    if (!settings) return {nullptr};
    return {std::make_unique<PluginSinkPlan>(SinkShape{&sink, settings, settings->columns, {}})};
  };
  registry.add(std::move(added));
}

}  // namespace streamd::plugin
