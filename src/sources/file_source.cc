// SPDX-License-Identifier: Apache-2.0
#include "engine/api/spec.h"
#include "engine/core/hash.h"
#include "sources/builtin_sources.h"
#include "sources/file_names.h"
#include "sources/file_paths.h"
#include "sources/file_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace streamd {

template <>
struct EnumNames<FileFrom> {
  static constexpr std::array<std::pair<FileFrom, std::string_view>, 2> values = {
      {{FileFrom::start, "start"}, {FileFrom::end, "end"}}};
};

namespace {

class FileSource final : public Source {
 public:
  FileSource(const FileConfig& config, SourceContext context)
      : config_(config), context_(std::move(context)), files_(std::max(context_.workers, 1u)) {}

  // Decides which file is continued where, and by whom.
  Status open() {
    paths_ = find_files(config_.path, config_.exclude);
    STREAMD_TRY(check_found());
    for (const std::string& path : paths_) {
      const std::string unit = unit_of(path);
      if (!units_.contains(unit)) units_.emplace(unit, units_.size());
    }
    std::vector<Stored> stored;
    for (const auto& [name, text] : context_.resume_at) {
      const auto position = FilePosition::parse(text);
      if (!position)
        return fail(ErrorKind::state,
                    fmt::format("the stored position of \"{}\" cannot be read: {}", name, text),
                    "It was written by a newer version, or is damaged.");
      names_.add(name);
      stored.push_back({name, *position, {}, false});
    }
    STREAMD_TRY(resume(stored));
    if (config_.follow)
      for (const std::string& path : config_.path)
        if (!is_pattern(path)) logs_.emplace(path, seen_of(path));
    for (const std::string& path : paths_) STREAMD_TRY(begin(path));
    for (const Stored& lost : lost_) give_up(lost);
    return {};
  }

  Result<std::unique_ptr<Reader>> reader(unsigned worker) override {
    auto files = std::move(files_[worker]);
    files_[worker].clear();
    return std::make_unique<FileReader>(
        config_, context_, std::move(files), logs_,
        [this, worker](const std::string& path) { return owner_of_path(path) == worker; });
  }

 private:
  // What one worker reads as a whole: a log with its rotations, or (not followed) a file.
  std::string unit_of(const std::string& path) const {
    return config_.follow ? log_of(path) : path;
  }
  unsigned owner_of_path(const std::string& path) const {
    const std::string unit = unit_of(path);
    const auto found = units_.find(unit);
    const std::size_t number = found != units_.end() ? found->second : hash_bytes(unit, 0);
    return static_cast<unsigned>(number % files_.size());
  }

  Status check_found() const {
    for (const std::string& path : config_.path) {
      std::error_code ignored;
      if (!is_pattern(path) && std::filesystem::is_directory(path, ignored))
        return fail(ErrorKind::external, fmt::format("\"{}\" is a directory", path),
                    fmt::format("Name the files in it: {}/*", path));
      if (!find_files({path}, config_.exclude).empty()) continue;
      if (config_.follow) {
        if (context_.log)
          context_.log(1, fmt::format("no file matches \"{}\" yet; waiting for one", path));
        continue;
      }
      if (!is_pattern(path) && std::filesystem::exists(path, ignored))
        return fail(ErrorKind::external, fmt::format("\"{}\" is no regular file", path),
                    "Use the stdin source for pipes.");
      return fail(ErrorKind::external, fmt::format("no file matches \"{}\"", path),
                  "Check the path, or set follow: true to wait for the file.");
    }
    return {};
  }

  // A position of an earlier run.
  struct Stored {
    std::string name;
    FilePosition position;
    std::unique_ptr<FilePartition> found;
    bool in_doubt;  // a file that may be it could not be looked at
  };

  // A file may begin like others, and have what a log held before it was cut: first come those that
  // are the very files, the newest of each, and then copies.
  Status resume(std::vector<Stored>& all) {
    std::vector<Stored*> newest_first;
    for (Stored& stored : all)
      if (!stored.position.is_overwritten()) newest_first.push_back(&stored);
    std::stable_sort(newest_first.begin(), newest_first.end(), [](Stored* a, Stored* b) {
      return FileNames::number_of(a->name) > FileNames::number_of(b->name);
    });
    for (const bool copies : {false, true})
      for (Stored* stored : newest_first)
        if (!stored->found) STREAMD_TRY(find(*stored, copies));
    for (Stored& stored : all)
      if (stored.found)
        give(std::move(stored.found), FileNames::path_of(stored.name));
      else
        lost_.push_back(std::move(stored));
    return {};
  }

  Status find(Stored& stored, bool copies) {
    const std::string path = FileNames::path_of(stored.name);
    std::vector<std::string> candidates = paths_;
    for (std::string& beside : rotations_of(path)) candidates.push_back(std::move(beside));
    for (const std::string& candidate : candidates) {
      const auto id = file_id(candidate);
      if (!id || taken_.contains(*id) || (*id == stored.position.id) == copies) continue;
      auto file = FileInput::open(candidate);
      if (!file) {
        stored.in_doubt |= log_of(candidate) == log_of(path);
        continue;
      }
      auto same = continues(**file, stored.position);
      if (!same) return tl::unexpected(std::move(same).error());
      if (!*same) continue;
      taken_.insert(*id);
      if (const auto times = (*file)->times()) newest_[log_of(path)].include(*times);
      stored.found = take_up(stored, candidate, std::move(*file));
      return {};
    }
    return {};
  }

  std::unique_ptr<FilePartition> take_up(const Stored& stored, const std::string& path,
                                         std::unique_ptr<FileInput> file) {
    FilePosition position = stored.position;
    position.id = file->id();
    // What was read to its end may have grown since; of compressed files that cannot be told.
    const bool ended = position.state == FilePosition::State::ended;
    const auto size = file->disk_size();
    const bool more = !file->gzip() && size && *size > position.offset;
    // Not opened by its name later: it may be deleted before it is its turn.
    if ((ended && !config_.follow) || !may_keep_open()) file.reset();
    auto found = std::make_unique<FilePartition>(stored.name, path, std::move(file), position);
    if (ended && (config_.follow || more)) found->reopen();
    return found;
  }

  bool may_keep_open() { return ++kept_open_ <= open_files_of(1); }

  // Where the log is and no file of it continues the position, none ever will. Where nothing of it
  // is, it may be on a disk that is not there yet.
  void give_up(const Stored& lost) {
    const std::string path = FileNames::path_of(lost.name);
    if (lost.position.state != FilePosition::State::ended && context_.log)
      context_.log(1, fmt::format("\"{}\", read up to byte {}, is gone or was written anew", path,
                                  lost.position.offset));
    const bool known_lost = !lost.in_doubt && !rotations_of(path).empty();
    if (!known_lost && !lost.position.is_overwritten()) return;
    give(std::make_unique<FilePartition>(lost.name, path, nullptr,
                                         FilePosition::overwritten(lost.position.id)),
         path);
  }

  void give(std::unique_ptr<FilePartition> file, const std::string& home) {
    files_[owner_of_path(home)].push_back(std::move(file));
  }

  // What its reader compares a log with at the first look. Of a log that was read before, the files
  // that came since are new; of another one, and when none came, what comes from now on.
  LogSeen seen_of(const std::string& path) const {
    const auto read = newest_.find(log_of(path));
    const auto at_home = file_id(path);
    if (read != newest_.end() && !(at_home && taken_.contains(*at_home)))
      return {std::nullopt, read->second};
    LogSeen seen{at_home, {}};
    for (const std::string& beside : rotations_of(path))
      if (const auto times = FileTimes::of(beside)) seen.newest.include(*times);
    return seen;
  }

  Status begin(const std::string& path) {
    const auto id = file_id(path);
    if (!id || taken_.contains(*id)) return {};
    const bool at_end =
        config_.follow && config_.from == FileFrom::end && context_.resume_at.empty();
    // A followed file is taken in by its reader, when it has a complete line.
    if (config_.follow && !at_end) return {};
    auto file = FileInput::open(path);
    if (!file) {
      if (!config_.follow) return tl::unexpected(std::move(file).error());
      return {};
    }
    return add(path, std::move(*file), *id, at_end);
  }

  Status add(const std::string& path, std::unique_ptr<FileInput> file, const FileId& id,
             bool at_end) {
    auto fingerprint = fingerprint_of(*file, !config_.follow);
    if (!fingerprint) return tl::unexpected(std::move(fingerprint).error());
    if (!*fingerprint) return {};
    taken_.insert(id);
    FilePosition start;
    start.fingerprint = **fingerprint;
    auto made = std::make_unique<FilePartition>(names_.make(path, *file, start.fingerprint), path,
                                                std::move(file), start);
    if (at_end) STREAMD_TRY(made->skip_to_end());
    if (!config_.follow || !may_keep_open()) made->release();
    give(std::move(made), path);
    return {};
  }

  const FileConfig& config_;
  SourceContext context_;
  std::vector<std::string> paths_;
  std::map<std::string, std::size_t> units_;
  FileNames names_;
  std::vector<Stored> lost_;  // no file continues them
  std::size_t kept_open_ = 0;
  std::set<FileId> taken_;
  std::map<std::string, FileTimes> newest_;  // by log: of its files that are read on
  std::map<std::string, LogSeen> logs_;
  std::vector<std::vector<std::unique_ptr<FilePartition>>> files_;  // by worker
};

class FilePlan final : public SourcePlan {
 public:
  explicit FilePlan(FileConfig config) : config_(std::move(config)) {}
  bool bounded() const override { return !config_.follow; }
  std::string describe() const override {
    std::string text;
    for (std::size_t i = 0; i < config_.path.size(); ++i)
      text += (i > 0 ? ", " : "") + config_.path[i];
    return config_.follow ? text + ", as it grows" : text;
  }
  Result<std::unique_ptr<Source>> open(SourceContext context) const override {
    auto source = std::make_unique<FileSource>(config_, std::move(context));
    STREAMD_TRY(source->open());
    return source;
  }

 private:
  FileConfig config_;
};

Spec<FileConfig> file_spec() {
  using C = FileConfig;
  return Spec<C>("file")
      .summary("Reads records by line from files, once or as they grow.")
      .details(
          "Gzip files are recognised by their content. With `follow`, files may be rotated by "
          "renaming, by copying and truncating, or by deleting; a file is known by its first line, "
          "its inode and the bytes before the position. Empty lines are skipped. So are NUL bytes "
          "at the beginning of a file, without a count: a log that was truncated under a writer "
          "that does not append begins with a hole. A line longer than `max_record` becomes a dead "
          "letter that shows its first 64 KiB. The last line of a followed file waits for its line "
          "end until the file has been rotated away.")
      .promise("exactly once: the position in each file is part of the checkpoint")
      .field(&C::path, {.name = "path",
                        .help = "Paths or patterns (* ? [a-z]).",
                        .required = true,
                        .examples = {"/var/log/nginx/access.log", "[a.ndjson, 'logs/*.gz']"}})
      .field(&C::follow,
             {.name = "follow",
              .help = "Wait for more, as tail -F does; else the source ends with its files."})
      .field(
          &C::from,
          {.name = "from",
           .help =
               "With follow, on the first start: where to begin in files that are there already."})
      .field(&C::exclude, {.name = "exclude",
                           .help = "Patterns of paths or names to leave out.",
                           .examples = {"['*.gz']"}})
      .field(&C::scan_every, {.name = "scan_every",
                              .help = "How often to look for new and rotated files.",
                              .advanced = true})
      .field(&C::rotate_wait,
             {.name = "rotate_wait",
              .help = "How long a rotated file must have been silent before it is finished.",
              .advanced = true})
      .rule("path names at least one file", [](const C& c) { return !c.path.empty(); })
      .rule("from: end needs follow: true",
            [](const C& c) { return c.follow || c.from == FileFrom::start; })
      .rule("scan_every and rotate_wait are not negative",
            [](const C& c) { return c.scan_every.micros >= 0 && c.rotate_wait.micros >= 0; })
      .example("A log as it grows", "path: /var/log/nginx/access.log\nfollow: true")
      .example("Old logs, once", "path: '/var/log/nginx/access.log*'");
}

}  // namespace

std::unique_ptr<SourcePlan> make_file_plan(FileConfig config) {
  return std::make_unique<FilePlan>(std::move(config));
}

void add_file_source(Registry& registry) {
  registry.add_source(
      file_spec(),
      [](FileConfig config, const ConfigNode&, Diagnostics&) -> std::unique_ptr<SourcePlan> {
        return make_file_plan(std::move(config));
      });
}

}  // namespace streamd
