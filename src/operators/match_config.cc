// SPDX-License-Identifier: Apache-2.0
#include "operators/match_config.h"

#include <algorithm>

namespace streamd::match {
namespace {

constexpr const char* kDetails =
    "The lists are declared below `lists:` of the pipeline. A value is looked up as what it is: an "
    "address matches every network of a list that holds it, the most specific one first; a domain "
    "matches itself and any domain above it; any other text, or an integer, has to be equal to an "
    "entry. Of a list of values (`hostnames`) the first that matches counts. A record without the "
    "field, or with a value that no list can hold, does not match.\n\n"
    "The fields are tried in their order, and for each value the lists in theirs; the first match "
    "decides. It adds `match.list`, `match.field`, `match.value` (the record's value that "
    "matched), "
    "`match.indicator` (the entry as the list has it), and what the list knows of the entry, where "
    "it does: `match.comment`, `match.type`, `match.scenario`, `match.origin`, `match.scope`, "
    "`match.source`, `match.tags`, `match.score`, `match.first_seen`, `match.last_seen`, "
    "`match.expires`. `streamd check` shows which of them there are.\n\n"
    "With an equal `as` in two nodes one after the other, what the second finds takes the place of "
    "what the first has found; where it finds nothing (`keep: all`), that stays.\n\n"
    "A list is refreshed while the pipeline runs; all records of one batch see the same content. "
    "To only ask, in any expression: `client_ip in list(\"blocklist\")`.";

// `one` and `several` are two names of the same key.
std::vector<std::string> either(std::vector<std::string> one, std::vector<std::string> several,
                                const char* one_key, const char* several_key, std::string& key,
                                const ConfigNode& node, Diagnostics& problems) {
  key = several.empty() ? one_key : several_key;
  if (one.empty() == several.empty())
    report_rule(node,
                std::string("match needs either ") + one_key + " or " + several_key +
                    ", with at least one name",
                problems);
  return several.empty() ? std::move(one) : std::move(several);
}

bool is_name(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

const Spec<Written>& spec() {
  using C = Written;
  static const Spec<C> kSpec =
      Spec<C>("match")
          .summary("Finds records whose values are on an indicator list.")
          .details(kDetails)
          .field(&C::field, {.name = "field",
                             .help = "The field that is looked up; several are allowed.",
                             .examples = {"client_ip"}})
          .field(&C::fields, {.name = "fields",
                              .help = "The same for several fields, tried in this order.",
                              .examples = {"[src_ip, dst_ip, hostnames]"}})
          .field(&C::list, {.name = "list",
                            .help = "The list in which it is looked up; several are allowed.",
                            .examples = {"blocklist"}})
          .field(&C::lists, {.name = "lists",
                             .help = "The same for several lists, tried in this order.",
                             .examples = {"[blocklist, botnets]"}})
          .field(&C::allow, {.name = "allow",
                             .help = "Lists that win: a value on one of them never matches.",
                             .examples = {"our_networks"}})
          .field(
              &C::keep,
              {.name = "keep",
               .help = "Which records go on: those that `matched`, the `unmatched` ones (without "
                       "new fields), or `all` of them. The others are counted as `filtered`.",
               .examples = {"all"}})
          .field(&C::as, {.name = "as",
                          .help = "What the new fields are called: `match.list` and so on.",
                          .examples = {"known"}})
          .example("Visitors that a list knows", "field: client_ip\nlist: blocklist")
          .example("Any of ours in any of the lists, and all records go on",
                   "fields: [src_ip, dst_ip]\nlists: [blocklist, botnets]\nallow: our_networks\n"
                   "keep: all")
          .example("Leave out what is our own",
                   "field: client_ip\nlist: our_networks\n"
                   "keep: unmatched");
  return kSpec;
}

std::optional<Config> settled(Written written, const ConfigNode& node, Diagnostics& problems) {
  const std::size_t before = problems.errors();
  Config config;
  config.fields = either(std::move(written.field), std::move(written.fields), "field", "fields",
                         config.fields_key, node, problems);
  config.lists = either(std::move(written.list), std::move(written.lists), "list", "lists",
                        config.lists_key, node, problems);
  config.allow = std::move(written.allow);
  config.keep = written.keep;
  config.as = std::move(written.as);
  if (!is_name(config.as))
    report_rule(node, "as must be a name of letters, digits and _", problems);
  if (problems.errors() > before) return std::nullopt;
  return config;
}

}  // namespace streamd::match
