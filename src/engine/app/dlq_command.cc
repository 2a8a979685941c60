// SPDX-License-Identifier: Apache-2.0
#include "engine/app/command_line.h"
#include "engine/app/commands.h"
#include "engine/app/dlq_selection.h"
#include "engine/app/printable.h"
#include "engine/runtime/ingest.h"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <unistd.h>

namespace streamd {

int dlq_list(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select_letters(arguments, registry, found); code != kExitDone) return code;
  const auto& letters = found.letters;
  if (letters.empty()) {
    fmt::print("no dead letters\n");
    return kExitDone;
  }
  const std::size_t first = letters.size() > arguments.limit ? letters.size() - arguments.limit : 0;
  fmt::print("{:>6}  {:<16}  {:<14}  {:<28}  {}\n", "number", "node", "code", "where", "reason");
  for (std::size_t i = first; i < letters.size(); ++i) {
    const auto& l = letters[i];
    fmt::print("{:>6}  {:<16}  {:<14}  {:<28}  {}{}\n", l.number, l.node, l.code,
               printable(fmt::format("{}@{}", l.partition, l.position)), printable(l.reason),
               l.replayed ? "  (replayed)" : "");
  }
  fmt::print("{} of {} dead letters\n", letters.size() - first, letters.size());
  return kExitDone;
}

int dlq_show(const DlqArguments& arguments, const Registry& registry) {
  Selection found;
  if (const int code = select_letters(arguments, registry, found); code != kExitDone) return code;
  const DeadLetter* chosen = nullptr;
  for (const auto& l : found.letters)
    if (!arguments.number || l.number == *arguments.number) chosen = &l;
  if (chosen == nullptr) {
    fmt::print(stderr, "error: no such dead letter\n  = help: streamd dlq ls {} shows them\n",
               fmt::join(arguments.files, " "));
    return kExitFailed;
  }
  const auto& l = *chosen;
  fmt::print(
      "number:    {}\nnode:      {}\ncode:      {}\nreason:    {}\nsource:    {}\n"
      "partition: {}\nposition:  {}\n",
      l.number, l.node, l.code, printable(l.reason), l.source, printable(l.partition), l.position);
  if (!l.time.empty()) fmt::print("time:      {}\n", l.time);
  // Who reads it elsewhere gets the very bytes.
  const std::string data = ::isatty(STDOUT_FILENO) != 0 ? printable(l.data, "\n\t") : l.data;
  fmt::print("replayed:  {}\ndata:      {} bytes{}\n{}\n", l.replayed ? "yes" : "no", l.data.size(),
             l.reason == kLongerThanMaxRecord ? ", the beginning of the record" : "", data);
  return kExitDone;
}

}  // namespace streamd
