// SPDX-License-Identifier: Apache-2.0
#include "sources/file_reader.h"

#include "sources/file_paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace streamd {
namespace {

// So many that are silent are looked at per millisecond.
constexpr std::int64_t kFilesPerMilli = 10;

}  // namespace

FileReader::FileReader(const FileConfig& config, const SourceContext& context,
                       std::vector<std::unique_ptr<FilePartition>> files,
                       const std::map<std::string, LogSeen>& logs,
                       std::function<bool(const std::string&)> mine)
    : config_(config),
      clock_(context.clock),
      max_record_(context.max_record),
      log_(context.log),
      mine_(std::move(mine)),
      may_open_(open_files_of(context.workers)) {
  for (const auto& [name, position] : context.resume_at) known_names_.add(name);
  for (auto& file : files) {
    known_names_.add(file->name());
    if (file->position().is_overwritten()) {
      past_.add(number_of(*file), file->path(), file->position());
      continue;
    }
    // A rotated file of which nothing was read comes after what there was of its log.
    std::uint32_t after = 0;
    const std::string home = FileNames::path_of(file->name());
    const bool rotated = config_.follow && file->path() != home && file->position().offset == 0;
    for (const Followed& f : files_)
      if (rotated && log_of(f.first_path) == log_of(home)) after = f.number + 1;
    add(std::move(file), after);
  }
  for (const auto& [path, seen] : logs) {
    if (!mine_(path)) continue;
    logs_.emplace(path, seen);
    if (seen.at_home) waiting_.emplace(*seen.at_home, path);
  }
  forget_past();
}

std::uint32_t FileReader::number_of(const FilePartition& file) {
  names_.push_back(file.name());
  return static_cast<std::uint32_t>(names_.size() - 1);
}

void FileReader::add(std::unique_ptr<FilePartition> file, std::uint32_t after) {
  Followed f;
  f.number = number_of(*file);
  f.first_path = FileNames::path_of(file->name());
  f.after = after;
  f.last_data = clock_->monotonic();
  f.turn = ++turns_;
  if (!config_.follow) file->finish();
  f.file = std::move(file);
  files_.push_back(std::move(f));
}

void FileReader::partitions(std::vector<PartitionState>& out) {
  for (const Followed& f : files_)
    out.push_back({f.number, f.file->print_position(), f.file->caught_up(), f.file->ended()});
  past_.partitions(out);
}

Result<Pull> FileReader::pull(const PullLimits& limits, RawBatch& out) {
  out.clear();
  const Duration now = clock_->monotonic();
  if (config_.follow && (!last_scan_ || now - *last_scan_ >= config_.scan_every)) {
    last_scan_ = now;
    sorted_ = false;
    STREAMD_TRY(scan());
  }
  for (const std::uint32_t number : std::exchange(deleted_, {})) pass(number);
  if (!looked_just_now(now)) {
    auto read = read_next(limits, out);
    if (!read) return tl::unexpected(std::move(read).error());
    silent_at_.reset();
    if (*read != nullptr) {
      out.partition = (*read)->number;
      (*read)->last_data = now;
      return Pull::data;
    }
    silent_at_ = now;
  }
  if (!config_.follow) return Pull::end;
  if (limits.max_wait.micros > 0)
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::min<std::int64_t>(limits.max_wait.micros, 100'000)));
  return Pull::idle;
}

// A look at thousands of files takes a while, and a pull that found nothing is soon repeated.
bool FileReader::looked_just_now(Duration now) const {
  const auto pause = static_cast<std::int64_t>(unfinished_.size()) / kFilesPerMilli;
  return sorted_ && silent_at_ && now - *silent_at_ < Duration::from_millis(pause);
}

std::optional<Duration> FileReader::confirmed_at(Duration pulled_at) const {
  return silent_at_.value_or(pulled_at);
}

void FileReader::sort_unfinished() {
  unfinished_.clear();
  open_ = count_open();
  for (Followed& f : files_)
    if (!f.file->ended()) unfinished_.insert({f.file->position().offset, f.file->name(), &f});
  sorted_ = true;
}

Result<FileReader::Followed*> FileReader::read_next(const PullLimits& limits, RawBatch& out) {
  if (!sorted_) sort_unfinished();
  do {
    std::vector<std::set<Unfinished>::iterator> waiting;
    for (auto next = unfinished_.begin(); next != unfinished_.end();) {
      const auto at = next++;
      Followed* file = at->file;
      if (must_wait(*file)) {
        waiting.push_back(at);
        continue;
      }
      STREAMD_TRY(read(at, limits, out));
      if (!out.records.empty()) return file;
    }
    // What they wait for may have been read up just now.
    for (const auto at : waiting) {
      Followed* file = at->file;
      if (must_wait(*file)) continue;
      STREAMD_TRY(read(at, limits, out));
      if (!out.records.empty()) return file;
    }
    // Those for which there was no room are not read yet; others have ended meanwhile.
  } while (!config_.follow && !unfinished_.empty());
  return nullptr;
}

Status FileReader::read(std::set<Unfinished>::iterator at, const PullLimits& limits,
                        RawBatch& out) {
  Followed& followed = *at->file;
  FilePartition& file = *followed.file;
  const bool was_open = file.is_open();
  if (!was_open && !has_room_for(followed)) {
    if (config_.follow) unfinished_.erase(at);
    return {};
  }
  followed.turn = ++turns_;
  auto status = file.next(limits.max_records, max_record_, clock_->wall(), pool_, out);
  open_ += file.is_open() ? 1 : 0;
  open_ -= was_open ? 1 : 0;
  if (!status) {
    // Others have taken the descriptors: these files do with what they have.
    if (file.is_open() || open_ == 0 || status.error().retry == Retry::never) return status;
    may_open_ = open_;
    return {};
  }
  if (!file.ended() && file.position().offset == at->offset) return {};
  auto moved = unfinished_.extract(at);
  moved.value().offset = file.position().offset;
  if (!file.ended()) unfinished_.insert(std::move(moved));
  return {};
}

bool FileReader::must_wait(const Followed& followed) const {
  if (followed.after == 0) return false;
  for (const Followed& f : files_)
    if (f.number + 1 == followed.after) return !f.file->ended() && !f.file->caught_up();
  return false;
}

std::size_t FileReader::count_open() const {
  return static_cast<std::size_t>(std::count_if(
      files_.begin(), files_.end(), [](const Followed& f) { return f.file->is_open(); }));
}

// Closes those that were read least recently.
void FileReader::make_room() {
  while (open_ >= may_open_) {
    Followed* oldest = nullptr;
    for (Followed& f : files_)
      if (f.file->is_open() && (oldest == nullptr || f.turn < oldest->turn)) oldest = &f;
    if (oldest == nullptr) return;
    oldest->file->release();
    --open_;
  }
}

// False: the file stays closed. One that does not grow waits until another one has ended; one that
// is followed was deleted while it was closed.
bool FileReader::has_room_for(Followed& followed) {
  if (!config_.follow) return open_ < may_open_;
  const FilePosition& position = followed.file->position();
  if (auto path = find_beside(followed.file->path(), position.id)) {
    followed.file->moved(std::move(*path));
    make_room();
    return true;
  }
  if (log_)
    log_(1,
         fmt::format("\"{}\", read up to byte {}, is gone; raise the limit of open files (ulimit "
                     "-n) to keep it open",
                     followed.file->path(), position.offset));
  deleted_.push_back(followed.number);
  return false;
}

// Its position means nothing any more.
void FileReader::pass(std::uint32_t number) {
  const auto at = std::find_if(files_.begin(), files_.end(),
                               [number](const Followed& f) { return f.number == number; });
  if (at == files_.end()) return;
  past_.add(number, at->file->path(), FilePosition::overwritten(at->file->position().id));
  files_.erase(at);
  sorted_ = false;
}

// A file that was cut or written anew is a new file from its beginning, with a partition of its
// own.
Status FileReader::check_overwritten() {
  for (std::size_t i = files_.size(); i-- > 0;) {
    Followed& f = files_[i];
    if (f.file->ended()) continue;
    auto overwritten = f.file->overwritten();
    if (!overwritten) return tl::unexpected(std::move(overwritten).error());
    if (!*overwritten) continue;
    if (const auto log = logs_.find(f.first_path); log != logs_.end()) log->second.at_home.reset();
    auto copied = continue_in_copy(f);
    if (!copied) return tl::unexpected(std::move(copied).error());
    if (!*copied) pass(f.number);
  }
  return {};
}

// copytruncate: what was written between our last look and the cut is in the copy.
Result<bool> FileReader::continue_in_copy(Followed& followed) {
  const FilePosition position = followed.file->position_now();
  for (const std::string& path : rotations_of(followed.first_path)) {
    const auto id = file_id(path);
    if (!id || *id == position.id) continue;
    auto copy = FileInput::open(path);
    if (!copy) continue;
    auto same = continues(**copy, position);
    if (!same) return tl::unexpected(std::move(same).error());
    if (!*same) continue;
    followed.file->move_to(std::move(*copy), path);
    followed.away = clock_->monotonic();
    followed.last_data = *followed.away;
    return true;
  }
  return false;
}

Status FileReader::scan() {
  STREAMD_TRY(check_overwritten());
  open_ = count_open();
  std::map<FileId, std::string> there;
  std::vector<std::pair<std::string, FileId>> found;
  for (std::string& path : find_files(config_.path, config_.exclude)) {
    const auto id = mine_(path) ? file_id(path) : std::nullopt;
    if (!id) continue;
    there.emplace(*id, path);
    found.emplace_back(std::move(path), *id);
  }
  STREAMD_TRY(look_after(there));
  STREAMD_TRY(take_in_renamed(there));
  STREAMD_TRY(take_in_missed(there));
  for (const auto& [path, id] : found) STREAMD_TRY(take_in(path, path, id));
  forget_gone();
  return {};
}

// Follows renames, and ends files that were rotated away and have been silent since.
Status FileReader::look_after(const std::map<FileId, std::string>& there) {
  const Duration now = clock_->monotonic();
  for (Followed& f : files_) {
    const FileId id = f.file->position().id;
    const auto found = there.find(id);
    if (found == there.end()) {
      f.gone = f.gone.value_or(now);
    } else {
      f.gone.reset();
      f.file->moved(found->second);
    }
    const bool at_home = file_id(f.first_path) == id;
    if (at_home)
      f.away.reset();
    else if (!f.away)
      f.away = now;
    if (f.file->ended() && !f.gone) {
      auto since = f.file->since_end();
      if (!since) return tl::unexpected(std::move(since).error());
      // Some writers keep a rotated file open for hours.
      if (*since == FilePartition::Since::grown) {
        f.file->reopen();
        f.last_data = now;
      }
      if (*since == FilePartition::Since::replaced) {
        f.gone = now;
        f.file->lost();
      }
    }
    if (!f.away || !f.file->caught_up()) continue;
    const Duration silent{std::min(now.micros - f.last_data.micros, now.micros - f.away->micros)};
    if (silent >= config_.rotate_wait) f.file->finish();
  }
  return {};
}

// Finished files stay known as long as they can be found again under any name. One look may miss a
// file that is renamed at that moment.
void FileReader::forget_gone() {
  const Duration now = clock_->monotonic();
  std::erase_if(files_, [&](const Followed& f) {
    if (!f.file->ended() || !f.gone || now - *f.gone <= config_.rotate_wait) return false;
    past_.add(f.number, f.file->path(), f.file->position_now());
    return true;
  });
  forget_past();
}

// One position always stays: where there is none, `from: end` takes the next start for the first.
void FileReader::forget_past() {
  past_.look(files_.empty(), [this](const FileId& id) {
    return std::any_of(files_.begin(), files_.end(),
                       [&id](const Followed& f) { return f.file->position().id == id; });
  });
}

// A log may get its first line when it has been renamed already, to a name that no pattern finds.
Status FileReader::take_in_renamed(const std::map<FileId, std::string>& there) {
  std::erase_if(waiting_, [&there](const auto& file) { return there.contains(file.first); });
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& [id, home] : waiting)
    for (const std::string& path : rotations_of(home))
      if (file_id(path) == id) STREAMD_TRY(take_in(home, path, id));
  return {};
}

// A plain path shows one file at a time. Those that came there and were rotated away between two
// looks are beside it, and newer than all that was there at the last look.
Status FileReader::take_in_missed(const std::map<FileId, std::string>& there) {
  for (auto& [path, seen] : logs_) {
    const auto home = file_id(path);
    if (home && !there.contains(*home)) continue;  // it came since; for the next look
    const bool rotated = !home || home != seen.at_home;
    bool look = rotated;
    LogSeen now{home, seen.newest};
    for (const Followed& f : files_) {
      if (log_of(f.first_path) != log_of(path)) continue;
      // It may be compressed now, by programs that do not keep the time of the original.
      look = look || f.away;
      if (const auto times = f.file->times()) now.newest.include(*times);
    }
    for (const RotatedFile& file :
         look ? rotated_by_age(path, config_.exclude) : std::vector<RotatedFile>{}) {
      now.newest.include(file.times);
      const auto id = file_id(file.path);
      if (rotated && id && !there.contains(*id) && file.times.newer_than(seen.newest))
        STREAMD_TRY(take_in(path, file.path, *id));
    }
    seen = now;
  }
  return {};
}

Status FileReader::take_in(const std::string& home, const std::string& path, const FileId& id) {
  for (const Followed& f : files_)
    if (f.file->position().id == id) return {};
  make_room();
  auto opened = FileInput::open(path);
  if (!opened) {
    if (opened.error().retry != Retry::never) may_open_ = std::max<std::size_t>(open_, 1);
    if (complained_.insert(path).second && log_) log_(1, opened.error().message);
    waiting_.emplace(id, home);
    return {};
  }
  complained_.erase(path);
  if ((*opened)->id() != id) {  // renamed since; the next look finds it
    waiting_.emplace(id, home);
    return {};
  }
  auto fingerprint = fingerprint_of(**opened, false);
  if (!fingerprint) return tl::unexpected(std::move(fingerprint).error());
  if (!*fingerprint) {
    waiting_.emplace(id, home);
    return {};
  }
  auto known = known_content(home, path, **opened, **fingerprint);
  if (!known) return tl::unexpected(std::move(known).error());
  if (*known) return {};
  std::string name = known_names_.make(home, **opened, **fingerprint);
  FilePosition start;
  start.fingerprint = **fingerprint;
  std::uint32_t after = 0;
  for (Followed& f : files_) {
    if (!f.away || f.file->ended() || log_of(f.first_path) != log_of(path)) continue;
    after = f.number + 1;
    f.file->expect_more();
  }
  add(std::make_unique<FilePartition>(std::move(name), path, std::move(*opened), start), after);
  ++open_;
  if (path != home) files_.back().away = files_.back().last_data;
  return {};
}

// A copy of what is being read, or was: made by copytruncate or by compressing a rotated file.
Result<bool> FileReader::known_content(const std::string& home, const std::string& path,
                                       FileInput& file, std::uint64_t fingerprint) {
  for (Followed& f : files_) {
    if (f.file->position().fingerprint != fingerprint) continue;
    // Other files often begin with the same line, so that of one not yet read says little.
    const bool of_log = log_of(f.first_path) == log_of(path);
    const bool same_log = !f.gone && of_log;
    // Read on as it is: a compressed copy lacks what is written to it later.
    const bool open = path != home && of_log && !f.file->ended();
    if (f.file->position().offset == 0 && !same_log) {
      if (!open) continue;
      auto held = f.file->held_by(file);
      if (!held || *held) return held;
      continue;
    }
    auto same = continues(file, f.file->position_now());
    if (!same) return tl::unexpected(std::move(same).error());
    // Perhaps it is still being compressed, or copied.
    if (!*same && file.gzip() && !file.damage().empty()) return true;
    if (same_log || (!f.gone && *same)) {
      auto held = file.gzip() ? same : f.file->holds(file);
      if (!held) return tl::unexpected(std::move(held).error());
      if (*held) return true;
    }
    if (!*same || !f.gone) continue;
    if (open) return true;
    auto again = FileInput::open(path);
    if (!again) return tl::unexpected(std::move(again).error());
    f.file->reopen();
    f.file->move_to(std::move(*again), path);
    f.gone.reset();
    return true;
  }
  return false;
}

}  // namespace streamd
