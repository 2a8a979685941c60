// SPDX-License-Identifier: Apache-2.0
#include "engine/api/field_paths.h"
#include "engine/api/list_names.h"
#include "engine/core/hash.h"
#include "engine/core/whole_file.h"
#include "sinks/blocklist/allowed.h"
#include "sinks/blocklist/formats.h"
#include "sinks/builtin_sinks.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

namespace streamd {

template <>
struct EnumNames<blocklist::Format> {
  static constexpr std::array<std::pair<blocklist::Format, std::string_view>, 4> values = {
      {{blocklist::Format::plain, "plain"},
       {blocklist::Format::nginx, "nginx"},
       {blocklist::Format::nftables, "nftables"},
       {blocklist::Format::csv, "csv"}}};
};

namespace blocklist {
namespace {

struct Config {
  std::string path;
  std::string field;
  std::string score = "score";
  std::string why = "score_why";
  Format format = Format::plain;
  Duration expire = Duration::from_seconds(3600);
  std::vector<std::string> allow;
  Duration every = Duration::from_seconds(1);
  std::string set = "blocked";
  std::uint64_t max_entries = 100'000;
};

struct Shape {
  Config config;
  std::string path;  // absolute
  std::optional<std::size_t> field, score, why;
  std::vector<std::shared_ptr<const ListSlot>> allow;
};

class BlocklistSink final : public Sink {
 public:
  BlocklistSink(const Shape& shape, SinkContext context)
      : shape_(shape),
        context_(std::move(context)),
        entries_(shape.config.max_entries),
        allowed_(shape.allow) {}

  Status open() {
    forget_uncommitted();
    if (context_.restored.empty()) return {};
    kept_ = state_file_ = context_.restored;
    const auto text = read_whole_file(state_path(state_file_));
    if (!text || !entries_.decode(*text))
      return fail(ErrorKind::state,
                  fmt::format("what the block list held, \"{}\", is {}", state_path(state_file_),
                              text ? "damaged" : "missing"),
                  "Restore the whole state folder from a backup, or start anew with --fresh.");
    // `expire` may be another one now.
    entries_.last(shape_.config.expire);
    to_write_ = true;
    return {};
  }

  Status write(const Batch& batch, Emitter& out) override {
    allowed_.look();
    const EventTime now = context_.clock->wall();
    // They make room.
    if (entries_.remove_ended(now)) to_write_ = to_keep_ = true;
    std::size_t allowed = 0, shed = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const auto network = network_of_record(batch, i, out);
      if (!network) continue;
      if (allowed_.says(*network)) {
        ++allowed;
        continue;
      }
      const auto number = number_at(batch, i);
      const Value why = shape_.why ? batch.at(*shape_.why, i) : Value::missing();
      if (!entries_.tell(*network, now, shape_.config.expire, number,
                         why.is(Kind::string) ? why.text() : std::string_view()))
        ++shed;
      else
        to_write_ = to_keep_ = true;
    }
    if (allowed > 0) out.drop(DropReason::filtered, allowed);
    if (shed > 0) out.drop(DropReason::shed, shed);
    return {};
  }

  Status tick(Emitter&) override {
    const Duration now = context_.clock->monotonic();
    if (written_ && now - *written_ < shape_.config.every) return {};
    written_ = now;
    return write_file();
  }
  Status barrier(Epoch epoch) override {
    if (to_keep_) {
      const std::string name = fmt::format("{}.{}", context_.node, epoch);
      if (const auto problem = replace_file(state_path(name), entries_.encode()))
        return failed(state_path(name), problem);
      state_file_ = name;
      to_keep_ = false;
    }
    of_epochs_[epoch] = state_file_;
    return {};
  }
  Result<bool> prepared(Epoch) override { return true; }
  std::string state(Epoch epoch) override {
    const auto found = of_epochs_.find(epoch);
    return found == of_epochs_.end() ? state_file_ : found->second;
  }
  void committed(Epoch epoch) override {
    const auto end = of_epochs_.upper_bound(epoch);
    if (end == of_epochs_.begin()) return;
    const std::string needed = std::prev(end)->second;
    of_epochs_.erase(of_epochs_.begin(), end);
    if (kept_ != needed && !kept_.empty()) {
      std::error_code ignored;
      std::filesystem::remove(state_path(kept_), ignored);
    }
    kept_ = needed;
  }
  Result<bool> drained() override {
    STREAMD_TRY(write_file());
    return true;
  }
  void close() noexcept override { static_cast<void>(write_file()); }

 private:
  // Files of epochs that a crash has prevented.
  void forget_uncommitted() const {
    const std::string mine = context_.node + ".";
    std::error_code ignored;
    for (const auto& file :
         std::filesystem::directory_iterator(context_.state_dir + "/blocklist", ignored)) {
      const std::string name = file.path().filename().string();
      if (name.starts_with(mine) && name != context_.restored &&
          name.find_first_not_of("0123456789", mine.size()) == std::string::npos)
        std::filesystem::remove(file.path(), ignored);
    }
  }
  std::string state_path(const std::string& name) const {
    return context_.state_dir + "/blocklist/" + name;
  }
  static tl::unexpected<Error> failed(const std::string& path, const std::error_code& problem) {
    return fail_for_now(fmt::format("cannot write \"{}\": {}", path, problem.message()),
                        "Make room, or let this user write there; it goes on then.");
  }

  // What ends or is allowed now goes out of the file even when nobody tells anything new.
  Status write_file() {
    const EventTime now = context_.clock->wall();
    allowed_.look();
    bool fewer = entries_.remove_ended(now);
    if (std::exchange(checked_, allowed_.version()) != allowed_.version())
      fewer |= entries_.remove([this](const IpNetwork& network) { return allowed_.says(network); });
    if (fewer) to_write_ = to_keep_ = true;
    if (!to_write_) return {};
    const std::string text = written(entries_, shape_.config.format, shape_.config.set);
    const std::uint64_t hash = hash_bytes(text, 0);
    // Who reads it looks for a new file: one that says the same would make them read it for
    // nothing.
    if (!in_file_ || in_file_->first != hash || in_file_->second != time_of_file()) {
      if (const auto problem = replace_file(shape_.path, text)) return failed(shape_.path, problem);
      in_file_.emplace(hash, time_of_file());
    }
    to_write_ = false;
    return {};
  }
  // Another one than after the last writing: somebody else has changed or removed it.
  std::filesystem::file_time_type time_of_file() const {
    std::error_code gone;
    return std::filesystem::last_write_time(shape_.path, gone);
  }

  std::optional<IpNetwork> network_of_record(const Batch& batch, std::size_t i, Emitter& out) {
    const Value value = shape_.field ? batch.at(*shape_.field, i) : Value::missing();
    std::optional<IpNetwork> network;
    if (value.is(Kind::string))
      network = parse_network(value.text());
    else if (value.is(Kind::cidr))
      network = network_of(value.text());
    else if (value.is(Kind::ip))
      if (const auto address = address_of(value.text()))
        network = IpNetwork{*address, address->width()};
    if (!network)
      out.reject(batch, i,
                 {value.absent() ? "missing-field" : "type",
                  "field \"" + shape_.config.field + "\" holds no address or network"});
    return network;
  }
  std::optional<double> number_at(const Batch& batch, std::size_t i) const {
    if (!shape_.score) return std::nullopt;
    const Value value = batch.at(*shape_.score, i);
    if (value.is(Kind::float64)) return value.as_double();
    if (value.is(Kind::int64)) return static_cast<double>(value.as_int());
    return std::nullopt;
  }

  const Shape& shape_;
  const SinkContext context_;
  Entries entries_;
  Allowed allowed_;
  std::uint64_t checked_ = 0;  // the version of what is allowed that every entry was checked by
  bool to_write_ = true;       // the file: an empty list is written too
  bool to_keep_ = false;       // the state
  std::optional<Duration> written_;
  // The hash of what the file holds, and its time then.
  std::optional<std::pair<std::uint64_t, std::filesystem::file_time_type>> in_file_;
  std::string state_file_;                  // of the newest barrier; empty: nothing was ever told
  std::map<Epoch, std::string> of_epochs_;  // not yet committed
  std::string kept_;                        // of the last committed epoch
};

class BlocklistPlan final : public SinkPlan {
 public:
  BlocklistPlan(Config config, const ConfigNode& node) : place_(node.place) {
    if (const ConfigNode* allow = node.find("allow")) allow_place_ = allow->place;
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(config.path, ignored);
    shape_.path = (ignored ? std::filesystem::path(config.path) : absolute).lexically_normal();
    shape_.config = std::move(config);
  }
  Needs needs() const override {
    Needs needs;
    const Config& config = shape_.config;
    needs.fields.insert({config.field, config.score, config.why});
    return needs;
  }
  void bind(const Schema& in, Diagnostics& problems) override {
    const Config& config = shape_.config;
    require_field(in, config.field, place_, problems);
    // A record may do without these two.
    for (const std::string& field : {config.score, config.why})
      refuse_inside(in, field, place_, problems);
    shape_.field = in.find(config.field);
    shape_.score = in.find(config.score);
    shape_.why = in.find(config.why);
    shape_.allow.clear();
    for (const auto& name : config.allow) {
      auto slot = in.lists ? in.lists->find(name) : nullptr;
      if (slot)
        shape_.allow.push_back(std::move(slot));
      else
        problems.error("unknown-list", allow_place_, "there is no list \"" + name + "\"",
                       unknown_list_hint(in.lists.get(), name));
    }
  }
  Promise promise() const override { return Promise::exactly_once; }
  Placement placement() const override { return Placement::one; }
  std::string describe() const override {
    return fmt::format("block list {}, {}, each address for {}", shape_.config.path,
                       FieldType<Format>::show(shape_.config.format),
                       format_duration(shape_.config.expire));
  }
  std::vector<Claim> claims() const override {
    std::vector<Claim> claims = {{"file:" + shape_.path}};
    // Each script empties the sets that it fills.
    if (shape_.config.format == Format::nftables)
      claims.push_back({"nftables:inet streamd " + shape_.config.set, "`set` of nftables"});
    return claims;
  }
  Result<std::unique_ptr<Sink>> open(SinkContext context) const override {
    auto sink = std::make_unique<BlocklistSink>(shape_, std::move(context));
    STREAMD_TRY(sink->open());
    return sink;
  }

 private:
  Place place_, allow_place_;
  Shape shape_;
};

bool names_a_set(const std::string& name) {
  return !name.empty() && name.size() < 15 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }) && (name[0] < '0' || name[0] > '9');
}

}  // namespace
}  // namespace blocklist

void add_blocklist_sink(Registry& registry) {
  using C = blocklist::Config;
  registry.add_sink(
      Spec<C>("blocklist")
          .summary(
              "Keeps a file of addresses to block: each once, for a time, never an allowed one.")
          .details(
              "Every record tells an address or network (IPv4 or IPv6). It stands in the file "
              "until "
              "`expire` after it was last told, by the wall clock. The file is replaced as a "
              "whole, "
              "so whoever reads it never sees half of it, and only when it says something else; "
              "the service that reads it has to be told "
              "by its own means (`nginx -s reload`, `nft -f`), for instance by a systemd path "
              "unit.\n\n"
              "What a list of `allow` holds, or lies inside of it, is never written and counted as "
              "`filtered`; a network that holds an allowed address is not written either. When "
              "such "
              "a list changes, entries that it allows now leave the file.\n\n"
              "`plain`: one on each line. `nginx`: `deny` lines for an include. `nftables`: a "
              "script that fills the sets `NAME4` and `NAME6` of table `inet streamd` in one "
              "transaction. `csv`: with score, reasons and times. A record without an address "
              "becomes a dead letter. With `max_entries` held, records of new ones are counted as "
              "`shed`.")
          .promise("exactly once: what the file holds is part of the checkpoint")
          .field(&C::path, {.name = "path",
                            .help = "The file that is kept.",
                            .required = true,
                            .examples = {"/etc/nginx/blocked.conf"}})
          .field(&C::field, {.name = "field",
                             .help = "Field with the address or network.",
                             .required = true,
                             .examples = {"client_ip"}})
          .field(&C::format, {.name = "format", .help = "For whom it is written."})
          .field(&C::expire, {.name = "expire",
                              .help = "How long an address stays after it was last told.",
                              .examples = {"1d"}})
          .field(&C::allow, {.name = "allow",
                             .help = "Lists of what is never blocked.",
                             .examples = {"[ours, partners]"}})
          .field(&C::score, {.name = "score", .help = "csv: field with a number."})
          .field(&C::why, {.name = "why", .help = "csv: field with the reasons, as text."})
          .field(&C::every, {.name = "every", .help = "The file is written at most so often."})
          .field(&C::set,
                 {.name = "set",
                  .help = "nftables: what the names of the sets begin with. Two lists never share "
                          "it: each script empties the sets that it fills."})
          .field(&C::max_entries,
                 {.name = "max_entries", .help = "How many may be in it.", .advanced = true})
          .rule("path is not empty",
                [](const C& c) { return !c.path.empty() && c.path.back() != '/'; })
          .rule("expire must be longer than 0", [](const C& c) { return c.expire.micros > 0; })
          .rule("every must not be negative", [](const C& c) { return c.every.micros >= 0; })
          .rule("set must be letters, digits and _, at most 14",
                [](const C& c) { return blocklist::names_a_set(c.set); })
          .rule("max_entries must be at least 1", [](const C& c) { return c.max_entries > 0; })
          .example("For nginx, but never our own networks",
                   "path: /etc/nginx/blocked.conf\nfield: client_ip\nformat: nginx\n"
                   "expire: 1d\nallow: [ours]\n"),
      [](C config, const ConfigNode& node, Diagnostics&) -> std::unique_ptr<SinkPlan> {
        return std::make_unique<blocklist::BlocklistPlan>(std::move(config), node);
      });
}

}  // namespace streamd
