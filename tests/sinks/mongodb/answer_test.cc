// SPDX-License-Identifier: Apache-2.0
#include "sinks/mongodb/answer.h"

#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace streamd::mongodb {
namespace {

using delivery::Answer;
using delivery::Verdict;
using mongo::Failure;
using mongo::Outcome;
using mongo::Write;
using mongo::WriteError;

const std::string kSpace = "d.c";

Failure server(int code, std::string message = "words") {
  return {Failure::From::server, code, std::move(message)};
}

// Of `count` documents, all others written.
Outcome with(std::vector<WriteError> errors, std::size_t count) {
  Outcome outcome;
  outcome.written = count - errors.size();
  outcome.errors = std::move(errors);
  return outcome;
}

TEST_CASE("What was written is done") {
  const Answer answer = answer_of(with({}, 3), 3, Write::insert, kSpace);
  REQUIRE(answer.kind == Answer::Kind::each);
  REQUIRE(answer.items.size() == 3);
  for (const auto& item : answer.items) CHECK(item.kind == Verdict::Kind::done);
}

TEST_CASE("Each document has its own verdict") {
  const Answer answer = answer_of(
      with({{1, 11000, "E11000 duplicate key error collection: d.c index: _id_ dup key: { x }", ""},
            {2, 11000, "E11000 duplicate key error collection: d.c index: u_1 dup key: { x }", ""},
            {3, 121, "Document failed validation", ""},
            {4, 112, "WriteConflict", ""},
            {5, 4711, "odd", ""}},
           6),
      6, Write::insert, kSpace);
  REQUIRE(answer.kind == Answer::Kind::each);
  using Kind = Verdict::Kind;
  const std::vector<Kind> kinds{Kind::done,    Kind::done,  Kind::refused,
                                Kind::refused, Kind::again, Kind::refused};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    INFO("document " << i);
    CHECK(answer.items[i].kind == kinds[i]);
  }
  CHECK(answer.items[2].code == "duplicate-key");
  CHECK(answer.items[3].code == "document-validation");
  CHECK(answer.items[3].reason == "Document failed validation");
  CHECK(answer.items[5].code == "code-4711");
}

TEST_CASE("Only what the server itself says about _id counts, not what a record says") {
  const auto about = [](std::string message, std::string pattern = "") {
    return is_about_id({0, 11000, std::move(message), std::move(pattern)}, kSpace);
  };
  CHECK(about("E11000 duplicate key error collection: d.c index: _id_ dup key: { _id: \"1\" }"));
  CHECK(about("anything", "_id"));
  CHECK_FALSE(about("E11000 duplicate key error collection: d.c index: _id_ dup key", "u"));
  CHECK_FALSE(about("anything", "_id,u"));
  CHECK_FALSE(about("E11000 duplicate key error collection: d.c"));
  CHECK_FALSE(
      about("E11000 duplicate key error collection: d.c index: u_1 dup key: "
            "{ u: \"collection: d.c index: _id_ dup key\" }"));
  CHECK_FALSE(
      about("E11000 duplicate key error index: u_1 dup key: "
            "{ u: \"collection: d.c index: _id_ dup key\" }"));
  CHECK_FALSE(about("E11000 duplicate key error collection: d.c index: _id_2 dup key: { }"));
  CHECK_FALSE(about("E11000 duplicate key error collection: x.c index: _id_ dup key: { }"));
}

TEST_CASE("Replacements that race for a new id go again, all in their order") {
  const Answer answer = answer_of(with({{1, 11000, "", "_id"}}, 3), 3, Write::replace, kSpace);
  CHECK(answer.kind == Answer::Kind::again);
  CHECK(answer_of(with({{1, 11000, "", "u"}}, 3), 3, Write::replace, kSpace).kind ==
        Answer::Kind::each);
  CHECK(answer_of(with({{0, 112, "WriteConflict", ""}}, 3), 3, Write::replace, kSpace).kind ==
        Answer::Kind::again);
}

TEST_CASE("When nothing gets through, people hear of it") {
  const Answer answer = answer_of(with({{0, 91, "going down", ""}, {1, 91, "going down", ""}}, 2),
                                  2, Write::insert, kSpace);
  CHECK(answer.kind == Answer::Kind::again);
  CHECK(answer.message.find("going down") != std::string::npos);
}

TEST_CASE("An answer that does not account for every document says nothing") {
  Outcome outcome;
  outcome.written = 1;
  CHECK(answer_of(outcome, 3, Write::insert, kSpace).kind == Answer::Kind::split);
  outcome.written = 0;
  CHECK(answer_of(outcome, 1, Write::insert, kSpace).kind == Answer::Kind::again);
  outcome.errors = {{0, 11000, "E11000", ""}};
  CHECK(answer_of(outcome, 5, Write::replace, kSpace).kind == Answer::Kind::split);
  const Answer single = answer_of(outcome, 1, Write::replace, kSpace);
  REQUIRE(single.kind == Answer::Kind::each);
  CHECK(single.items[0].kind == Verdict::Kind::refused);
  CHECK(answer_of(with({{7, 121, "", ""}}, 2), 2, Write::insert, kSpace).kind ==
        Answer::Kind::again);
}

TEST_CASE("What is written and not yet replicated goes again") {
  Outcome outcome = with({{1, 121, "no", ""}}, 2);
  outcome.unsettled = WriteError{0, 64, "waiting for replication timed out", ""};
  const Answer answer = answer_of(outcome, 2, Write::insert, kSpace);
  REQUIRE(answer.kind == Answer::Kind::each);
  CHECK(answer.items[0].kind == Verdict::Kind::again);
  CHECK(answer.items[1].kind == Verdict::Kind::refused);
  outcome = with({}, 2);
  outcome.unsettled = WriteError{0, 64, "waiting for replication timed out", ""};
  CHECK(answer_of(outcome, 2, Write::insert, kSpace).message.find("timed out") !=
        std::string::npos);
  outcome.unsettled = WriteError{0, 100, "Not enough data-bearing nodes", ""};
  CHECK(answer_of(outcome, 2, Write::insert, kSpace).kind == Answer::Kind::blocked);
}

TEST_CASE("A failure of the whole is sorted by who can heal it") {
  using From = Failure::From;
  CHECK(answer_of({From::network, 0, "No suitable servers found"}, 5).kind == Answer::Kind::again);
  CHECK(answer_of({From::stopped, 0, ""}, 5).kind == Answer::Kind::again);
  CHECK(answer_of({From::login, 0, "Authentication failed."}, 5).kind == Answer::Kind::blocked);
  CHECK(answer_of({From::security, 0, "certificate verify failed"}, 5).hint.find("tlsCAFile") !=
        std::string::npos);
  for (const int code :
       {6, 7, 50, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 16500}) {
    INFO(code);
    CHECK(answer_of(server(code), 5).kind == Answer::Kind::again);
  }
  for (const int code : {13, 18, 59, 8000}) {
    INFO(code);
    CHECK(answer_of(server(code), 5).kind == Answer::Kind::blocked);
  }
  CHECK(answer_of(server(20, "Transaction numbers are only allowed on a replica set"), 5)
            .hint.find("retryWrites=false") != std::string::npos);
}

TEST_CASE("What one document may have spoilt is halved until it is alone") {
  for (const Failure& failure :
       {server(10334, "BSONObj size is invalid"), server(2, "bad value"),
        Failure{Failure::From::document, 0, "Document 0 is too large for the cluster"}}) {
    CHECK(answer_of(failure, 2).kind == Answer::Kind::split);
    const Answer alone = answer_of(failure, 1);
    REQUIRE(alone.kind == Answer::Kind::each);
    CHECK(alone.items.at(0).kind == Verdict::Kind::refused);
    CHECK_FALSE(alone.items[0].reason.empty());
  }
}

TEST_CASE("Only a server that does not know such an index is forgiven") {
  CHECK(is_unsupported(server(238)));
  CHECK(is_unsupported(server(115)));
  CHECK_FALSE(is_unsupported(server(85)));
  CHECK_FALSE(is_unsupported({Failure::From::network, 238, ""}));
}

}  // namespace
}  // namespace streamd::mongodb
