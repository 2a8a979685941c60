// SPDX-License-Identifier: Apache-2.0
#include "lists/builtin_lists.h"
#include "lists/format/read_list.h"
#include "lists/list_text.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace streamd {
namespace {

struct FileListConfig : FormatConfig {
  std::string path;
  Duration refresh = Duration::from_seconds(10);
  double max_shrink = 0.8;
  ByteSize max_size{std::uint64_t{2} << 30};
};

// What tells a changed file from an unchanged one without reading it.
struct FileMark {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t changed = 0;  // nanoseconds
  bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const struct stat& s) {
  return {s.st_dev, s.st_ino, s.st_size,
          std::int64_t{s.st_mtim.tv_sec} * 1'000'000'000 + s.st_mtim.tv_nsec};
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

class FileListLoader final : public ListLoader {
 public:
  FileListLoader(FileListConfig config, ListContext context)
      : config_(std::move(config)), context_(std::move(context)) {}

  Result<ListUpdate> load(std::stop_token) override {
    struct stat now {};
    if (::stat(config_.path.c_str(), &now) != 0) return unreadable();
    const bool begun = context_.clock->wall() >= next_begin_;
    if (read_ && *read_ == mark_of(now) && !begun) return ListUpdate{};
    return read();
  }

 private:
  tl::unexpected<Error> unreadable() const {
    const int error = errno;
    Error problem{ErrorKind::external, read_ ? Retry::backoff : Retry::never,
                  fmt::format("cannot read {}: {}", config_.path, std::strerror(error)),
                  error == ENOENT ? "make the file; it may be empty" : ""};
    return tl::unexpected<Error>(std::move(problem));
  }

  Result<ListUpdate> read() {
    const Descriptor file(::open(config_.path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat before {};
    if (file.number() < 0 || ::fstat(file.number(), &before) != 0) return unreadable();
    if (S_ISDIR(before.st_mode)) {
      errno = EISDIR;
      return unreadable();
    }
    if (static_cast<std::uint64_t>(before.st_size) > config_.max_size.bytes)
      return fail(ErrorKind::external,
                  fmt::format("{} has {}, more than max_size", config_.path,
                              readable_size(static_cast<std::uint64_t>(before.st_size))),
                  "split it, or set max_size");
    std::string text;
    if (!read_all(file.number(), static_cast<std::size_t>(before.st_size), text))
      return unreadable();
    struct stat after {};
    if (::fstat(file.number(), &after) != 0) return unreadable();
    if (mark_of(before) != mark_of(after) || text.size() != static_cast<std::size_t>(after.st_size))
      return fail_for_now(fmt::format("{} is being written", config_.path),
                          "write another file and rename it");
    return build(std::move(text), mark_of(after));
  }

  static bool read_all(int file, std::size_t expected, std::string& text) {
    text.resize(expected + 1);
    std::size_t size = 0;
    for (;;) {
      if (size == text.size()) return true;  // it has grown; the caller sees that
      const ssize_t got = ::read(file, text.data() + size, text.size() - size);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return false;
      if (got == 0) break;
      size += static_cast<std::size_t>(got);
    }
    text.resize(size);
    return true;
  }

  Result<ListUpdate> build(std::string text, const FileMark& mark) {
    auto plain = plain_list_text(std::move(text), config_.max_size.bytes);
    if (!plain) return in_context(std::move(plain).error(), config_.path);
    IndicatorListBuilder builder(context_.hash_seed);
    const auto reading = read_list(config_, *plain, context_.clock->wall(), builder);
    if (!reading) return in_context(reading.error(), config_.path);
    next_begin_ = reading->next_begin;
    ListUpdate update;
    update.list = builder.build();
    update.remark = reading->remark();
    if (read_) update.notice = fmt::format("read again: {} entries", update.list->size());
    read_ = mark;
    return update;
  }

  const FileListConfig config_;
  const ListContext context_;
  std::optional<FileMark> read_;
  EventTime next_begin_ = EventTime::max();
};

class FileListPlan final : public ListPlan {
 public:
  explicit FileListPlan(FileListConfig config) : config_(std::move(config)) {}
  std::string describe() const override {
    return fmt::format("{}, looked at every {}", config_.path, format_duration(config_.refresh));
  }
  IndicatorFields fields() const override { return fields_of_format(config_); }
  Duration refresh() const override { return config_.refresh; }
  double max_shrink() const override { return config_.max_shrink; }
  Result<std::unique_ptr<ListLoader>> open(ListContext context) const override {
    return std::make_unique<FileListLoader>(config_, std::move(context));
  }

 private:
  FileListConfig config_;
};

constexpr const char* kDetails =
    "Replace the file by renaming a finished one to its name: a file that changes while it is read "
    "is read again later. As long as it is gone, unreadable or suspiciously small, the entries of "
    "before stay in force.\n\n";

}  // namespace

void add_file_list(Registry& registry) {
  using C = FileListConfig;
  Spec<C> spec = Spec<C>("file");
  spec.summary("A text file, read again when it changes.")
      .details(std::string(kDetails) + kFormatDetails)
      .field(&C::path, {.name = "path",
                        .help = "The file.",
                        .required = true,
                        .examples = {"lists/blocklist.txt"}});
  with_format_fields(spec);
  spec.field(&C::refresh, {.name = "refresh",
                           .help = "How often to look whether the file has changed (a tenth "
                                   "more or less). Looking does not read it.",
                           .examples = {"1m"}})
      .field(&C::max_shrink,
             {.name = "max_shrink",
              .help = "The share of entries that may vanish in one change, of 20 or more. "
                      "More looks like a broken file, and the list of before stays.",
              .advanced = true,
              .examples = {"1"}})
      .field(&C::max_size, {.name = "max_size",
                            .help = "A larger file is refused.",
                            .advanced = true,
                            .examples = {"100MiB"}})
      .rule("refresh must be at least 10ms",
            [](const C& c) { return c.refresh >= Duration::from_millis(10); })
      .rule("max_shrink must be between 0 and 1",
            [](const C& c) { return c.max_shrink >= 0 && c.max_shrink <= 1; })
      .example("Addresses to watch for", "path: lists/blocklist.txt\nrefresh: 1m");
  registry.add_list(std::move(spec), [](C config, const ConfigNode&, Diagnostics&) {
    return std::make_unique<FileListPlan>(std::move(config));
  });
}

}  // namespace streamd
