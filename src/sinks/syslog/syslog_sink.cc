// SPDX-License-Identifier: Apache-2.0
#include "engine/api/registry.h"
#include "engine/io/delivery/rendering.h"
#include "sinks/builtin_sinks.h"
#include "sinks/syslog/config.h"
#include "sinks/syslog/wire.h"
#include "sinks/syslog/writer.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

namespace streamd::syslog_out {
namespace {

using delivery::Answer;
using delivery::Item;

std::string local_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "-";
}

class Server final : public delivery::Destination {
 public:
  Server(const Config& config, std::shared_ptr<const MessageWriter> writer,
         std::shared_ptr<const http::TlsRules> rules, std::string pipeline)
      : writer_(std::move(writer)), wire_(config, std::move(rules)), ids_(std::move(pipeline)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) override {
    document_.clear();
    if (auto fault = writer_->write(batch, i, document_, scratch_)) return fault;
    item.id = ids_.of(batch, i);
    item.document = document_;
    if (batch.raw(i) != document_) item.raw = batch.raw(i);
    return std::nullopt;
  }
  Answer send(std::span<const Item> items, std::stop_token stop) override {
    return wire_.send(items, stop);
  }

 private:
  const std::shared_ptr<const MessageWriter> writer_;
  Wire wire_;
  delivery::RecordIds ids_;
  MessageWriter::Scratch scratch_;
  std::string document_;
};

class Plan final : public SinkPlan, public Renders {
 public:
  Plan(Config config, Templates templates, Place place)
      : config_(std::move(config)), templates_(std::move(templates)), place_(place) {}

  Needs needs() const override {
    Needs needs;
    templates_.needs(config_, needs);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    writer_ = MessageWriter::bind(config_, templates_, in, place_, local_host(), problems);
  }
  Promise promise() const override { return Promise::at_least_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("{} to {}, outbox of {}", FieldType<Format>::show(config_.format),
                       config_.to.text(), format_size(config_.outbox.size));
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    std::shared_ptr<const http::TlsRules> rules;
    if (config_.to.transport == net::Transport::tls) {
      auto made = http::tls_client_rules(config_.tls);
      if (!made) return tl::unexpected(std::move(made).error());
      rules = std::move(*made);
    }
    delivery::DeliveryOptions options;
    options.when = delivery::When::committed;
    options.batch_records = 1000;
    options.batch_bytes = 1 << 20;
    options.linger = Duration::from_millis(200);
    options.outbox.sync_sent = true;
    auto server = std::make_unique<Server>(config_, writer_, std::move(rules), context.pipeline);
    return delivery::open_sink(std::move(context), config_, options, std::move(server));
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext& context) const override {
    return std::make_unique<delivery::ItemRendering>(
        std::make_unique<Server>(config_, writer_, nullptr, context.pipeline),
        [](const Item& item, Sent& sent) { sent.text("message", item.document); });
  }

 private:
  const Config config_;
  const Templates templates_;
  const Place place_;
  std::shared_ptr<const MessageWriter> writer_;
};

std::unique_ptr<SinkPlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  auto templates = Templates::parse(config, problems);
  const ConfigNode* const data = node.find("structured_data");
  const Place place = data == nullptr ? node.place : data->place;
  return std::make_unique<Plan>(std::move(config), std::move(templates), place);
}

}  // namespace
}  // namespace streamd::syslog_out

namespace streamd {

void add_syslog_sink(Registry& registry) {
  registry.add_sink(syslog_out::spec(), syslog_out::make);
}

}  // namespace streamd
