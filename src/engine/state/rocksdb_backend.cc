// SPDX-License-Identifier: Apache-2.0
#include "engine/core/folder.h"
#include "engine/state/backend.h"
#include "engine/state/wal_tail.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdarg>

namespace streamd {
namespace {

// Of the rows in memory. Before RocksDB finds a table full, the backend does.
constexpr std::size_t kLargestTable = 32 << 20;
constexpr std::size_t kFullTable = kLargestTable - (4 << 20);

rocksdb::Slice slice(std::string_view s) { return {s.data(), s.size()}; }

tl::unexpected<Error> state_error(const rocksdb::Status& status, const std::string& dir) {
  const std::string text = status.ToString();
  if (status.IsNoSpace() || text.find("No space left") != std::string::npos)
    return fail(ErrorKind::state, fmt::format("state in {}: the disk is full", dir),
                "free some space and start again: nothing that was committed is lost");
  if (status.IsCorruption())
    return fail(ErrorKind::state, fmt::format("state in {} is damaged: {}", dir, text),
                "restore the folder from a backup, or start anew with --fresh (keeps the damaged "
                "state in an archive folder)");
  if (text.find("lock") != std::string::npos || text.find("LOCK") != std::string::npos)
    return fail(ErrorKind::state, fmt::format("state in {} is locked: {}", dir, text),
                "stop the other process or choose another --state-dir");
  return fail(ErrorKind::state, fmt::format("state in {}: {}", dir, text),
              "check that the folder is writable and the disk healthy");
}

class Watcher final : public rocksdb::EventListener {
 public:
  // Who cannot write ends, and the next start reads what is there. RocksDB would wait for room and
  // try again in the background, which in a log that a write has failed in is a failed assertion.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
  void OnMemTableSealed(const rocksdb::MemTableInfo&) override { sealed = true; }

  std::atomic<bool> sealed{false};  // a memory table is full; the next row goes to a new one
};

// Every memory table has a number of its own. The rows <ff>link/<number> of the newest ones, each
// in the first write to its table and in no other, go wherever their table goes; no scan reaches
// them. A flipped byte in the length of the last record of RocksDB's manifest looks to it like a
// torn write: it would forget a table file and go on with a hole in the state. The hole takes the
// link with it.
class Links {
 public:
  static constexpr std::uint64_t kKept = 64;

  // False when one is missing.
  bool load(rocksdb::DB& db) {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    const rocksdb::Slice upper("\xfflink0");
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
    std::uint64_t found = 0;
    for (it->Seek("\xfflink/"); it->Valid(); it->Next(), ++found) {
      const std::string_view digits = it->key().ToStringView().substr(6);
      std::from_chars(digits.data(), digits.data() + digits.size(), number_);
    }
    if (!it->status().ok() || found != std::min(number_, kKept)) return false;
    ++number_;
    return true;
  }
  // The next write goes to a new table.
  void begin_table() {
    if (written_) ++number_;
    written_ = false;
  }
  rocksdb::Status add(rocksdb::WriteBatch& batch) const {
    if (written_) return {};
    auto status = batch.Put(key(number_), {});
    if (status.ok() && number_ > kKept) status = batch.Delete(key(number_ - kKept));
    return status;
  }
  void written() { written_ = true; }

 private:
  static std::string key(std::uint64_t number) { return fmt::format("\xfflink/{:020}", number); }
  std::uint64_t number_ = 0;
  bool written_ = false;  // its row is in the table
};

class RocksdbBackend final : public StateBackend {
 public:
  RocksdbBackend(std::string dir, std::shared_ptr<Watcher> watcher, Links links, rocksdb::DB* db)
      : dir_(std::move(dir)), watcher_(std::move(watcher)), links_(links), db_(db) {}

  Result<std::optional<std::string>> get(std::string_view key) override {
    std::string value;
    const auto status = db_->Get(reading(), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>{};
    if (!status.ok()) return state_error(status, dir_);
    return std::optional<std::string>{std::move(value)};
  }

  Status scan(std::string_view from, std::string_view to, const Visit& visit) override {
    auto options = reading();
    const rocksdb::Slice upper = slice(to);
    options.iterate_upper_bound = &upper;
    options.fill_cache = false;
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options));
    for (it->Seek(slice(from)); it->Valid(); it->Next())
      STREAMD_TRY(visit(it->key().ToStringView(), it->value().ToStringView()));
    if (!it->status().ok()) return state_error(it->status(), dir_);
    return {};
  }

  Status write(const ChangeSet& changes) override {
    rocksdb::WriteBatch batch(changes.bytes() + changes.size() * 16 + 128);
    rocksdb::Status status = seal_full_table();
    if (watcher_->sealed.exchange(false)) links_.begin_table();
    if (status.ok()) status = links_.add(batch);
    changes.each([&](ChangeSet::Kind kind, std::string_view a, std::string_view b) {
      if (!status.ok()) return;
      switch (kind) {
        case ChangeSet::Kind::put: status = batch.Put(slice(a), slice(b)); break;
        case ChangeSet::Kind::erase: status = batch.Delete(slice(a)); break;
        case ChangeSet::Kind::erase_range: status = batch.DeleteRange(slice(a), slice(b)); break;
      }
    });
    rocksdb::WriteOptions options;
    options.sync = true;
    if (status.ok()) status = db_->Write(options, &batch);
    if (!status.ok()) return state_error(status, dir_);
    links_.written();
    return {};
  }

 private:
  // RocksDB would change tables inside of the write that finds one full, so that nobody could say
  // before it which table its rows get into.
  rocksdb::Status seal_full_table() {
    std::uint64_t bytes = 0;
    db_->GetIntProperty(rocksdb::DB::Properties::kCurSizeActiveMemTable, &bytes);
    if (bytes < kFullTable) return {};
    rocksdb::FlushOptions options;
    options.wait = false;
    options.allow_write_stall = true;
    return db_->Flush(options);
  }
  static rocksdb::ReadOptions reading() {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    return options;
  }
  std::string dir_;
  std::shared_ptr<Watcher> watcher_;
  Links links_;
  std::unique_ptr<rocksdb::DB> db_;
};

// It would write notes for people to a file of its own, and a note that finds the disk full is a
// failed assertion. What matters comes back as a status.
class NoNotes final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, std::va_list) override {}
};

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  // A torn last record is what a power cut leaves: that epoch was never acknowledged. Damage
  // anywhere before it is an error.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.write_buffer_size = kLargestTable;
  options.max_write_buffer_number = 3;
  options.max_background_jobs = 2;
  options.info_log = std::make_shared<NoNotes>();
  options.max_open_files = 256;
  options.max_total_wal_size = 128 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.max_bgerror_resume_count = 0;
  rocksdb::BlockBasedTableOptions table;
  // State is read once, at start: a cache would only cost memory.
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

Result<std::unique_ptr<StateBackend>> open_rocksdb_backend(const std::string& dir) {
  // RocksDB would make it, and sync only what is in it.
  if (const auto problem = make_folders(dir))
    return state_error(rocksdb::Status::IOError(problem.message()), dir);
  rocksdb::DB* db = nullptr;
  auto options = database_options();
  auto watcher = std::make_shared<Watcher>();
  options.listeners.push_back(watcher);
  auto status = rocksdb::DB::Open(options, dir, &db);
  // RocksDB knows a last record that ends early, but not one of which some pages are missing.
  if (status.IsCorruption() && only_last_write_is_torn(dir)) {
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    status = rocksdb::DB::Open(options, dir, &db);
    // The torn log is gone by now, and must not come back beside a newer one.
    if (status.ok() && sync_folder(dir))
      status = rocksdb::Status::IOError("cannot sync the folder");
  }
  if (!status.ok()) {
    delete db;
    return state_error(status, dir);
  }
  Links links;
  const bool whole = links.load(*db);
  auto backend = std::make_unique<RocksdbBackend>(dir, std::move(watcher), links, db);
  if (!whole) return state_error(rocksdb::Status::Corruption("a part of it is missing"), dir);
  return backend;
}

}  // namespace streamd
