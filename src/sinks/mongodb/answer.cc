// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/answer.h"

#include "sinks/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace streamd::mongodb {
namespace {

using delivery::Answer;
using delivery::Verdict;
using mongo::Failure;
using mongo::Write;

enum class Means { again, blocked, refused };

struct Row {
  int code;
  Means means;
  std::string_view name;
};

// A code that is not here is about the document.
constexpr std::array kCodes{
    Row{1, Means::again, "internal-error"},
    Row{6, Means::again, "host-unreachable"},
    Row{7, Means::again, "host-not-found"},
    Row{13, Means::blocked, "unauthorized"},
    Row{14, Means::refused, "type-mismatch"},
    Row{18, Means::blocked, "authentication-failed"},
    Row{20, Means::blocked, "illegal-operation"},
    Row{24, Means::again, "lock-timeout"},
    Row{46, Means::again, "lock-busy"},
    Row{50, Means::again, "max-time"},
    Row{59, Means::blocked, "command-not-found"},
    Row{63, Means::again, "stale-shard-version"},
    Row{64, Means::again, "write-concern-timeout"},
    Row{73, Means::refused, "invalid-namespace"},
    Row{79, Means::blocked, "unknown-write-concern"},
    Row{89, Means::again, "network-timeout"},
    Row{91, Means::again, "shutdown"},
    Row{100, Means::blocked, "write-concern-not-possible"},
    Row{112, Means::again, "write-conflict"},
    Row{121, Means::refused, "document-validation"},
    Row{133, Means::again, "no-host-found"},
    Row{166, Means::blocked, "view"},
    Row{189, Means::again, "primary-stepped-down"},
    Row{202, Means::again, "network-interface-time-limit"},
    Row{262, Means::again, "time-limit"},
    Row{317, Means::again, "connection-pool-expired"},
    Row{462, Means::again, "overloaded"},
    Row{8000, Means::blocked, "atlas"},
    Row{9001, Means::again, "socket"},
    Row{10107, Means::again, "not-primary"},
    Row{10334, Means::refused, "too-large"},
    Row{kDuplicateKey, Means::refused, "duplicate-key"},
    Row{11600, Means::again, "interrupted-at-shutdown"},
    Row{11602, Means::again, "interrupted"},
    Row{12501, Means::again, "quota"},
    Row{13388, Means::again, "stale-config"},
    Row{13435, Means::again, "not-primary"},
    Row{13436, Means::again, "not-primary"},
    Row{14031, Means::again, "disk-full"},
    Row{16500, Means::again, "throttled"},
};

const Row* find(int code) {
  const auto* found = std::find_if(kCodes.begin(), kCodes.end(),
                                   [code](const Row& row) { return row.code == code; });
  return found == kCodes.end() ? nullptr : found;
}

Means means_of(int code) {
  const Row* row = find(code);
  return row == nullptr ? Means::refused : row->means;
}

std::string name_of(int code) {
  const Row* row = find(code);
  return row == nullptr ? fmt::format("code-{}", code) : std::string(row->name);
}

std::string told(int code, const std::string& message) {
  return fmt::format("the server says {} ({}): {}", name_of(code), code, excerpt(message));
}

Answer plain(Answer::Kind kind, std::string message, std::string hint = {}) {
  Answer answer;
  answer.kind = kind;
  answer.message = std::move(message);
  answer.hint = std::move(hint);
  return answer;
}

Answer blocked(int code, const std::string& message) {
  const bool retries = code == 20 && message.find("Transaction numbers") != std::string::npos;
  return plain(Answer::Kind::blocked, told(code, message),
               retries ? "Put retryWrites=false into the uri"
                       : "Check the user's rights, the uri and write_concern");
}

// One document may have spoilt it for all.
Answer refuse(std::size_t count, std::string code, std::string reason) {
  if (count == 1) return refuse_each(1, std::move(code), std::move(reason));
  return plain(Answer::Kind::split, {});
}

Verdict verdict_of(const mongo::WriteError& error, Write how, const std::string& space) {
  Verdict verdict;
  const bool own_id = error.code == kDuplicateKey && is_about_id(error, space);
  // An insert that was made before; or two replacements that both found nothing to replace.
  if (own_id && how == Write::insert) return verdict;
  verdict.code = name_of(error.code);
  verdict.reason = excerpt(error.message);
  const bool heals = own_id || means_of(error.code) != Means::refused;
  verdict.kind = heals ? Verdict::Kind::again : Verdict::Kind::refused;
  return verdict;
}

}  // namespace

bool is_about_id(const mongo::WriteError& error, const std::string& space) {
  if (!error.key_pattern.empty()) return error.key_pattern == "_id";
  // The rest of the text holds what the record says: nothing is looked for there.
  const std::string before = fmt::format("collection: {} index: ", space);
  const auto at = error.message.find(before);
  if (at == std::string::npos || error.message.find("dup key") < at) return false;
  const std::string_view index = std::string_view(error.message).substr(at + before.size());
  return index == "_id_" || index.starts_with("_id_ ");
}

bool is_unsupported(const Failure& failure) {
  return failure.from == Failure::From::server && (failure.code == 238 || failure.code == 115);
}

Answer answer_of(const Failure& failure, std::size_t count) {
  using From = Failure::From;
  const std::string words = excerpt(failure.message);
  switch (failure.from) {
    case From::network:
    case From::stopped: return plain(Answer::Kind::again, words);
    case From::login:
      return plain(Answer::Kind::blocked, words,
                   "Check user, password, authSource and authMechanism of the uri");
    case From::security:
      return plain(Answer::Kind::blocked, words,
                   "Name the authority that has signed it with tlsCAFile in the uri");
    case From::document: return refuse(count, "bad-document", words);
    case From::server: break;
  }
  switch (means_of(failure.code)) {
    case Means::again: return plain(Answer::Kind::again, told(failure.code, failure.message));
    case Means::blocked: return blocked(failure.code, failure.message);
    case Means::refused: break;
  }
  return refuse(count, name_of(failure.code), words);
}

Answer answer_of(const mongo::Outcome& outcome, std::size_t count, Write how,
                 const std::string& space) {
  if (outcome.failure) return answer_of(*outcome.failure, count);
  Answer answer;
  answer.items.resize(count);
  for (const auto& error : outcome.errors) {
    if (error.index >= count)
      return plain(Answer::Kind::again,
                   fmt::format("the answer is about document {} of {}", error.index + 1, count));
    // It holds for the others too, and is no fault of the document.
    if (means_of(error.code) == Means::blocked) return blocked(error.code, error.message);
    answer.items[error.index] = verdict_of(error, how, space);
  }
  if (outcome.written + outcome.errors.size() != count) {
    // FerretDB ends a command of updates at the first error, and does not say where that was.
    if (count > 1) return plain(Answer::Kind::split, {});
    if (outcome.errors.empty())
      return plain(Answer::Kind::again, "the server says nothing about the document");
  }
  if (outcome.unsettled) {
    const auto& concern = *outcome.unsettled;
    if (means_of(concern.code) == Means::blocked) return blocked(concern.code, concern.message);
    for (auto& item : answer.items)
      if (item.kind == Verdict::Kind::done) item.kind = Verdict::Kind::again;
  }
  // Those that go again alone could overtake a later version of their document; and people shall
  // hear of it when nothing gets through.
  const auto is_again = [](const Verdict& v) { return v.kind == Verdict::Kind::again; };
  const auto first = std::find_if(answer.items.begin(), answer.items.end(), is_again);
  if (first == answer.items.end()) return answer;
  const bool all = std::all_of(answer.items.begin(), answer.items.end(), is_again);
  if (!all && how == Write::insert) return answer;
  const std::string& words = outcome.unsettled ? outcome.unsettled->message : first->reason;
  return plain(Answer::Kind::again, fmt::format("the server says: {}", excerpt(words)));
}

}  // namespace streamd::mongodb
