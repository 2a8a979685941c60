// SPDX-License-Identifier: Apache-2.0
#include "engine/api/rendering.h"
#include "engine/codec/encode.h"
#include "sinks/builtin_sinks.h"
#include "sinks/file_segments.h"
#include "sinks/start_mark.h"
#include "sinks/time_style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

namespace streamd {
namespace {

enum class FileEncoding { json, csv };
enum class Existing { append, replace, refuse };

struct Rotation {
  ByteSize size{0};
  Duration every{};
  std::uint64_t keep = 0;
};

struct FileSinkConfig {
  std::string path;
  FileEncoding encode = FileEncoding::json;
  Rotation rotate;
  TimeStyle time_format = TimeStyle::rfc3339;
  Existing existing = Existing::append;
};

}  // namespace

template <>
struct EnumNames<FileEncoding> {
  static constexpr std::array<std::pair<FileEncoding, std::string_view>, 2> values = {
      {{FileEncoding::json, "json"}, {FileEncoding::csv, "csv"}}};
};
template <>
struct EnumNames<Existing> {
  static constexpr std::array<std::pair<Existing, std::string_view>, 3> values = {
      {{Existing::append, "append"}, {Existing::replace, "replace"}, {Existing::refuse, "refuse"}}};
};
template <>
struct NestedSpec<Rotation> {
  static const Spec<Rotation>& spec() {
    static const Spec<Rotation> spec =
        Spec<Rotation>("rotation")
            .field(&Rotation::size,
                   {.name = "size",
                    .help = "A file never gets longer, unless by one record; 0 = no limit.",
                    .examples = {"1GiB"}})
            .field(
                &Rotation::every,
                {.name = "every",
                 .help =
                     "A file takes records for at most so long, by the wall clock; 0s = no limit.",
                 .examples = {"1h"}})
            .field(&Rotation::keep,
                   {.name = "keep",
                    .help = "How many full files are kept; older ones are deleted. 0 = all.",
                    .examples = {"8"}})
            .rule("every is not negative", [](const Rotation& r) { return r.every.micros >= 0; })
            .rule("keep needs size or every, or no file is ever full", [](const Rotation& r) {
              return r.keep == 0 || r.size.bytes > 0 || r.every.micros > 0;
            });
    return spec;
  }
};

namespace {

constexpr std::size_t kFlushBytes = 256 * 1024;

struct Encoders {
  std::optional<JsonEncoder> json;
  std::optional<CsvEncoder> csv;
};

void append_line(const Encoders& encoders, const Batch& batch, std::size_t i, std::string& line) {
  if (encoders.csv)
    encoders.csv->append(batch, i, line);
  else
    encoders.json->append(batch, i, line);
}

class FileSink final : public Sink {
 public:
  FileSink(const FileSinkConfig& config, std::shared_ptr<const Encoders> encoders,
           SinkContext context, std::string path)
      : config_(config),
        encoders_(std::move(encoders)),
        context_(std::move(context)),
        start_mark_(context_.state_dir, context_.node),
        segments_(path),
        path_(std::move(path)),
        from_state_(from_folder(path_, context_.state_dir)) {
    if (!encoders_->csv) return;
    encoders_->csv->header(header_);
    header_ += '\n';
  }

  Status open() {
    if (context_.restored.empty()) return first_start();
    const std::string_view stored = context_.restored;
    const std::size_t line = stored.find('\n');
    const auto mark = FileSegments::Mark::parse(stored.substr(0, line));
    if (!mark)
      return fail(ErrorKind::state,
                  "the stored end of the output cannot be read: " + context_.restored,
                  "It was written by a newer version, or is damaged.");
    // Earlier versions did not say which file it is.
    if (line != std::string_view::npos) STREAMD_TRY(check_place(stored.substr(line + 1)));
    if (!segments_.ends_line(*mark))
      return fail(ErrorKind::state,
                  fmt::format("\"{}\" has no line end at byte {}, where the last checkpoint ended: "
                              "it is not the file that was written",
                              path_, mark->length),
                  remedy());
    const auto other = other_header(*mark);
    if (other && !rotates())
      return fail(ErrorKind::state, columns_differ(*other),
                  fmt::format("Set rotate, and a new file is begun; or take the columns back; or "
                              "move the file away or choose another path, and start with "
                              "--reset-state {}.",
                              context_.node));
    start_mark_.remove();
    STREAMD_TRY(segments_.restore(*mark));
    if (other) segments_.rotate(context_.clock->wall());
    return {};
  }

  Status write(const Batch& batch, Emitter&) override {
    // Before the batch is taken in: the engine brings it again after an error.
    if (segments_.unwritten() >= kFlushBytes) STREAMD_TRY(segments_.flush());
    rotate_by_time();
    for (std::size_t i = 0; i < batch.size(); ++i) append(batch, i);
    if (segments_.unwritten() < kFlushBytes) return {};
    if (Status flushed = segments_.flush(); !flushed && flushed.error().retry == Retry::never)
      return flushed;
    return {};
  }
  Status tick(Emitter&) override {
    rotate_by_time();
    return segments_.flush();
  }
  Status barrier(Epoch epoch) override {
    ends_[epoch] = segments_.end();
    return {};
  }
  Result<bool> prepared(Epoch) override {
    STREAMD_TRY(segments_.sync());
    return true;
  }
  std::string state(Epoch epoch) override {
    const auto found = ends_.find(epoch);
    const auto& end = found == ends_.end() ? segments_.end() : found->second;
    return end.print() + "\n" + path_ + "\n" + from_state_;
  }
  void committed(Epoch epoch) override {
    if (const auto found = ends_.find(epoch); found != ends_.end() && config_.rotate.keep > 0)
      segments_.remove_before(found->second, config_.rotate.keep);
    ends_.erase(ends_.begin(), ends_.upper_bound(epoch));
    start_mark_.remove();
  }

 private:
  static std::string from_folder(const std::string& path, const std::string& folder) {
    std::error_code ignored;
    if (folder.empty()) return {};
    const auto absolute = std::filesystem::absolute(folder, ignored).lexically_normal();
    return std::filesystem::path(path).lexically_relative(absolute).string();
  }

  // stored: "<path>\n<path from the state folder>". One of them is enough: state and outputs may
  // have moved together.
  Status check_place(std::string_view stored) const {
    const std::size_t line = stored.rfind('\n');
    const std::string path(stored.substr(0, line));
    std::error_code ignored;
    if (path == path_ || std::filesystem::equivalent(path, path_, ignored)) return {};
    if (line != std::string_view::npos && !from_state_.empty() &&
        stored.substr(line + 1) == from_state_)
      return {};
    return fail(ErrorKind::state,
                fmt::format("the last checkpoint is about \"{}\", and the output is \"{}\" now",
                            path, path_),
                remedy());
  }

  std::string remedy() const {
    return fmt::format(
        "Put path and file back (relative paths begin at the working directory), or take what is "
        "there now as on a first start (see existing) with --reset-state {}.",
        context_.node);
  }

  // Nothing was ever committed. What an attempt that died before its first checkpoint has written
  // is cut off like anything else behind a checkpoint: the start mark says where it began.
  Status first_start() {
    const EventTime now = context_.clock->wall();
    const auto started = start_mark_.load(path_);
    if (!started) return tl::unexpected(started.error());
    auto begin = *started ? FileSegments::Mark::parse(**started) : std::nullopt;
    const bool known = begin.has_value();
    if (!known) {
      const auto existing = segments_.existing(now);
      if (!existing) return tl::unexpected(existing.error());
      if (config_.existing == Existing::refuse && existing->length > 0)
        return fail(ErrorKind::external, fmt::format("\"{}\" already exists", path_),
                    "Move it away, or set existing: append or replace.");
      begin = *existing;
      if (config_.existing == Existing::replace) begin->length = 0;
    }
    const auto other = other_header(*begin);
    if (other && !rotates()) {
      // The file is given back as it was found, so that it may be moved away.
      if (known) STREAMD_TRY(segments_.restore(*begin));
      start_mark_.remove();
      return fail(ErrorKind::external, columns_differ(*other),
                  "Move the file away, choose another path, or set existing: replace, or rotate: "
                  "then a new file is begun.");
    }
    if (!known) STREAMD_TRY(start_mark_.store(path_, begin->print()));
    STREAMD_TRY(segments_.restore(*begin));
    if (other) segments_.rotate(now);
    if (!segments_.ends_line(segments_.end())) segments_.put("\n");
    return {};
  }

  bool rotates() const { return config_.rotate.size.bytes > 0 || config_.rotate.every.micros > 0; }

  // The first line of the file that goes on at `mark`, where it is not the header of the rows to
  // come: they would stand under the names of other columns.
  std::optional<std::string> other_header(const FileSegments::Mark& mark) const {
    if (header_.empty() || mark.length == 0) return std::nullopt;
    const auto found = segments_.beginning(mark, std::max<std::size_t>(header_.size(), 500));
    // A file of nothing but the header may lack its line end.
    if (!found || found->starts_with(header_) || *found + '\n' == header_) return std::nullopt;
    return found->substr(0, found->find('\n'));
  }
  std::string columns_differ(std::string_view found) const {
    return fmt::format(
        "\"{}\" has other columns: its first line is \"{}\", and \"{}\" is to be "
        "written now",
        path_, found, std::string_view(header_).substr(0, header_.size() - 1));
  }

  void append(const Batch& batch, std::size_t i) {
    line_.clear();
    append_line(*encoders_, batch, i, line_);
    line_ += '\n';
    const FileSegments::Mark& end = segments_.end();
    const std::uint64_t limit = config_.rotate.size.bytes;
    if (limit > 0 && end.length > 0 && end.length + line_.size() > limit)
      segments_.rotate(context_.clock->wall());
    if (end.length == 0 && !header_.empty()) segments_.put(header_);
    segments_.put(line_);
  }

  void rotate_by_time() {
    if (config_.rotate.every.micros == 0 || segments_.end().length == 0) return;
    const EventTime now = context_.clock->wall();
    if (now - segments_.end().started >= config_.rotate.every) segments_.rotate(now);
  }

  const FileSinkConfig& config_;
  std::shared_ptr<const Encoders> encoders_;
  SinkContext context_;
  StartMark start_mark_;
  FileSegments segments_;
  std::string path_, from_state_;
  std::map<Epoch, FileSegments::Mark> ends_;
  std::string line_;
  std::string header_;  // csv: with its line end
};

constexpr std::array<SentField, 1> kSent = {
    {{"line", "as JSON, or the text of CSV; without its end"}}};

class FileRendering final : public Rendering {
 public:
  explicit FileRendering(std::shared_ptr<const Encoders> encoders)
      : encoders_(std::move(encoders)) {}
  std::optional<Fault> render(const Batch& batch, std::size_t i, Sent& sent) override {
    std::string line;
    append_line(*encoders_, batch, i, line);
    sent.parts.push_back({kSent[0].name, std::move(line), encoders_->json.has_value()});
    return std::nullopt;
  }

 private:
  const std::shared_ptr<const Encoders> encoders_;
};

class FileSinkPlan final : public SinkPlan, public Renders {
 public:
  explicit FileSinkPlan(FileSinkConfig config) : config_(std::move(config)) {
    path_ = std::filesystem::path(config_.path).lexically_normal().string();
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(path_, ignored);
    absolute_ = ignored ? path_ : absolute.lexically_normal().string();
  }

  Needs needs() const override {
    Needs needs;
    needs.whole = true;
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    auto encoders = std::make_shared<Encoders>();
    if (config_.encode == FileEncoding::json)
      encoders->json.emplace(in, config_.time_format);
    else
      encoders->csv.emplace(in, config_.time_format);
    if (config_.encode == FileEncoding::csv && in.open)
      problems.warning("open-csv", place_,
                       "csv writes the fields that are known by name; the record may have others",
                       "Put a map with keep before it to say which columns there are.");
    encoders_ = std::move(encoders);
  }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    std::string text =
        fmt::format("file {}, {}", path_, FieldType<FileEncoding>::show(config_.encode));
    if (config_.rotate.size.bytes > 0)
      text += ", new file every " + format_size(config_.rotate.size);
    if (config_.rotate.every.micros > 0)
      text += ", new file every " + format_duration(config_.rotate.every);
    return text;
  }
  std::vector<Claim> claims() const override { return {{"file:" + absolute_}}; }
  std::string json_file() const override {
    return config_.encode == FileEncoding::json ? absolute_ : std::string();
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    auto sink = std::make_unique<FileSink>(config_, encoders_, std::move(context), absolute_);
    STREAMD_TRY(sink->open());
    return sink;
  }
  std::span<const SentField> sent_fields() const override { return kSent; }
  std::unique_ptr<Rendering> rendering(const SinkContext&) const override {
    return std::make_unique<FileRendering>(encoders_);
  }
  void set_place(Place place) { place_ = place; }

 private:
  FileSinkConfig config_;
  std::string path_, absolute_;
  Place place_;
  std::shared_ptr<const Encoders> encoders_;
};

}  // namespace

void add_file_sink(Registry& registry) {
  using C = FileSinkConfig;
  registry.add_sink(
      Spec<C>("file")
          .summary("Writes records as lines to a file, each exactly once.")
          .details(
              "How far the file was written is part of every checkpoint; what came after it is cut "
              "off at restart. With another `path` the start is refused: put it back, or begin "
              "anew "
              "with `--reset-state`. A full file is renamed to `path.000001`, `path.000002`, … and "
              "never touched again. Folders are made." +
              sent_details(kSent))
          .promise("exactly once: the written length is part of the checkpoint")
          .field(&C::path, {.name = "path",
                            .help = "The file that is written.",
                            .required = true,
                            .examples = {"out/alerts.ndjson"}})
          .field(&C::encode, {.name = "encode",
                              .help = "JSON objects by line, or CSV with a header in every file; a "
                                      "file with another header is never written to."})
          .field(&C::rotate, {.name = "rotate",
                              .help = "When a new file is begun.",
                              .examples = {"{size: 1GiB, every: 1d}"}})
          .field(&C::time_format,
                 {.name = "time_format",
                  .help = "How timestamps are written: RFC 3339 text, or seconds since 1970."})
          .field(&C::existing, {.name = "existing",
                                .help = "On the first start, when the file is there: write behind "
                                        "it, replace it, or refuse."})
          .rule("path is not empty",
                [](const C& c) { return !c.path.empty() && c.path.back() != '/'; })
          .rule("path is one file: it has no {{ }} of fields",
                [](const C& c) { return c.path.find("{{") == std::string::npos; })
          .example("Alerts", "path: out/alerts.ndjson")
          .example("A new file each hour or GiB",
                   "path: out/raw.csv\nencode: csv\nrotate: {size: 1GiB, every: 1h}"),
      [](C config, const ConfigNode& node, Diagnostics&) -> std::unique_ptr<SinkPlan> {
        auto plan = std::make_unique<FileSinkPlan>(std::move(config));
        plan->set_place(node.place);
        return plan;
      });
}

}  // namespace streamd
