// SPDX-License-Identifier: Apache-2.0
#include "engine/app/dead_letter_files.h"

#include "engine/codec/base64.h"
#include "engine/codec/decode.h"
#include "engine/core/hash.h"
#include "engine/runtime/refused_letters.h"
#include "engine/runtime/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace streamd {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kFields = {
    "node", "code", "reason", "source", "partition", "position", "event_time", "encoding", "data"};

Result<std::string> file_of(const Plan& plan, const std::string& state_root) {
  if (!plan.dead_letters)
    return dead_letter_dir(state_root, plan.pipeline) + "/dead_letters.ndjson";
  const auto& sink = plan.nodes[*plan.dead_letters];
  if (std::string file = sink.sink->json_file(); !file.empty()) return file;
  return fail(ErrorKind::config,
              fmt::format("the dead letters of pipeline \"{}\" go to sink \"{}\" of type {} ({})",
                          plan.pipeline, sink.name, sink.type, sink.sink->describe()),
              "look at them where that sink writes; the dlq commands read what a sink of type file "
              "writes as JSON");
}

// The current file last; rotated ones carry a number that only grows.
std::vector<fs::path> segments(const std::string& file) {
  std::vector<fs::path> found;
  const fs::path path(file);
  std::error_code error;
  const std::string prefix = path.filename().string() + ".";
  for (const auto& entry : fs::directory_iterator(path.parent_path(), error))
    if (entry.path().filename().string().rfind(prefix, 0) == 0) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  if (fs::exists(path, error)) found.push_back(path);
  return found;
}

std::string text_of(const Value& value) {
  return value.is(Kind::string) ? std::string(value.text()) : std::string();
}

DeadLetter letter_of(const std::vector<std::shared_ptr<Column>>& columns, std::string_view line) {
  const auto field = [&](std::size_t c) { return (*columns[c])[0]; };
  DeadLetter letter;
  letter.id = fmt::format("{:016x}", hash_bytes(line, 0));
  letter.node = text_of(field(0));
  letter.code = text_of(field(1));
  letter.reason = text_of(field(2));
  letter.source = text_of(field(3));
  letter.partition = text_of(field(4));
  if (field(5).is(Kind::int64) || field(5).is(Kind::uint64)) letter.position = field(5).as_uint();
  letter.time = text_of(field(6));
  letter.data = text_of(field(8));
  if (text_of(field(7)) == "base64") letter.data = base64_decode(letter.data).value_or("");
  return letter;
}

fs::path replayed_file(const Plan& plan, const std::string& state_root) {
  return fs::path(dead_letter_dir(state_root, plan.pipeline)) / "replayed";
}

}  // namespace

Result<FoundLetters> read_dead_letters(const Plan& plan, const std::string& state_root) {
  const auto file = file_of(plan, state_root);
  const fs::path refused = RefusedLetters::path_in(dead_letter_dir(state_root, plan.pipeline));
  auto files = file ? segments(*file) : std::vector<fs::path>();
  if (std::error_code ignored; fs::exists(refused, ignored))
    files.push_back(refused);
  else if (!file)
    return tl::unexpected(file.error());
  // A record that failed again in the same way has the same id: one mark is one replay.
  std::map<std::string, std::uint64_t> replays;
  std::ifstream marks(replayed_file(plan, state_root));
  for (std::string id; std::getline(marks, id);) ++replays[id];

  FoundLetters found;
  auto& letters = found.letters;
  const auto decoder = make_decoder(DecodeConfig{}, kFields);
  Decoded decoded;
  RawBatch raw;
  for (const auto& segment : files) {
    std::ifstream in(segment, std::ios::binary);
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      raw.clear();
      raw.records.push_back({line, 0, {}, false, {}});
      decoder->decode(raw, decoded);
      if (decoded.records.empty()) {
        if (in.eof()) continue;  // cut off by a crash, or being written
        if (found.unreadable++ == 0)
          found.first_unreadable = fmt::format("{}:{}", segment.string(), number);
        continue;
      }
      DeadLetter letter = letter_of(decoded.columns, line);
      letter.number = letters.size() + 1;
      const auto mark = replays.find(letter.id);
      letter.replayed = mark != replays.end() && mark->second > 0;
      if (letter.replayed) --mark->second;
      letters.push_back(std::move(letter));
    }
  }
  return found;
}

Status mark_replayed(const Plan& plan, const std::string& state_root,
                     const std::vector<std::string>& ids) {
  const auto file = replayed_file(plan, state_root);
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  std::ofstream out(file, std::ios::app);
  for (const auto& id : ids) out << id << '\n';
  if (!out.flush()) return fail(ErrorKind::external, fmt::format("cannot write {}", file.string()));
  return {};
}

}  // namespace streamd
