// SPDX-License-Identifier: Apache-2.0
#include "engine/state/epoch_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace streamd {
namespace {

constexpr std::uint64_t kFormat = 1;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

tl::unexpected<Error> damaged(const std::string& what) {
  return fail(ErrorKind::state, "the stored state is damaged: " + what,
              "restore the state folder from a backup, or start anew with --fresh");
}

std::string two(std::string_view prefix, std::string_view first, std::string_view second) {
  std::string key(prefix);
  key.append(first).push_back('\0');
  return key.append(second);
}

std::string state_key(std::uint32_t incarnation, unsigned group, std::string_view sub_key) {
  std::string key = "s/";
  for (int shift = 24; shift >= 0; shift -= 8)
    key.push_back(static_cast<char>(incarnation >> shift));
  key.push_back(static_cast<char>(group >> 8));
  key.push_back(static_cast<char>(group));
  return key.append(sub_key);
}
constexpr std::size_t kStatePrefix = 2 + 4 + 2;

class NodeWriter final : public StateWriter {
 public:
  NodeWriter(std::uint32_t incarnation, ChangeSet& into) : incarnation_(incarnation), into_(into) {}
  void put(unsigned group, std::string_view sub_key, std::string_view value) override {
    into_.put(state_key(incarnation_, group, sub_key), value);
  }
  void hand_over(unsigned group, std::string_view sub_key, std::string value) override {
    into_.hand_over(state_key(incarnation_, group, sub_key), std::move(value));
  }
  void erase(unsigned group, std::string_view sub_key) override {
    into_.erase(state_key(incarnation_, group, sub_key));
  }
  void erase_range(unsigned group, std::string_view from, std::string_view to) override {
    into_.erase_range(state_key(incarnation_, group, from), state_key(incarnation_, group, to));
  }

 private:
  std::uint32_t incarnation_;
  ChangeSet& into_;
};

class NodeReader final : public StateReader {
 public:
  NodeReader(StateBackend& backend, std::uint32_t incarnation, unsigned first, unsigned last)
      : backend_(backend),
        from_(state_key(incarnation, first, {})),
        to_(last == kNodeGroup ? state_key(incarnation + 1, 0, {})
                               : state_key(incarnation, last + 1, {})) {}
  Status scan(const Visit& visit) override {
    return backend_.scan(from_, to_, [&](std::string_view key, std::string_view value) -> Status {
      if (key.size() < kStatePrefix) return damaged("a state row without a key group");
      const unsigned group = static_cast<unsigned>(static_cast<unsigned char>(key[6])) << 8 |
                             static_cast<unsigned char>(key[7]);
      return visit(group, key.substr(kStatePrefix), value);
    });
  }

 private:
  StateBackend& backend_;
  std::string from_, to_;
};

}  // namespace

Result<std::unique_ptr<EpochStore>> EpochStore::open(std::unique_ptr<StateBackend> backend,
                                                     std::uint64_t new_seed) {
  std::unique_ptr<EpochStore> store(new EpochStore(std::move(backend)));
  STREAMD_TRY(store->load(new_seed));
  return store;
}

Status EpochStore::load(std::uint64_t new_seed) {
  const auto format = backend_->get("f");
  if (!format) return tl::unexpected(format.error());
  if (!*format) {
    bool empty = true;
    STREAMD_TRY(backend_->scan("", "\xff", [&](std::string_view, std::string_view) -> Status {
      empty = false;
      return {};
    }));
    if (!empty) return damaged("rows without a format version");
    is_new_ = true;
    seed_ = new_seed;
    ChangeSet header;
    header.put("f", std::to_string(kFormat));
    header.put("h", std::to_string(seed_));
    return backend_->write(header);
  }
  const auto version = number(**format);
  if (!version) return damaged("the format version is not a number");
  if (*version > kFormat)
    return fail(
        ErrorKind::state,
        fmt::format("the state was written by a newer streamd (format {}, this one reads {})",
                    *version, kFormat),
        "run the newer streamd, or start anew with --fresh");
  const auto seed = backend_->get("h");
  if (!seed) return tl::unexpected(seed.error());
  const auto seed_number = *seed ? number(**seed) : std::nullopt;
  if (!seed_number) return damaged("the hash seed is missing");
  seed_ = *seed_number;
  const auto epoch = backend_->get("e");
  if (!epoch) return tl::unexpected(epoch.error());
  if (*epoch) {
    const auto epoch_number = number(**epoch);
    if (!epoch_number) return damaged("the epoch is not a number");
    epoch_ = *epoch_number;
  }
  const auto pending = backend_->get("x");
  if (!pending) return tl::unexpected(pending.error());
  if (*pending) {
    const std::string_view row = **pending;
    const auto line = row.find('\n');
    const auto pending_epoch = number(row.substr(0, std::min(line, row.size())));
    if (line == std::string_view::npos || !pending_epoch ||
        !ChangeSet::decode(row.substr(line + 1), prepared_changes_))
      return damaged("the prepared epoch does not decode");
    prepared_ = *pending_epoch;
  }
  return {};
}

Status EpochStore::resolve(bool committed) {
  if (!prepared_) return {};
  if (committed) return finish(*prepared_);
  ChangeSet forget;
  forget.erase("x");
  STREAMD_TRY(backend_->write(forget));
  prepared_.reset();
  prepared_changes_.clear();
  return {};
}

Status EpochStore::load_nodes(Stored& stored, std::uint32_t& next) {
  const auto take = [&](std::string_view value) -> std::optional<std::uint32_t> {
    const auto n = number(value.substr(0, value.find('\n')));
    if (!n || *n >= 0xFFFF'FFFFu) return std::nullopt;
    next = std::max(next, static_cast<std::uint32_t>(*n) + 1);
    return static_cast<std::uint32_t>(*n);
  };
  STREAMD_TRY(
      backend_->scan("n/", "n0", [&](std::string_view key, std::string_view value) -> Status {
        const auto incarnation = take(value);
        const auto line = value.find('\n');
        if (!incarnation || line == std::string_view::npos)
          return damaged("a node row does not decode");
        stored[std::string(key.substr(2))] = {*incarnation, std::string(value.substr(line + 1))};
        return {};
      }));
  return backend_->scan("a/", "a0", [&](std::string_view, std::string_view value) -> Status {
    if (!take(value)) return damaged("an archived node row does not decode");
    return {};
  });
}

void EpochStore::archive(const std::string& name, const Stored::mapped_type& row) {
  declarations_.put(fmt::format("a/{:020}/{}", epoch_, name),
                    fmt::format("{}\n{}", row.first, row.second));
  declarations_.erase("n/" + name);
}

Status EpochStore::copy_state(std::uint32_t from, std::uint32_t to) {
  return backend_->scan(state_key(from, 0, {}), state_key(from + 1, 0, {}),
                        [&](std::string_view key, std::string_view value) -> Status {
                          const std::string prefix = state_key(to, 0, {});
                          const std::size_t front = prefix.size() - sizeof(std::uint16_t);
                          declarations_.put(
                              prefix.substr(0, front) + std::string(key.substr(front)), value);
                          return {};
                        });
}

Status EpochStore::declare(const std::vector<StateOwner>& owners,
                           const std::vector<std::string>& reset) {
  Stored stored;
  std::uint32_t next = 1;
  STREAMD_TRY(load_nodes(stored, next));
  std::set<std::uint32_t> taken;
  for (const auto& [names, signature] : owners) {
    const auto asked = std::count_if(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(reset.begin(), reset.end(), name) != reset.end();
    });
    const bool anew = asked == static_cast<std::ptrdiff_t>(names.size());
    if (asked > 0 && !anew)
      return fail(ErrorKind::state,
                  fmt::format("operators {} share their state", fmt::join(names, ", ")),
                  "give all of them to --reset-state, or none");
    std::optional<std::uint32_t> found;
    for (const auto& name : names) {
      const auto it = stored.find(name);
      if (it == stored.end() || anew) continue;
      if (it->second.second != signature)
        return fail(ErrorKind::state,
                    fmt::format("operator \"{}\" changed and its stored state no longer fits\n"
                                "  stored:   {}\n  pipeline: {}",
                                name, it->second.second, signature),
                    fmt::format("undo the change, give the operator a new name, or drop its state "
                                "with --reset-state {}",
                                name));
      if (!found) found = it->second.first;
    }
    std::uint32_t incarnation = found.value_or(next);
    if (found && taken.contains(*found)) {
      incarnation = next;
      STREAMD_TRY(copy_state(*found, incarnation));
      read_from_[names.front()] = *found;
    }
    if (incarnation == next) ++next;
    taken.insert(incarnation);
    incarnations_[names.front()] = incarnation;
    for (const auto& name : names) {
      if (const auto it = stored.find(name); it != stored.end()) {
        if (it->second.first != found) archive(name, it->second);
        stored.erase(it);
      }
      declarations_.put("n/" + name, fmt::format("{}\n{}", incarnation, signature));
    }
  }
  for (const auto& [name, row] : stored) archive(name, row);
  return {};
}

Status EpochStore::declare_sinks(const std::map<std::string, std::string>& types,
                                 const std::vector<std::string>& reset) {
  for (const auto& [name, type] : types) {
    std::vector<std::string> rows;
    STREAMD_TRY(backend_->scan(two("o/", name, {}), two("o/", name, "\xff"),
                               [&](std::string_view key, std::string_view value) -> Status {
                                 if (!value.empty()) rows.emplace_back(key);
                                 return {};
                               }));
    const auto stored = backend_->get("k/" + name);
    if (!stored) return tl::unexpected(stored.error());
    if (std::find(reset.begin(), reset.end(), name) != reset.end()) {
      for (const auto& row : rows) declarations_.erase(row);
      dropped_sinks_.insert(name);
    } else if (!rows.empty() && *stored && **stored != type) {
      return fail(ErrorKind::state,
                  fmt::format("sink \"{}\" was of type {} and is of type {} now: what it keeps is "
                              "nothing for another service",
                              name, **stored, type),
                  fmt::format("undo the change, give the sink a new name, or drop what it keeps "
                              "with --reset-state {}",
                              name));
    }
    declarations_.put("k/" + name, type);
  }
  return {};
}

Result<std::map<std::string, StoredPartition>> EpochStore::partitions(const std::string& source) {
  std::map<std::string, StoredPartition> found;
  const std::string prefix = two("p/", source, {});
  std::string end = prefix;
  end.back() = '\x01';
  auto status =
      backend_->scan(prefix, end, [&](std::string_view key, std::string_view value) -> Status {
        const auto line = value.find('\n');
        std::int64_t micros = 0;
        const auto digits = value.substr(0, std::min(line, value.size()));
        const auto [stop, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), micros);
        if (line == std::string_view::npos || error != std::errc{} ||
            stop != digits.data() + digits.size())
          return damaged("a position row does not decode");
        found[std::string(key.substr(prefix.size()))] = {std::string(value.substr(line + 1)),
                                                         {micros}};
        return {};
      });
  if (!status) return tl::unexpected(std::move(status).error());
  return found;
}

Result<std::optional<std::string>> EpochStore::sink_state(const std::string& sink,
                                                          unsigned worker) const {
  if (dropped_sinks_.contains(sink)) return std::optional<std::string>();
  return backend_->get(two("o/", sink, std::to_string(worker)));
}

std::unique_ptr<StateReader> EpochStore::reader(const std::string& node, unsigned first,
                                                unsigned last) {
  const auto copied = read_from_.find(node);
  const std::uint32_t from = copied == read_from_.end() ? incarnations_.at(node) : copied->second;
  return std::make_unique<NodeReader>(*backend_, from, first, last);
}

std::unique_ptr<StateWriter> EpochStore::writer(const std::string& node, ChangeSet& into) const {
  return std::make_unique<NodeWriter>(incarnations_.at(node), into);
}

ChangeSet EpochStore::changes_of(Epoch epoch, EpochParts parts) const {
  ChangeSet all = declarations_;
  all.append(std::move(parts.state));
  for (const auto& [source, partitions] : parts.over)
    for (const auto& partition : partitions) all.erase(two("p/", source, partition));
  for (const auto& [source, partitions] : parts.partitions)
    for (const auto& [partition, stored] : partitions)
      all.put(two("p/", source, partition),
              fmt::format("{}\n{}", stored.max_time.micros, stored.position));
  for (const auto& [place, text] : parts.sinks)
    all.put(two("o/", place.first, std::to_string(place.second)), text);
  all.put("e", std::to_string(epoch));
  return all;
}

Status EpochStore::commit(Epoch epoch, EpochParts parts) {
  STREAMD_TRY(backend_->write(changes_of(epoch, std::move(parts))));
  declarations_.clear();
  epoch_ = epoch;
  return {};
}

Status EpochStore::prepare(Epoch epoch, EpochParts parts) {
  prepared_changes_ = changes_of(epoch, std::move(parts));
  ChangeSet pending;
  pending.put("x", fmt::format("{}\n", epoch) + prepared_changes_.encode());
  STREAMD_TRY(backend_->write(pending));
  prepared_ = epoch;
  return {};
}

Status EpochStore::finish(Epoch epoch) {
  prepared_changes_.erase("x");
  STREAMD_TRY(backend_->write(prepared_changes_));
  prepared_changes_.clear();
  prepared_.reset();
  declarations_.clear();
  epoch_ = epoch;
  return {};
}

}  // namespace streamd
