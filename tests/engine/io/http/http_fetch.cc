// SPDX-License-Identifier: Apache-2.0
// Sends one request some times and says what came of it, for tests with real servers and for the
// comparison with curl:
//
//   http_fetch URL [ca=F] [cert=F] [key=F] [proxy=U] [insecure=1] [method=M] [upload=BYTES]
//              [gzip=1] [accept=ENCODING] [times=N]
//
// "200 BYTES CONNECTIONS", or "error: MESSAGE | HINT | never|backoff" and exit 1.
#include "engine/io/http/client.h"

#include <charconv>
#include <cstdio>
#include <map>
#include <string>

using namespace streamd;
using namespace streamd::http;

namespace {

using Arguments = std::map<std::string, std::string>;

int failed(const Error& error) {
  std::printf("error: %s | %s | %s\n", error.message.c_str(), error.hint.c_str(),
              error.retry == Retry::never ? "never" : "backoff");
  return 1;
}

std::size_t number(const std::string& text, std::size_t otherwise) {
  std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

int fetch(const Url& url, Arguments& given) {
  ClientOptions options;
  options.ca_file = given["ca"];
  options.cert_file = given["cert"];
  options.key_file = given["key"];
  options.proxy = given["proxy"].empty() ? "none" : given["proxy"];
  options.insecure_skip_verify = !given["insecure"].empty();
  options.max_response = std::uint64_t{1} << 40;
  const SystemClock clock;
  const auto client = Client::make(options, clock);
  if (!client) return failed(client.error());
  Request request;
  request.url = url;
  if (!given["method"].empty()) request.method = given["method"];
  request.gzip_body = !given["gzip"].empty();
  if (!given["accept"].empty()) request.headers.add("Accept-Encoding", given["accept"]);
  while (request.body.size() < number(given["upload"], 0))
    request.body += "{\"n\":" + std::to_string(request.body.size()) + "}\n";
  std::uint64_t bytes = 0;
  int status = 0;
  for (std::size_t i = 0; i < number(given["times"], 1); ++i) {
    const auto response = (*client)->send(request, {});
    if (!response) return failed(response.error());
    status = response->status;
    bytes += response->body.size();
  }
  std::printf("%d %llu %llu\n", status, static_cast<unsigned long long>(bytes),
              static_cast<unsigned long long>((*client)->connections_made()));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Arguments given;
  for (int i = 2; i < count; ++i) {
    const std::string word = words[i];
    const std::size_t sign = word.find('=');
    if (sign != std::string::npos) given[word.substr(0, sign)] = word.substr(sign + 1);
  }
  const auto url = Url::parse(count > 1 ? words[1] : "");
  return url ? fetch(*url, given) : failed(url.error());
}
