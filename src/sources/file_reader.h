// SPDX-License-Identifier: Apache-2.0
// FileReader: the files of one worker. With `follow` it looks for new, rotated and overwritten
// files every scan_every; else it reads what it was given and ends.
#pragma once

#include "engine/api/source.h"
#include "sources/file_config.h"
#include "sources/file_names.h"
#include "sources/file_partition.h"
#include "sources/file_past.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace streamd {

// A log that is followed under a plain path, as it was at the last look.
struct LogSeen {
  std::optional<FileId> at_home;  // the file at the path; nullopt: none, or one not known
  FileTimes newest;               // of all its files that were there
};

class FileReader final : public Reader {
 public:
  // files: also those of which a stored position is all that is left, see
  // FilePosition::overwritten. logs: by plain path. mine: whether this worker reads new files of
  // that path. Borrowed: config and clock.
  FileReader(const FileConfig& config, const SourceContext& context,
             std::vector<std::unique_ptr<FilePartition>> files,
             const std::map<std::string, LogSeen>& logs,
             std::function<bool(const std::string& path)> mine);

  Result<Pull> pull(const PullLimits& limits, RawBatch& out) override;
  void partitions(std::vector<PartitionState>& out) override;
  std::optional<Duration> confirmed_at(Duration pulled_at) const override;
  void over(std::vector<std::uint32_t>& out) override { past_.over(out); }
  std::string partition_name(std::uint32_t partition) const override { return names_[partition]; }

 private:
  struct Followed {
    std::uint32_t number = 0;
    std::unique_ptr<FilePartition> file;
    std::string first_path;        // where the file was when it was found
    std::optional<Duration> gone;  // since when the patterns find it under no name
    std::optional<Duration> away;  // since when another file or none is at first_path
    Duration last_data{};
    std::uint64_t turn = 0;   // of all reads: when it was read last
    std::uint32_t after = 0;  // 1 + number of the partition to be read up first; 0 = none
  };

  // In the order of reading: the file with the fewest bytes delivered first, so that event time
  // stays together.
  struct Unfinished {
    std::uint64_t offset = 0;
    std::string_view name;
    Followed* file = nullptr;
    bool operator<(const Unfinished& other) const {
      return std::tie(offset, name, file->number) <
             std::tie(other.offset, other.name, other.file->number);
    }
  };

  std::uint32_t number_of(const FilePartition& file);
  void add(std::unique_ptr<FilePartition> file, std::uint32_t after = 0);
  bool looked_just_now(Duration now) const;
  void sort_unfinished();
  // Reads the first file that has something; which it was, or null: none.
  Result<Followed*> read_next(const PullLimits& limits, RawBatch& out);
  Status read(std::set<Unfinished>::iterator at, const PullLimits& limits, RawBatch& out);
  std::size_t count_open() const;
  void make_room();
  bool has_room_for(Followed& followed);
  void pass(std::uint32_t number);  // takes it out of files_
  bool must_wait(const Followed& followed) const;
  Status check_overwritten();
  Result<bool> continue_in_copy(Followed& followed);
  Status scan();
  Status look_after(const std::map<FileId, std::string>& there);
  void forget_gone();
  void forget_past();
  Status take_in_renamed(const std::map<FileId, std::string>& there);
  Status take_in_missed(const std::map<FileId, std::string>& there);
  // home: where the file is or was found, which gives its partition the name.
  Status take_in(const std::string& home, const std::string& path, const FileId& id);
  Result<bool> known_content(const std::string& home, const std::string& path, FileInput& file,
                             std::uint64_t fingerprint);

  const FileConfig& config_;
  const Clock* clock_;
  std::size_t max_record_;
  std::function<void(int, const std::string&)> log_;
  std::function<bool(const std::string&)> mine_;
  std::size_t may_open_;
  std::size_t open_ = 0;  // of files_
  std::uint64_t turns_ = 0;
  FileNames known_names_;
  std::vector<Followed> files_;
  std::set<Unfinished> unfinished_;  // of files_; to be made anew unless sorted_
  bool sorted_ = false;
  std::vector<std::uint32_t> deleted_;  // of files_, while they were closed
  PastFiles past_;
  std::vector<std::string> names_;  // by number
  std::map<std::string, LogSeen> logs_;
  // Found, but not taken in yet: without a complete line, say. With its home.
  std::map<FileId, std::string> waiting_;
  std::set<std::string> complained_;
  std::optional<Duration> last_scan_;
  std::optional<Duration> silent_at_;  // all unfinished files, when they were looked at last
  BlockPool pool_;
};

}  // namespace streamd
