// SPDX-License-Identifier: Apache-2.0
// SQLite's C interface with owners and exceptions: sd::Retry when the database is busy, locked or
// the disk is full, sd::Failed for what will not be better later.
#pragma once

#include <sqlite3.h>
#include <streamd/plugin.hpp>

namespace sqlite_sink {

class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }
  sqlite3_stmt* get() const { return statement_; }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { sqlite3_close_v2(handle_); }

  void open(const std::string& path);
  void execute(const std::string& sql);
  Statement prepare(const std::string& sql);
  // True: there is a row to read.
  bool step(const Statement& statement);
  // Without complaint: what goes wrong here is gone with the transaction.
  void rollback() noexcept;
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

 private:
  [[noreturn]] void raise(int code);

  std::string path_;
  sqlite3* handle_ = nullptr;
};

// A name in SQL, whatever is in it.
std::string quoted(std::string_view name);

}  // namespace sqlite_sink
