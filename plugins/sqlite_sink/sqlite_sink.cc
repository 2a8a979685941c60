// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <streamd/text.hpp>

#include <map>

namespace sqlite_sink {
namespace {

struct Config {
  std::string path;
  std::string table = "records";
  sd::Columns columns;
  bool create = true;
  sd::Bytes buffer = {16 << 20};
};

// One value of a record that waits for its transaction.
struct Cell {
  int type = SQLITE_NULL;
  std::int64_t integer = 0;
  double real = 0;
  std::size_t at = 0, size = 0;  // of text and bytes, in Sink::texts_
};

class SqliteSink : public sd::Sink<Config> {
 public:
  static sd::Spec<Config> spec();

  void open() {
    database_.open(config().path);
    if (config().create) create_table();
    check_table();
    std::string names = "record_id", marks = "?";
    for (const auto& name : config().columns.names) {
      names += ", " + quoted(name);
      marks += ", ?";
    }
    // The conflict names its column: other rules of the table are not swallowed.
    insert_ = database_.prepare("INSERT INTO " + quoted(config().table) + " (" + names +
                                ") VALUES (" + marks + ") ON CONFLICT (record_id) DO NOTHING");
    width_ = config().columns.size() + 1;
  }

  void write(const sd::Batch& batch, sd::Letters& letters) {
    // Before anything of the batch is taken: a Retry brings all of it again.
    if (texts_.size() + cells_.size() * sizeof(Cell) >=
        static_cast<std::size_t>(config().buffer.count))
      flush();
    for (const sd::Record record : batch) {
      add_text(letters.id(record));
      for (std::size_t c = 0; c + 1 < width_; ++c)
        add(record.column_value(config().columns.first + static_cast<std::uint32_t>(c)));
    }
  }

  // One transaction. What it cannot write stays for the next try.
  void flush() {
    if (cells_.empty()) return;
    try {
      database_.execute("BEGIN IMMEDIATE");
      for (std::size_t row = 0; row < cells_.size(); row += width_) insert(row);
      database_.execute("COMMIT");
    } catch (...) {
      database_.rollback();
      throw;
    }
    cells_.clear();
    texts_.clear();
  }

 private:
  void create_table() {
    std::string sql = "CREATE TABLE IF NOT EXISTS " + quoted(config().table) +
                      " (record_id TEXT PRIMARY KEY NOT NULL";
    for (const auto& name : config().columns.names) sql += ", " + quoted(name);
    database_.execute(sql + ") WITHOUT ROWID");
  }

  // Says what is wrong with a table that somebody else has made.
  void check_table() {
    struct Found {
      bool filled = false, required = false, key = false;
    };
    std::map<std::string, Found> found;
    int keys = 0;
    const auto info = database_.prepare(
        "SELECT name, pk, \"notnull\" AND dflt_value IS NULL FROM "
        "pragma_table_info(" +
        text_literal(config().table) + ")");
    while (database_.step(info)) {
      auto& column = found[reinterpret_cast<const char*>(sqlite3_column_text(info.get(), 0))];
      column.key = sqlite3_column_int(info.get(), 1) > 0;
      column.required = sqlite3_column_int(info.get(), 2) != 0;
      keys += column.key;
    }
    const std::string table = config().path + ": table " + config().table;
    if (found.empty())
      throw sd::Failed(table + " is not there", "set create: true, or create it yourself");
    if (!found["record_id"].key || keys != 1)
      throw sd::Failed(table + " has another primary key than record_id",
                       "records are written once by it: create the table with record_id TEXT "
                       "PRIMARY KEY, or name another one");
    found["record_id"].filled = true;
    for (const auto& name : config().columns.names) {
      if (!found.contains(name))
        throw sd::Failed(table + " has no column " + name,
                         "add it (ALTER TABLE " + quoted(config().table) + " ADD COLUMN " +
                             quoted(name) + ") or name another table");
      found[name].filled = true;
    }
    for (const auto& [name, column] : found)
      if (column.required && !column.filled)
        throw sd::Failed(table + " wants a value for " + name + ", which `columns` does not name",
                         "add it to `columns`, or give the column a default");
  }
  static std::string text_literal(std::string_view text) {
    std::string sql = "'";
    for (const char c : text) sql += c == '\'' ? std::string("''") : std::string(1, c);
    return sql + "'";
  }

  void add_text(std::string_view text, int type = SQLITE_TEXT) {
    cells_.push_back({type, 0, 0, texts_.size(), text.size()});
    texts_ += text;
  }
  void add(sd::Value value) {
    if (value.missing() || value.null()) {
      cells_.emplace_back();
    } else if (const auto integer = value.integer()) {
      cells_.push_back({SQLITE_INTEGER, *integer});
    } else if (const auto truth = value.boolean()) {
      cells_.push_back({SQLITE_INTEGER, *truth});
    } else if (value.kind() == SD_DOUBLE || value.kind() == SD_DURATION) {
      const auto seconds = value.duration();
      cells_.push_back(
          {SQLITE_FLOAT, 0,
           seconds ? std::chrono::duration<double>(*seconds).count() : *value.number()});
    } else if (const auto bytes = value.bytes()) {
      add_text(*bytes, SQLITE_BLOB);
    } else {
      const std::size_t before = texts_.size();
      sd::append_text(texts_, value);
      cells_.push_back({SQLITE_TEXT, 0, 0, before, texts_.size() - before});
    }
  }

  void insert(std::size_t row) {
    for (std::size_t c = 0; c < width_; ++c) {
      const Cell& cell = cells_[row + c];
      const int number = static_cast<int>(c) + 1;
      const char* text = texts_.data() + cell.at;
      sqlite3_stmt* const to = insert_.get();
      switch (cell.type) {
        case SQLITE_INTEGER: sqlite3_bind_int64(to, number, cell.integer); break;
        case SQLITE_FLOAT: sqlite3_bind_double(to, number, cell.real); break;
        case SQLITE_TEXT:
          sqlite3_bind_text64(to, number, text, cell.size, SQLITE_STATIC, SQLITE_UTF8);
          break;
        case SQLITE_BLOB: sqlite3_bind_blob64(to, number, text, cell.size, SQLITE_STATIC); break;
        default: sqlite3_bind_null(to, number); break;
      }
    }
    database_.step(insert_);
  }

  Database database_;
  Statement insert_;
  std::size_t width_ = 1;
  std::vector<Cell> cells_;  // width_ for each record
  std::string texts_;
};

sd::Spec<Config> SqliteSink::spec() {
  return sd::Spec<Config>("sqlite")
      .summary("Writes records into a table of an SQLite database.")
      .details(
          "One transaction for each checkpoint. `record_id`, the primary key, names the record: "
          "one "
          "that comes again after a crash is there once. Times are RFC 3339 text, durations "
          "seconds, lists and maps JSON.")
      .promise("at least once; each record is in the table once")
      .field(
          &Config::path,
          {.name = "path", .help = "The database file.", .required = true, .example = "alerts.db"})
      .field(&Config::table, {.name = "table", .help = "The table."})
      .field(&Config::columns, {.name = "columns",
                                .help = "Columns of the table and what goes into them.",
                                .required = true,
                                .example = "{client: client_ip, requests: requests}"})
      .field(&Config::create, {.name = "create", .help = "Creates the table if it is not there."})
      .field(&Config::buffer, {.name = "buffer",
                               .help = "Beyond that, a transaction is made before the checkpoint.",
                               .advanced = true,
                               .least = 4096,
                               .most = std::int64_t{1} << 32})
      .rule(&Config::columns, "record_id is a column of the sink's own",
            "name this column otherwise",
            [](const Config& c) {
              return std::find(c.columns.names.begin(), c.columns.names.end(), "record_id") ==
                     c.columns.names.end();
            })
      .example("Alerts for later",
               "path: alerts.db\ntable: alerts\ncolumns: {client: client_ip, "
               "requests: requests}");
}

}  // namespace
}  // namespace sqlite_sink

STREAMD_PLUGIN(
    sd::plugin("sqlite_sink", "1.0.0", "Records into SQLite.").add<sqlite_sink::SqliteSink>())
