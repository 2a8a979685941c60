// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/uri.h"

#include "engine/io/mongo/client.h"
#include "tests/support/catch.h"

#include <string>
#include <vector>

namespace streamd::mongo {
namespace {

TEST_CASE("A URI shows its hosts and its database, and keeps its password") {
  const auto uri =
      Uri::parse("mongodb://me:p%40ss@10.0.0.1:27018,[::1]/shop?replicaSet=rs0&authSource=admin");
  REQUIRE(uri);
  CHECK(uri->hosts == "10.0.0.1:27018, [::1]:27017");
  CHECK(uri->database == "shop");
  CHECK(uri->password == "p@ss");
  CHECK(Uri::parse("mongodb+srv://u:p@cluster.example.com/?retryWrites=false")->hosts ==
        "cluster.example.com");
  CHECK(Uri::parse("mongodb://localhost")->database.empty());
}

TEST_CASE("What is no URI is refused, and its text is never repeated") {
  for (const char* text :
       {"", "localhost", "http://hunter2@x", "mongodb://", "mongodb://u:hunter2@",
        "mongodb://u:hunt%er2@x", "mongodb://u:hunt/er2@x", "mongodb://hunter2:x:y@h",
        "mongodb://h/?hunter2=1", "mongodb://h/?w=0", "mongodb://h/?socketTimeoutMS=hunter2",
        "mongodb+srv://a,b", "mongodb://h:99999"}) {
    INFO(text);
    const auto uri = Uri::parse(text);
    REQUIRE_FALSE(uri);
    CHECK(uri.error().kind == ErrorKind::config);
    CHECK(uri.error().message.find("hunt") == std::string::npos);
    CHECK(uri.error().hint.find("hunt") == std::string::npos);
  }
  CHECK_FALSE(Uri::parse(std::string_view("mongodb://h\0x", 13)));
}

TEST_CASE("Words of others lose the URI's secrets") {
  const auto uri = Uri::parse("mongodb://u:hunter2@h/");
  REQUIRE(uri);
  CHECK(without_secrets("no hunter2, no hunter2hunter2", *uri) == "no ***, no ******");
  CHECK(without_secrets("in mongodb://u:hunter2@h/ it is", *uri) == "in *** it is");
  CHECK(without_secrets("nothing", *Uri::parse("mongodb://h")) == "nothing");
}

TEST_CASE("A field with a bad URI is told at its place") {
  ConfigNode node;
  node.shape = ConfigNode::Shape::scalar;
  node.text = "mongodb://u:hunter2";
  node.place = {0, 3, 5, 1};
  Uri into;
  Diagnostics problems;
  CHECK_FALSE(FieldType<Uri>::read(node, into, problems));
  REQUIRE(problems.errors() == 1);
  CHECK(problems.all()[0].code == "bad-uri");
  CHECK(problems.all()[0].place.line == 3);
  node.shape = ConfigNode::Shape::list;
  CHECK_FALSE(FieldType<Uri>::read(node, into, problems));
}

TEST_CASE("A write concern that nobody acknowledges is refused") {
  const auto uri = Uri::parse("mongodb://127.0.0.1:1");
  for (const char* good : {"", "majority", "1", "3", "my-tag"}) CHECK(Client::make(*uri, good));
  for (const char* bad : {"0", "-1"}) CHECK_FALSE(Client::make(*uri, bad));
}

TEST_CASE("A stop ends the search for a server that is not there") {
  // Nobody listens on port 1.
  auto client =
      Client::make(*Uri::parse("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=3600000"), "");
  REQUIRE(client);
  std::stop_source source;
  source.request_stop();
  const std::vector<Document> documents;
  const Outcome outcome =
      (*client)->write({"d", "c"}, Write::insert, documents, source.get_token());
  REQUIRE(outcome.failure);
  CHECK(outcome.failure->from == Failure::From::stopped);
}

TEST_CASE("A server that is not there is a matter of the network") {
  auto client = Client::make(
      *Uri::parse("mongodb://u:hunter2@127.0.0.1:1/?serverSelectionTimeoutMS=1000"), "");
  REQUIRE(client);
  const auto failure = (*client)->create_index({"d", "c"}, {{{"a", "1"}}, false, {}, ""}, {});
  REQUIRE(failure);
  CHECK(failure->from == Failure::From::network);
  CHECK(failure->message.find("127.0.0.1:1") != std::string::npos);
  CHECK(failure->message.find("hunter2") == std::string::npos);
}

}  // namespace
}  // namespace streamd::mongo
