// SPDX-License-Identifier: Apache-2.0
#include "sinks/stdout_sink.h"

#include "engine/api/rendering.h"
#include "engine/codec/encode.h"
#include "engine/expr/template.h"
#include "sinks/builtin_sinks.h"
#include "sinks/line_outlet.h"
#include "sinks/time_style.h"

#include <algorithm>
#include <array>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

enum class LineEncoding { json, text };

}  // namespace

template <>
struct EnumNames<LineEncoding> {
  static constexpr std::array<std::pair<LineEncoding, std::string_view>, 2> values = {
      {{LineEncoding::json, "json"}, {LineEncoding::text, "text"}}};
};

namespace {

struct StdoutConfig {
  LineEncoding encode = LineEncoding::json;
  std::optional<TemplateText> message;
  TimeStyle time_format = TimeStyle::rfc3339;
};

class LineSink final : public Sink {
 public:
  LineSink(int descriptor, LineWriter line)
      : outlet_(LineOutlet::of(descriptor)), line_(std::move(line)) {
    // A terminal may show a progress line where this one is going to be.
    if (::isatty(descriptor) != 0) line_end_ = "\x1b[K\n";
  }

  Status write(const Batch& batch, Emitter& out) override {
    // What others add meanwhile is not waited for, or one of them could keep this one out for ever.
    const LineOutlet::Mark before = outlet_->end();
    STREAMD_TRY(outlet_->flush(before, kPatience));
    if (!outlet_->reached(before))
      return fail_for_now("nobody reads standard output", "The run waits for the reader.");
    print(batch, out);
    // The batch is taken now: a failure that may heal must not bring it again, so the next call
    // reports it if it is still there.
    if (Status flushed = flush(); !flushed && flushed.error().retry == Retry::never) return flushed;
    return {};
  }
  Status tick(Emitter&) override { return flush(); }
  Status barrier(Epoch) override { return {}; }
  Result<bool> prepared(Epoch) override {
    STREAMD_TRY(flush());
    return outlet_->reached(mine_);
  }
  void close() noexcept override { static_cast<void>(flush()); }

 private:
  static constexpr Duration kPatience = Duration::from_seconds(1);

  void print(const Batch& batch, Emitter& out) {
    lines_.clear();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::size_t before = lines_.size();
      if (line_(batch, i, lines_, &why_)) {
        lines_ += line_end_;
        continue;
      }
      lines_.resize(before);
      out.reject(batch, i, {"template", why_});
    }
    mine_ = outlet_->add(lines_);
  }
  Status flush() { return outlet_->flush(mine_, Duration{}); }

  const std::shared_ptr<LineOutlet> outlet_;
  LineOutlet::Mark mine_ = 0;  // the end of this sink's lines
  LineWriter line_;
  std::string_view line_end_ = "\n";
  std::string lines_;
  std::string why_;
};

constexpr std::array<SentField, 1> kSent = {
    {{"line", "as JSON, or the text of `message`; without its end"}}};

class LineRendering final : public Rendering {
 public:
  LineRendering(LineWriter line, bool json) : line_(std::move(line)), json_(json) {}
  std::optional<Fault> render(const Batch& batch, std::size_t i, Sent& sent) override {
    std::string text;
    if (!line_(batch, i, text, &why_)) return Fault{"template", why_};
    sent.parts.push_back({kSent[0].name, std::move(text), json_});
    return std::nullopt;
  }

 private:
  const LineWriter line_;
  const bool json_;
  std::string why_;
};

class StdoutPlan final : public SinkPlan, public Renders {
 public:
  StdoutPlan(StdoutConfig config, std::optional<expr::Template> message)
      : config_(std::move(config)), message_(std::move(message)) {}

  Needs needs() const override {
    Needs needs;
    if (message_)
      message_->fields(needs.fields);
    else
      needs.whole = true;
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    if (message_) {
      if (auto bound = message_->bind(in, problems)) bound_ = std::move(*bound);
      return;
    }
    json_ = std::make_shared<const JsonEncoder>(in, config_.time_format);
  }
  Promise promise() const override { return Promise::at_least_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return message_ ? "standard output, one message per record" : "standard output, JSON lines";
  }
  Result<std::unique_ptr<Sink>> open(SinkContext) const override {
    return open_line_sink(STDOUT_FILENO, writer());
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext&) const override {
    return std::make_unique<LineRendering>(writer(), !message_);
  }

 private:
  LineWriter writer() const {
    if (message_)
      return [bound = bound_](const Batch& batch, std::size_t i, std::string& out,
                              std::string* why) { return bound.render(batch, i, out, why); };
    return [json = json_](const Batch& batch, std::size_t i, std::string& out, std::string*) {
      json->append(batch, i, out);
      return true;
    };
  }

  StdoutConfig config_;
  std::optional<expr::Template> message_;
  expr::BoundTemplate bound_;
  std::shared_ptr<const JsonEncoder> json_;
};

}  // namespace

std::unique_ptr<Sink> open_line_sink(int descriptor, LineWriter line) {
  return std::make_unique<LineSink>(descriptor, std::move(line));
}

void add_stdout_sink(Registry& registry) {
  using C = StdoutConfig;
  registry.add_sink(
      Spec<C>("stdout")
          .summary("Writes records as lines to standard output.")
          .details("A record for which the message cannot be made (a missing field) becomes a dead "
                   "letter with code `template`." +
                   sent_details(kSent))
          .promise("at least once: lines after the last checkpoint are written again")
          .field(&C::encode,
                 {.name = "encode", .help = "JSON objects, or text made from `message`."})
          .field(&C::message, {.name = "message",
                               .help = "Text with {{ expressions }}, for encode: text.",
                               .examples = {"'{{ client_ip }}: {{ requests }}'"}})
          .field(&C::time_format,
                 {.name = "time_format",
                  .help = "How JSON shows timestamps: RFC 3339 text, or seconds since 1970."})
          .rule(
              "encode: text needs message, and message needs encode: text",
              [](const C& c) { return c.message.has_value() == (c.encode == LineEncoding::text); })
          .example("JSON lines", "encode: json")
          .example("A line for people",
                   "encode: text\nmessage: '{{ client_ip }} sent {{ requests }} requests'"),
      [](C config, const ConfigNode&, Diagnostics& problems) -> std::unique_ptr<SinkPlan> {
        std::optional<expr::Template> message;
        if (config.message) message = expr::Template::parse(*config.message, problems);
        return std::make_unique<StdoutPlan>(std::move(config), std::move(message));
      });
}

}  // namespace streamd
