// SPDX-License-Identifier: Apache-2.0
#include "database.h"

#include <streamd/fake_host.hpp>

#include <filesystem>
#include <unistd.h>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;
using sd::test::Field;
using sd::test::SinkRun;

namespace {

// A folder of its own for each test.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("sqlite_sink_test." + std::to_string(getpid()));
  Folder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return (path / "a.db").string(); }
};

SinkRun sink(const Folder& folder, sd::test::Settings more = {}) {
  more.insert({{"path", folder.file()}, {"columns", "{name: user, bytes: bytes}"}});
  return {streamd_plugin(), "sqlite", std::move(more)};
}

std::string ask(const Folder& folder, const std::string& sql) {
  sqlite_sink::Database database;
  database.open(folder.file());
  const auto statement = database.prepare(sql);
  std::string answer;
  while (database.step(statement))
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), i));
      answer += (answer.empty() ? "" : "|") + std::string(text == nullptr ? "NULL" : text);
    }
  return answer;
}
void change(const Folder& folder, const std::string& sql) {
  sqlite_sink::Database database;
  database.open(folder.file());
  database.execute(sql);
}

const std::vector<sd::test::Input> kTwo = {{at(0s), {{"user", "ann"}, {"bytes", 10}}},
                                           {at(1s), {{"user", "bob"}, {"bytes", 20}}}};

void what_is_flushed_is_in_the_table() {
  const Folder folder;
  auto run = sink(folder);
  run.write(kTwo);
  equal(ask(folder, "SELECT count(*) FROM records"), "0");
  run.flush();
  equal(ask(folder, "SELECT name, bytes FROM records ORDER BY bytes"), "ann|10|bob|20");
  run.flush();
  equal(ask(folder, "SELECT count(*), length(min(record_id)) FROM records"), "2|32");
}

void records_that_come_again_are_there_once() {
  const Folder folder;
  auto run = sink(folder);
  run.write(kTwo);
  run.flush();
  run.crash();
  run.write(kTwo);
  run.write(kTwo);
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM records"), "2");
}

void what_was_not_flushed_is_gone_with_a_crash() {
  const Folder folder;
  auto run = sink(folder);
  run.write(kTwo);
  run.crash();
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM records"), "0");
}

void a_locked_database_is_tried_again_and_loses_nothing() {
  const Folder folder;
  auto run = sink(folder);
  run.write({kTwo[0]});
  {
    sqlite_sink::Database other;
    other.open(folder.file());
    other.execute("BEGIN IMMEDIATE");
    sd::test::throws<sd::Retry>([&] { run.flush(); }, "locked");
    run.write({kTwo[1]});
  }
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM records"), "2");
}

void a_full_buffer_is_written_before_the_checkpoint() {
  const Folder folder;
  auto run = sink(folder, {{"buffer", "4KiB"}});
  for (int i = 0; i < 200; ++i) run.write({{at(sd::Duration(i)), {{"user", "ann"}, {"bytes", i}}}});
  sd::test::expect(ask(folder, "SELECT count(*) > 100 FROM records") == "1", "nothing was written");
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM records"), "200");
}

void a_full_buffer_of_a_locked_database_takes_nothing_of_the_batch() {
  const Folder folder;
  auto run = sink(folder, {{"buffer", "4KiB"}});
  sqlite_sink::Database other;
  other.open(folder.file());
  other.execute("BEGIN IMMEDIATE");
  int taken = 0;
  sd::test::throws<sd::Retry>(
      [&] {
        for (; taken < 1000; ++taken)
          run.write({{at(sd::Duration(taken)), {{"user", "ann"}, {"bytes", taken}}}});
      },
      "locked");
  other.execute("ROLLBACK");
  run.write({{at(sd::Duration(taken)), {{"user", "ann"}, {"bytes", taken}}}});
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM records"), std::to_string(taken + 1));
}

void each_kind_of_value_finds_its_form() {
  const Folder folder;
  auto run = sink(folder, {{"columns", "{a: a, b: b, c: c, d: d, e: e, f: f, g: g}"}});
  run.write(
      {{at(0s),
        {{"a", true},
         {"b", 1.5},
         {"c", at(1500ms)},
         {"d", 90s},
         {"e", Field(SD_IP, std::string_view("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16))},
         {"f", Field::list({1, "x\"y", nullptr})}}}});
  run.flush();
  equal(ask(folder, "SELECT a, b, c, d, e, f, g FROM records"),
        "1|1.5|2024-01-01T00:00:01.500000Z|90.0|2001:db8::1|[1,\"x\\\"y\",null]|NULL");
}

void names_with_quotes_stay_names() {
  const Folder folder;
  auto run = sink(folder, {{"table", "a\"; DROP TABLE b; --"}});
  run.write(kTwo);
  run.flush();
  equal(ask(folder, "SELECT count(*) FROM \"a\"\"; DROP TABLE b; --\""), "2");
}

void tables_of_another_shape_are_explained() {
  const Folder folder;
  const auto refused = [&](const std::string& sql, const std::string& part) {
    change(folder, "DROP TABLE IF EXISTS records");
    change(folder, sql);
    sd::test::throws<sd::Failed>([&] { sink(folder); }, part);
  };
  refused("CREATE TABLE records (name, bytes)", "another primary key");
  refused("CREATE TABLE records (record_id TEXT PRIMARY KEY, name)", "no column bytes");
  refused("CREATE TABLE records (record_id TEXT PRIMARY KEY, name, bytes, day TEXT NOT NULL)",
          "wants a value for day");
  change(folder, "DROP TABLE records");
  sd::test::throws<sd::Failed>([&] { sink(folder, {{"create", "false"}}); }, "is not there");
}

void a_rule_of_the_table_ends_the_run_and_is_named() {
  const Folder folder;
  change(folder,
         "CREATE TABLE records (record_id TEXT PRIMARY KEY, name, bytes CHECK (bytes < 15))");
  auto run = sink(folder);
  run.write(kTwo);
  sd::test::throws<sd::Failed>([&] { run.flush(); }, "CHECK");
}

void a_path_that_cannot_be_is_told() {
  const Folder folder;
  sd::test::throws<sd::Failed>(
      [&] {
        sink(folder, {{"path", (folder.path / "none" / "a.db").string()}});
      },
      "none/a.db");
}

void record_id_is_no_column_of_the_user() {
  const Folder folder;
  sd::test::throws<sd::test::WrongSettings>(
      [&] {
        sink(folder, {{"columns", "{record_id: user}"}});
      },
      "record_id");
}

}  // namespace

int main() {
  return sd::test::run({
      {"what is flushed is in the table", what_is_flushed_is_in_the_table},
      {"records that come again are there once", records_that_come_again_are_there_once},
      {"what was not flushed is gone with a crash", what_was_not_flushed_is_gone_with_a_crash},
      {"a locked database is tried again and loses nothing",
       a_locked_database_is_tried_again_and_loses_nothing},
      {"a full buffer is written before the checkpoint",
       a_full_buffer_is_written_before_the_checkpoint},
      {"a full buffer of a locked database takes nothing of the batch",
       a_full_buffer_of_a_locked_database_takes_nothing_of_the_batch},
      {"each kind of value finds its form", each_kind_of_value_finds_its_form},
      {"names with quotes stay names", names_with_quotes_stay_names},
      {"tables of another shape are explained", tables_of_another_shape_are_explained},
      {"a rule of the table ends the run and is named",
       a_rule_of_the_table_ends_the_run_and_is_named},
      {"a path that cannot be is told", a_path_that_cannot_be_is_told},
      {"record_id is no column of the user", record_id_is_no_column_of_the_user},
  });
}
