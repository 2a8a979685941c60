// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_type.h"
#include "engine/expr/template.h"
#include "engine/io/delivery/delivery_sink.h"
#include "engine/io/delivery/rendering.h"
#include "engine/io/http/client.h"
#include "engine/io/http/config.h"
#include "sinks/builtin_sinks.h"
#include "sinks/discord/message.h"
#include "sinks/discord/webhook.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace streamd {
namespace discord {

struct Config : http::HttpConfig, delivery::DeliveryConfig {
  http::Url webhook;
  std::optional<TemplateText> message, title, url, footer;
  std::vector<std::pair<std::string, TemplateText>> fields;
  std::string color;
  std::string username, avatar;
  std::string thread_id;
};

namespace {

using delivery::Answer;
using delivery::Item;

// "#e74c3c" or the name of one; nullopt: neither.
std::optional<std::uint32_t> color_of(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::uint32_t>, 5> kNames = {
      {{"red", 0xe74c3c},
       {"orange", 0xe67e22},
       {"yellow", 0xf1c40f},
       {"green", 0x2ecc71},
       {"blue", 0x3498db}}};
  for (const auto& [name, value] : kNames)
    if (text == name) return value;
  std::uint32_t value = 0;
  if (text.size() != 7 || text.front() != '#') return std::nullopt;
  const auto read = std::from_chars(text.data() + 1, text.data() + 7, value, 16);
  if (read.ec != std::errc() || read.ptr != text.data() + 7) return std::nullopt;
  return value;
}

// The texts of an alert: parsed, or bound to a schema.
template <class T>
struct Texts {
  std::optional<T> message, title, url, footer;
  std::vector<std::pair<std::string, T>> fields;
};

class Channel final : public delivery::Destination {
 public:
  Channel(std::shared_ptr<const Texts<expr::BoundTemplate>> texts, Alert look, Webhook webhook,
          std::string pipeline)
      : texts_(std::move(texts)),
        look_(std::move(look)),
        webhook_(std::move(webhook)),
        ids_(std::move(pipeline)) {}

  std::optional<Fault> encode(const Batch& batch, std::size_t i, Item& item) override {
    Alert alert = look_;
    why_.clear();
    const auto render = [&](const std::optional<expr::BoundTemplate>& text, std::string& into) {
      return !text || text->render(batch, i, into, &why_, escape);
    };
    bool good = render(texts_->message, alert.text) && render(texts_->title, alert.title) &&
                render(texts_->footer, alert.footer) &&
                (!texts_->url || texts_->url->render(batch, i, alert.url, &why_));
    for (const auto& [name, text] : texts_->fields) {
      alert.fields.emplace_back(name, "");
      good = good && text.render(batch, i, alert.fields.back().second, &why_, escape);
    }
    if (!good) return Fault{"template", why_};
    if (alert.embed && batch.time(i) != EventTime::min())
      alert.timestamp = fmt::format(
          "{:%Y-%m-%dT%H:%M:%SZ}",
          std::chrono::floor<std::chrono::seconds>(std::chrono::sys_time<std::chrono::microseconds>(
              std::chrono::microseconds(batch.time(i).micros))));
    document_ = discord::encode(alert);
    if (document_.empty()) return Fault{"template", "the message is empty"};
    item.id = ids_.of(batch, i);
    item.document = document_;
    item.raw = batch.raw(i);
    return std::nullopt;
  }

  Answer send(std::span<const Item> items, std::stop_token stop) override {
    std::vector<std::string_view> alerts;
    for (const auto& item : items) alerts.push_back(item.document);
    return webhook_.send(alerts, stop);
  }

 private:
  const std::shared_ptr<const Texts<expr::BoundTemplate>> texts_;
  const Alert look_;
  Webhook webhook_;
  delivery::RecordIds ids_;
  std::string document_, why_;
};

constexpr std::array<SentField, 2> kSent = {
    {{"content", "the text, where it is no embed"},
     {"embed", "as Discord gets it: title, description, …"}}};

class Plan final : public SinkPlan, public Renders {
 public:
  Plan(Config config, http::Url address, Texts<expr::Template> texts)
      : config_(std::move(config)), address_(std::move(address)), texts_(std::move(texts)) {}

  Needs needs() const override {
    Needs needs;
    for (const auto* text : {&texts_.message, &texts_.title, &texts_.url, &texts_.footer})
      if (*text) (*text)->fields(needs.fields);
    for (const auto& [name, text] : texts_.fields) text.fields(needs.fields);
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    auto bound = std::make_shared<Texts<expr::BoundTemplate>>();
    if (texts_.message) bound->message = texts_.message->bind(in, problems);
    if (texts_.title) bound->title = texts_.title->bind(in, problems);
    if (texts_.url) bound->url = texts_.url->bind(in, problems);
    if (texts_.footer) bound->footer = texts_.footer->bind(in, problems);
    for (const auto& [name, text] : texts_.fields)
      if (auto field = text.bind(in, problems)) bound->fields.emplace_back(name, std::move(*field));
    bound_ = std::move(bound);
  }
  Promise promise() const override { return Promise::at_least_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("a Discord channel by its webhook at {}", address_.host);
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    auto client = http::Client::make(http::options_of(config_), *context.clock);
    if (!client) return tl::unexpected(std::move(client).error());
    auto global = context.shared->get_or_make<GlobalPause>(
        "discord", [] { return std::make_shared<GlobalPause>(); });
    delivery::DeliveryOptions options;
    options.when = delivery::When::committed;
    options.batch_records = kEmbeds;
    options.batch_bytes = 64 << 10;
    options.linger = Duration::from_seconds(1);
    options.outbox.sync_sent = true;
    auto channel = channel_of(context, std::move(*client), std::move(global));
    return delivery::open_sink(std::move(context), config_, options, std::move(channel));
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext& context) const override {
    return std::make_unique<delivery::ItemRendering>(
        channel_of(context, nullptr, nullptr), [embed = embed()](const Item& item, Sent& sent) {
          if (embed)
            sent.json("embed", item.document);
          else
            sent.text("content", item.document);
        });
  }

 private:
  std::unique_ptr<Channel> channel_of(const SinkContext& context,
                                      std::unique_ptr<http::Client> client,
                                      std::shared_ptr<GlobalPause> global) const {
    Alert look;
    look.embed = embed();
    look.color = color_of(config_.color);
    Webhook webhook(address_, {look.embed, config_.username, config_.avatar}, std::move(client),
                    *context.clock, std::move(global));
    return std::make_unique<Channel>(bound_, std::move(look), std::move(webhook), context.pipeline);
  }
  // Plain text needs no frame around it.
  bool embed() const {
    return texts_.title || texts_.url || texts_.footer || !texts_.fields.empty() ||
           !config_.color.empty();
  }

  Config config_;
  http::Url address_;
  Texts<expr::Template> texts_;
  std::shared_ptr<const Texts<expr::BoundTemplate>> bound_;
};

std::unique_ptr<SinkPlan> make(Config config, const ConfigNode& node, Diagnostics& problems) {
  auto address = webhook_url(config.webhook, config.thread_id);
  if (!address)
    problems.error("bad-webhook", node.find("webhook")->place, address.error().message,
                   address.error().hint);
  if (!config.color.empty() && !color_of(config.color))
    problems.error("bad-color", node.find("color")->place, "this is no color",
                   "write #rrggbb, or red, orange, yellow, green or blue");
  if (config.fields.size() > kFields)
    problems.error("too-many-fields", node.find("fields")->place,
                   fmt::format("Discord shows at most {} fields", kFields));
  Texts<expr::Template> texts;
  if (config.message) texts.message = expr::Template::parse(*config.message, problems);
  if (config.title) texts.title = expr::Template::parse(*config.title, problems);
  if (config.url) texts.url = expr::Template::parse(*config.url, problems);
  if (config.footer) texts.footer = expr::Template::parse(*config.footer, problems);
  for (const auto& [name, text] : config.fields)
    if (auto field = expr::Template::parse(text, problems))
      texts.fields.emplace_back(name, std::move(*field));
  return std::make_unique<Plan>(std::move(config), std::move(address).value_or(http::Url{}),
                                std::move(texts));
}

}  // namespace
}  // namespace discord

void add_discord_sink(Registry& registry) {
  using C = discord::Config;
  auto spec =
      Spec<C>("discord")
          .summary("Posts records as messages to a Discord channel.")
          .details(
              "Each record is an alert. With a title, fields or a color it is an embed, else a "
              "line "
              "of text; alerts that come together share a message, up to ten embeds and to the "
              "sizes "
              "that Discord allows. What is too long is cut, with an ellipsis.\n\n"
              "What expressions print is escaped: nothing in a log can make a link, a mention or "
              "markdown of itself. The template's own text is markdown.\n\n"
              "Rate limits are kept to, as Discord tells them and as they are known: after a burst "
              "of "
              "five, a message every two seconds. Alerts wait in the outbox meanwhile. They go out "
              "when their checkpoint is done, and only what was on its way during a crash can come "
              "twice; when the outbox is full before that, it is sent sooner, and what it held can "
              "come twice. A webhook that was deleted is not called again; its alerts become dead "
              "letters." +
              sent_details(discord::kSent))
          .promise("at least once")
          .field(&C::webhook, {.name = "webhook",
                               .help = "The webhook's address. Whoever has it can post.",
                               .required = true,
                               .secret = true,
                               .examples = {"${DISCORD_WEBHOOK}"}})
          .field(&C::message, {.name = "message",
                               .help = "The text, or the embed's description.",
                               .examples = {"'{{ client_ip }} asked {{ requests }} times'"}})
          .field(&C::title, {.name = "title", .help = "The embed's title."})
          .field(&C::url, {.name = "url", .help = "Where the title leads."})
          .field(&C::fields, {.name = "fields",
                              .help = "Names and values that the embed shows side by side; empty "
                                      "ones are left out.",
                              .examples = {"{host: '{{ host }}', country: '{{ country }}'}"}})
          .field(&C::footer, {.name = "footer", .help = "Small text below."})
          .field(&C::color, {.name = "color",
                             .help = "The embed's edge: #rrggbb, red, orange, yellow, green, blue.",
                             .examples = {"red"}})
          .field(&C::username, {.name = "username", .help = "Shown instead of the webhook's name."})
          .field(&C::avatar, {.name = "avatar",
                              .help = "Address of a picture, shown instead of the webhook's.",
                              .advanced = true})
          .field(&C::thread_id,
                 {.name = "thread_id", .help = "A thread of the channel to post into."})
          .rule("there is a message, a title or fields",
                [](const C& c) { return c.message || c.title || !c.fields.empty(); })
          .rule("batch.records is at most 10",
                [](const C& c) { return c.batch.records.value_or(10) <= discord::kEmbeds; })
          .example("A line",
                   "webhook: ${DISCORD_WEBHOOK}\nmessage: '{{ client_ip }}: {{ requests }}'")
          .example("An embed",
                   "webhook: ${DISCORD_WEBHOOK}\ntitle: 'Port {{ port }} is open'\n"
                   "message: '{{ product }} on {{ ip_str }}'\ncolor: red\n"
                   "fields: {org: '{{ org }}'}");
  http::with_http_fields(spec, http::Login::own);
  delivery::add_fields(spec);
  registry.add_sink(std::move(spec), discord::make);
}

}  // namespace streamd
