// SPDX-License-Identifier: Apache-2.0
#include "engine/io/mongo/uri.h"

#include "engine/io/mongo/handle.h"
#include "engine/io/mongo/library.h"

namespace streamd {
namespace mongo {
namespace {

std::string text_of(const char* text) { return text == nullptr ? "" : text; }

std::string hosts_of(const mongoc_uri_t* uri) {
  if (const char* name = mongoc_uri_get_srv_hostname(uri)) return name;
  std::string hosts;
  for (const auto* host = mongoc_uri_get_hosts(uri); host != nullptr; host = host->next)
    hosts += (hosts.empty() ? "" : ", ") + std::string(host->host_and_port);
  return hosts;
}

void replace_all(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
}

}  // namespace

Result<Uri> Uri::parse(std::string_view text) {
  use_library();
  Uri uri;
  uri.text = text;
  if (!text.starts_with("mongodb://") && !text.starts_with("mongodb+srv://"))
    return fail(ErrorKind::config, "this is no MongoDB URI",
                "It begins with mongodb:// or mongodb+srv://.");
  if (text.find('\0') != std::string_view::npos)
    return fail(ErrorKind::config, "the URI has a NUL");
  static_cast<void>(take_warnings());
  bson_error_t ignored;  // its text quotes the URI
  const UriHandle parsed(mongoc_uri_new_with_error(uri.text.c_str(), &ignored));
  const unsigned warnings = take_warnings();
  if (!parsed)
    return fail(ErrorKind::config, "this URI can't be read",
                "It looks like mongodb://user:password@host:27017/database?option=value, with "
                ": / ? # [ ] @ and % in user and password written as %3A and so on.");
  if (warnings > 0)
    return fail(ErrorKind::config, "the URI has an option that is not known or has a wrong value",
                "The options are those of the MongoDB connection string, such as replicaSet, "
                "authSource and tls.");
  const auto* concern = mongoc_uri_get_write_concern(parsed.get());
  if (concern != nullptr && !mongoc_write_concern_is_acknowledged(concern))
    return fail(ErrorKind::config, "the URI asks for writes that are not acknowledged",
                "Leave w=0 away: nobody would know what arrived.");
  uri.hosts = hosts_of(parsed.get());
  uri.database = text_of(mongoc_uri_get_database(parsed.get()));
  uri.password = text_of(mongoc_uri_get_password(parsed.get()));
  return uri;
}

std::string without_secrets(std::string text, const Uri& uri) {
  replace_all(text, uri.text);
  replace_all(text, uri.password);
  return text;
}

}  // namespace mongo

bool FieldType<mongo::Uri>::read(const ConfigNode& node, mongo::Uri& into, Diagnostics& problems) {
  if (node.shape != ConfigNode::Shape::scalar) {
    report_type(node, "a MongoDB URI", problems);
    return false;
  }
  auto uri = mongo::Uri::parse(node.text);
  if (!uri) {
    problems.error("bad-uri", node.place, uri.error().message, uri.error().hint);
    return false;
  }
  into = std::move(*uri);
  return true;
}

std::string FieldType<mongo::Uri>::json_schema() { return R"({"type":"string"})"; }

}  // namespace streamd
