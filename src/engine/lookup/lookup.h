// SPDX-License-Identifier: Apache-2.0
// Look-ups: what a record's value is found under elsewhere, in a file today. A Lookup is one state
// of such a source, const and shared by workers; LookupFile gives the present one and reads the
// file anew when it has changed.
#pragma once

#include "engine/core/arena.h"
#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/core/value.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace streamd {

class Lookup {
 public:
  virtual ~Lookup() = default;
  // True: there is an entry, and `into` has a value for each field of the source, missing where the
  // entry has none. False: no entry, `into` is as it was. Texts live as long as the Lookup or the
  // arena. Any thread.
  virtual bool find(std::string_view key, Arena& arena, Value* into) const = 0;
};

// Opens the file at a path for the fields it was made for. Must not throw.
using OpenLookup = std::function<Result<std::shared_ptr<const Lookup>>(const std::string& path)>;

// Any thread; calls wait for one that reads the file.
class LookupFile {
 public:
  LookupFile(std::string path, Duration refresh, OpenLookup open);

  struct Now {
    std::shared_ptr<const Lookup> lookup;
    std::string problem;  // not empty, once: the changed file can't be read, the old state stays
  };
  // `monotonic`: the time now. Looks at the file at most once per `refresh`. An error: there is no
  // state at all.
  Result<Now> now(Duration monotonic);

 private:
  // What tells one state of a file from another.
  struct Stamp {
    std::int64_t seconds = 0, nanos = 0, size = -1;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp() const;

  const std::string path_;
  const Duration refresh_;
  const OpenLookup open_;
  std::mutex mutex_;
  Stamp seen_;
  Duration next_look_{INT64_MIN};
  std::shared_ptr<const Lookup> lookup_;
};

// CSV with a header line, or JSON objects, one a line; which of them the first character says. The
// entry of a key is the row (of several, the last) whose column `key` has it as text. Empty cells
// of CSV are missing, all others text; JSON values keep their types. `columns`: dotted paths in
// JSON. An error names the line.
Result<std::shared_ptr<const Lookup>> open_table(const std::string& path, const std::string& key,
                                                 const std::vector<std::string>& columns);
// The same from text.
Result<std::shared_ptr<const Lookup>> read_table(std::string text, const std::string& key,
                                                 const std::vector<std::string>& columns);

// A MaxMind database (GeoIP). Keys are addresses as text; `paths`: dotted paths inside an entry,
// "country.iso_code", numbers for elements of arrays. Maps and arrays themselves are left out.
// The file is mapped: replace it by renaming another one to its name, never write into it.
Result<std::shared_ptr<const Lookup>> open_mmdb(const std::string& path,
                                                const std::vector<std::string>& paths);

}  // namespace streamd
