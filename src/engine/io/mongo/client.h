// SPDX-License-Identifier: Apache-2.0
// Client: bulk writes and indexes at a MongoDB server, replica set or cluster, with everything that
// it says as plain data. Any thread; as many connections as there are calls at once. No text that
// it gives out holds the URI's password.
#pragma once

#include "engine/core/error.h"
#include "engine/io/mongo/uri.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace streamd::mongo {

// Why a call failed as a whole.
struct Failure {
  enum class From {
    network,   // no server found, connection refused, cut or silent: nobody knows what was done
    login,     // the server does not let us in
    security,  // its certificate is not trusted
    server,    // it has answered with `code`
    document,  // the library refused a document before it was sent
    stopped,   // the stop was requested
  };
  From from = From::network;
  int code = 0;         // server: its error code
  std::string message;  // the server's or the library's words
};

// What the server says about one operation of a bulk.
struct WriteError {
  std::size_t index = 0;  // of the document
  int code = 0;
  std::string message;
  std::string key_pattern;  // duplicate key: the fields of the index, "a,b"; empty = not told
};

struct Outcome {
  std::optional<Failure> failure;  // then nothing else is known
  std::size_t written = 0;         // as the server counts; with errors it makes all
  std::vector<WriteError> errors;
  std::optional<WriteError> unsettled;  // written, but not as far as the write concern asks
};

struct Collection {
  std::string_view database, name;
};

struct Document {
  std::string_view id;    // its _id, which `bson` holds as well
  std::string_view bson;  // append_document()
};

enum class Write {
  insert,   // an id that is there already is a WriteError of code 11000
  replace,  // replaces the document of the id, or inserts
};

struct Index {
  std::vector<std::pair<std::string, std::string>> keys;  // field: "1", "-1", "hashed", "text", …
  bool unique = false;
  std::optional<std::int32_t> expire_seconds;
  std::string name;  // empty = a_1_b_-1, as everywhere
};

class Client {
 public:
  // write_concern: "majority", a number above 0, or a tag; empty = what the URI says, else
  // majority. Opens no connection; that a name can't be resolved turns out later.
  static Result<std::unique_ptr<Client>> make(Uri uri, std::string write_concern);
  virtual ~Client() = default;

  // Unordered: all are tried. Returns soon after a stop; from then on every call fails.
  virtual Outcome write(const Collection& to, Write how, std::span<const Document> documents,
                        std::stop_token stop) = 0;
  // Which of these ids are in the collection.
  virtual tl::expected<std::set<std::string, std::less<>>, Failure> present(
      const Collection& in, std::span<const std::string_view> ids, std::stop_token stop) = 0;
  // Idempotent. The collection is made if there is none.
  virtual std::optional<Failure> create_index(const Collection& on, const Index& index,
                                              std::stop_token stop) = 0;
};

}  // namespace streamd::mongo
