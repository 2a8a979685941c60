// SPDX-License-Identifier: Apache-2.0
#include "database.h"

namespace sqlite_sink {

void Database::open(const std::string& path) {
  path_ = path;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_EXRESCODE,
      nullptr);
  if (code != SQLITE_OK) raise(code);
  // Readers go on while it is written, and a commit is on disk when it returns.
  execute("PRAGMA journal_mode = WAL");
  execute("PRAGMA synchronous = FULL");
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code);
}

Statement Database::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) raise(code);
  return Statement(statement);
}

bool Database::step(const Statement& statement) {
  const int code = sqlite3_step(statement.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    sqlite3_reset(statement.get());
    raise(code);
  }
  sqlite3_reset(statement.get());
  return false;
}

void Database::rollback() noexcept {
  if (in_transaction()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void Database::raise(int code) {
  const std::string what =
      path_ + ": " + (handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_));
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw sd::Retry(what, "another process writes to the database: let it end its transaction");
    case SQLITE_FULL: throw sd::Retry(what, "make room on the disk of the database");
    case SQLITE_IOERR: throw sd::Retry(what, "look at the disk of the database");
    case SQLITE_CANTOPEN:
      throw sd::Failed(what, "the folder must exist and be writable for streamd");
    case SQLITE_NOTADB: throw sd::Failed(what, "give `path` another file");
    case SQLITE_CONSTRAINT:
      throw sd::Failed(what,
                       "the table has a rule of its own that this record breaks: drop the rule, or "
                       "filter such records before");
    default: throw sd::Failed(what, "");
  }
}

std::string quoted(std::string_view name) {
  std::string sql = "\"";
  for (const char c : name) sql += c == '"' ? std::string("\"\"") : std::string(1, c);
  return sql + '"';
}

}  // namespace sqlite_sink
