// SPDX-License-Identifier: Apache-2.0
#include "operators/window/window_config.h"

namespace streamd {
namespace {

// A misspelled key, which only_keys() reports, counts as what it means.
const ConfigNode* find_meant(const ConfigNode& map, const char* key) {
  if (const ConfigNode* node = map.find(key)) return node;
  for (const auto& [name, value] : map.entries)
    if (!closest(name.text, {key}).empty()) return &value;
  return nullptr;
}

bool read_length(const ConfigNode& map, const char* key, std::int64_t& micros,
                 Diagnostics& problems) {
  const ConfigNode* node = find_meant(map, key);
  if (node == nullptr) {
    problems.error("missing-key", map.place, std::string("\"") + key + "\" is missing",
                   std::string("add ") + key + ":, for example " + key + ": 10s");
    return false;
  }
  Duration duration;
  if (!FieldType<Duration>::read(*node, duration, problems)) return false;
  if (duration.micros <= 0 || duration.micros >= window::kSizeLimit) {
    problems.error("bad-duration", node->place,
                   std::string("\"") + key + "\" must be longer than 0 and shorter than 9000 years",
                   "Write a duration such as 30s or 5m.");
    return false;
  }
  micros = duration.micros;
  return true;
}

// Keys of other kinds of windows tell which kind is probably meant.
std::string key_hint(const std::string& key, const std::vector<std::string>& known) {
  const bool tumbling = known.front() == "tumbling" && known.size() == 1;
  if (key == "every" && tumbling) return "with every it is sliding: {sliding: 1m, every: 10s}";
  if (key == "gap" || key == "max") return "write {session: {gap: 30s, max: 1h}}";
  if (key == "tumbling" || key == "sliding" || key == "session")
    return "a window is of one kind: remove one of them, or make two nodes";
  if (const std::string near = closest(key, known); !near.empty())
    return "did you mean \"" + near + "\"?";
  std::string all;
  for (const auto& name : known) all += (all.empty() ? "" : ", ") + name;
  return "known keys: " + all;
}

bool only_keys(const ConfigNode& map, const std::vector<std::string>& known,
               Diagnostics& problems) {
  bool good = true;
  for (const auto& [key, value] : map.entries) {
    bool found = false;
    for (const auto& name : known) found = found || name == key.text;
    if (found) continue;
    problems.error("unknown-key", key.place, "unknown key \"" + key.text + "\"",
                   key_hint(key.text, known));
    good = false;
  }
  return good;
}

}  // namespace

bool FieldType<window::Kind>::read(const ConfigNode& node, window::Kind& into,
                                   Diagnostics& problems) {
  using window::Assigner;
  if (node.shape != ConfigNode::Shape::map) {
    const bool length = node.shape == ConfigNode::Shape::scalar && parse_duration(node.text);
    problems.error("type-mismatch", node.place, "a window says of which kind it is",
                   length && !node.substituted ? "write {tumbling: " + node.text +
                                                     "}, or {sliding: " + node.text + ", every: 1s}"
                                               : "write " + name());
    return false;
  }
  std::int64_t size = 0, every = 0, gap = 0, max = 0;
  if (node.find("tumbling") != nullptr) {
    bool good =
        only_keys(node,
                  node.find("sliding") != nullptr ? std::vector<std::string>{"tumbling", "every"}
                                                  : std::vector<std::string>{"tumbling"},
                  problems);
    good = read_length(node, "tumbling", size, problems) && good;
    if (good) into.assigner = Assigner::sliding(size, size);
    return good;
  }
  if (node.find("sliding") != nullptr) {
    bool good = only_keys(node, {"sliding", "every"}, problems);
    good = read_length(node, "sliding", size, problems) && good;
    good = read_length(node, "every", every, problems) && good;
    if (good && every > size) {
      problems.error("bad-window", node.find("every")->place,
                     "\"every\" is longer than the window: records in between would be in none",
                     "Make it at most as long as \"sliding\".");
      good = false;
    }
    if (good) into.assigner = Assigner::sliding(size, every);
    return good;
  }
  if (const ConfigNode* session = node.find("session")) {
    if (!only_keys(node, {"session"}, problems)) return false;
    if (session->shape != ConfigNode::Shape::map) {
      problems.error("type-mismatch", session->place, "a session has a gap and a longest length",
                     "write {session: {gap: 30s, max: 1h}}");
      return false;
    }
    bool good = only_keys(*session, {"gap", "max"}, problems);
    good = read_length(*session, "gap", gap, problems) && good;
    good = read_length(*session, "max", max, problems) && good;
    if (good && max < gap) {
      problems.error("bad-window", session->find("max")->place, "\"max\" is shorter than \"gap\"",
                     "Make it at least as long as \"gap\".");
      good = false;
    }
    if (good) into.assigner = Assigner::session(gap, max);
    return good;
  }
  // A misspelled key does not hide that a length is wrong too.
  for (const auto& [key, value] : node.entries)
    if (value.shape == ConfigNode::Shape::scalar)
      read_length(node, key.text.c_str(), size, problems);
  if (only_keys(node, {"tumbling", "sliding", "session", "every"}, problems))
    problems.error("bad-window", node.place, "a window is tumbling, sliding or session",
                   "Write {tumbling: 1m}, {sliding: 20s, every: 1s} or "
                   "{session: {gap: 30s, max: 1h}}.");
  return false;
}

std::string FieldType<window::Kind>::name() {
  return "{tumbling: 1m}, {sliding: 20s, every: 1s} or {session: {gap: 30s, max: 1h}}";
}

std::string FieldType<window::Kind>::json_schema() {
  const std::string length = FieldType<Duration>::json_schema();
  const auto object = [](const char* title, const std::string& properties,
                         const std::string& required) {
    return R"({"type":"object","title":)" + json_quote(title) +
           R"(,"additionalProperties":false,"properties":{)" + properties + R"(},"required":[)" +
           required + "]}";
  };
  return R"({"oneOf":[)" +
         object("one after the other", R"("tumbling":)" + length, R"("tumbling")") + "," +
         object("overlapping", R"("sliding":)" + length + R"(,"every":)" + length,
                R"("sliding","every")") +
         "," +
         object("until a silence",
                R"("session":)" + object("session", R"("gap":)" + length + R"(,"max":)" + length,
                                         R"("gap","max")"),
                R"("session")") +
         "]}";
}

std::string FieldType<window::Kind>::show(const window::Kind&) { return ""; }

}  // namespace streamd

namespace streamd::window {

Spec<Config> window_spec() {
  using C = Config;
  return Spec<C>("window")
      .summary("Groups records by key and event time and computes values of each group.")
      .details(
          "Windows run on the records' own time and end at multiples of their step since 1970. "
          "Each result has the `by` fields, the computed values, `window_start` and "
          "`window_end`.\n\n"
          "Functions: `count()`, `count(condition)`, `sum(x)`, `avg(x)`, `min(x)`, `max(x)`, "
          "`distinct(x)`, `first(x)`, `last(x)`, `top(x, k)` (or `topk`), `share(condition)` (0 to "
          "1, of all records), "
          "`entropy(x)` (bits), `quantile(x, q)` (within 1 %), "
          "`rate()` (records per second). x is an expression. Missing and null values are "
          "skipped, and no true condition; of nothing, sums and counts are 0 and the others null. "
          "Sums of doubles are "
          "exact and rounded once.\n\n"
          "A result that has no value (a sum of integers beyond 64 bits) or no decision (`having` "
          "divides by zero) becomes a dead letter and is counted as a failed result of the window. "
          "Where a value is null, a `having` that cannot be computed is false.\n\n"
          "`emit: close` gives each window that passes `having` when it closes; `threshold` gives "
          "one row at once when `having` becomes true, and none for the windows that follow one "
          "after the other as long as it stays true; "
          "`changed` gives a row when a value differs from that of the window before (no session "
          "has "
          "one: each gives its row).\n\n"
          "With `threshold` a `having` that asks for counts (`count()`, `distinct()`, joined by "
          "`&&`) "
          "is looked at only when so many records or values can be there. Any other is evaluated "
          "at "
          "every record, for `entropy`, `top` and `distinct` over all values of the window: with "
          "many thousands in one, `close` is the cheaper way.\n\n"
          "Late records leave through port `late` with field `lateness`.\n\n"
          "Windows that differ only in name and `having` (with `emit: close`) are computed once, "
          "by a node of their own that `check` shows; a hundred rules cost little more than one. "
          "What they have counted belongs to all of them: one that is added sees it, one that "
          "changes or goes leaves it to the others.")
      .promise("exact, also after a crash")
      .field(&C::window, {.name = "window",
                          .help = "Kind and length of the windows.",
                          .required = true,
                          .examples = {"{tumbling: 1m}", "{sliding: 20s, every: 1s}",
                                       "{session: {gap: 30s, max: 1h}}"}})
      .field(&C::by, {.name = "by",
                      .help = "Fields that make the key. None: one group for all records.",
                      .examples = {"[client_ip]"}})
      .field(&C::where, {.name = "where",
                         .help = "Only records for which this is true enter.",
                         .examples = {"status >= 400"}})
      .field(&C::compute, {.name = "compute",
                           .help = "Names of the results, and how to get them.",
                           .required = true,
                           .examples = {"{requests: count(), slowest: max(request_time)}"}})
      .field(&C::having,
             {.name = "having",
              .help = "Only results for which this is true leave. Sees the `by` fields, "
                      "the computed names, window_start and window_end.",
              .examples = {"requests > 10"}})
      .field(&C::emit, {.name = "emit", .help = "When a result leaves."})
      .field(&C::max_keys,
             {.name = "max_keys", .help = "Keys held at once, over all workers.", .advanced = true})
      .field(&C::on_full, {.name = "on_full",
                           .help = "With max_keys held: refuse records of new keys, or evict the "
                                   "keys that were quiet longest. Counted as shed.",
                           .advanced = true})
      .rule("compute must name at least one value", [](const C& c) { return !c.compute.empty(); })
      .rule("emit: threshold needs having",
            [](const C& c) { return c.emit != Emit::threshold || c.having.has_value(); })
      .rule("max_keys must be at least 1", [](const C& c) { return c.max_keys > 0; })
      .example("Clients with more than 10 requests in 20 s",
               "window: {sliding: 20s, every: 1s}\nby: [client_ip]\n"
               "compute: {requests: count()}\nhaving: requests > 10\n")
      .example("Mean time per host and minute",
               "window: {tumbling: 1m}\nby: [host]\ncompute: {mean: avg(request_time)}\n");
}

}  // namespace streamd::window
