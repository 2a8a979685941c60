// SPDX-License-Identifier: Apache-2.0
#include "sinks/stdout_sink.h"

#include "engine/api/rendering.h"
#include "engine/codec/encode.h"
#include "engine/expr/template.h"
#include "sinks/builtin_sinks.h"
#include "sinks/time_style.h"

#include <fmt/format.h>
#include <limits.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/stat.h>
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
  LineSink(int descriptor, LineWriter line) : descriptor_(descriptor), line_(std::move(line)) {
    struct stat about {};
    const bool file = ::fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    if (file) piece_ = SIZE_MAX;
    // A terminal may show a progress line where this one is going to be.
    if (::isatty(descriptor) != 0) line_end_ = "\x1b[K\n";
  }

  Status write(const Batch& batch, Emitter& out) override {
    STREAMD_TRY(flush(kPatience));
    if (!pending_.empty())
      return fail_for_now("nobody reads standard output", "The run waits for the reader.");
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::size_t before = pending_.size();
      if (line_(batch, i, pending_, &why_)) {
        pending_ += line_end_;
        continue;
      }
      pending_.resize(before);
      out.reject(batch, i, {"template", why_});
    }
    // The batch is taken now: a failure that may heal must not bring it again, so the next call
    // reports it if it is still there.
    if (Status flushed = flush(Duration{}); !flushed && flushed.error().retry == Retry::never)
      return flushed;
    return {};
  }
  Status tick(Emitter&) override { return flush(Duration{}); }
  Status barrier(Epoch) override { return {}; }
  Result<bool> prepared(Epoch) override {
    STREAMD_TRY(flush(Duration{}));
    return pending_.empty();
  }
  void close() noexcept override { static_cast<void>(flush(Duration{})); }

 private:
  // What poll() calls writable takes this much without waiting for the reader.
  static constexpr std::size_t kPiece = PIPE_BUF;
  static constexpr Duration kPatience = Duration::from_seconds(1);

  // Never waits longer than `patience` for a reader, so that a stop is not held up; what it does
  // not take stays pending.
  Status flush(Duration patience) {
    std::size_t done = 0;
    int code = 0;
    while (done < pending_.size()) {
      pollfd ready{descriptor_, POLLOUT, 0};
      const int polled = ::poll(&ready, 1, static_cast<int>(patience.micros / 1000));
      if (polled < 0 && errno == EINTR) continue;
      if (polled == 0) break;
      const ssize_t wrote =
          ::write(descriptor_, pending_.data() + done, std::min(piece_, pending_.size() - done));
      if (wrote >= 0) {
        done += static_cast<std::size_t>(wrote);
      } else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
        code = errno;
        break;
      }
    }
    pending_.erase(0, done);
    return code == 0 ? Status{} : report(code);
  }

  static Status report(int code) {
    if (code == EPIPE)
      return fail(ErrorKind::external, "nobody reads standard output any more",
                  "The program behind the pipe has ended.");
    const std::string text =
        fmt::format("cannot write to standard output: {}", std::strerror(code));
    if (code == ENOSPC) return fail_for_now(text, "Free some space; writing goes on then.");
    return fail(ErrorKind::external, text);
  }

  int descriptor_;
  std::size_t piece_ = kPiece;
  LineWriter line_;
  std::string_view line_end_ = "\n";
  std::string pending_;
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
