// SPDX-License-Identifier: Apache-2.0
#include "engine/state/backend.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <cstdarg>

namespace streamd {
namespace {

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

class RocksdbBackend final : public StateBackend {
 public:
  RocksdbBackend(std::string dir, rocksdb::DB* db) : dir_(std::move(dir)), db_(db) {}

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
    rocksdb::WriteBatch batch(changes.bytes() + changes.size() * 16);
    rocksdb::Status status;
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
    return {};
  }

 private:
  static rocksdb::ReadOptions reading() {
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    return options;
  }
  std::string dir_;
  std::unique_ptr<rocksdb::DB> db_;
};

// It would write notes for people to a file of its own, and a note that finds the disk full is a
// failed assertion. What matters comes back as a status.
class NoNotes final : public rocksdb::Logger {
 public:
  using Logger::Logv;
  void Logv(const char*, std::va_list) override {}
};

// Who cannot write ends, and the next start reads what is there. RocksDB would wait for room and
// try again in the background, which in a log that a write has failed in is a failed assertion.
class NoRecovery final : public rocksdb::EventListener {
 public:
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }
};

rocksdb::Options database_options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.paranoid_checks = true;
  // A torn last record is what a power cut leaves: that epoch was never acknowledged. Damage
  // anywhere before it is an error.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.write_buffer_size = 32 << 20;
  options.max_write_buffer_number = 3;
  options.max_background_jobs = 2;
  options.info_log = std::make_shared<NoNotes>();
  options.max_open_files = 256;
  options.max_total_wal_size = 128 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.max_bgerror_resume_count = 0;
  options.listeners.push_back(std::make_shared<NoRecovery>());
  rocksdb::BlockBasedTableOptions table;
  // State is read once, at start: a cache would only cost memory.
  table.block_cache = rocksdb::NewLRUCache(1 << 20);
  table.format_version = 5;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

Result<std::unique_ptr<StateBackend>> open_rocksdb_backend(const std::string& dir) {
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(database_options(), dir, &db);
  if (!status.ok()) return state_error(status, dir);
  return std::make_unique<RocksdbBackend>(dir, db);
}

}  // namespace streamd
