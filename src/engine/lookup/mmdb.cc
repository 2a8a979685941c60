// SPDX-License-Identifier: Apache-2.0
#include "engine/lookup/lookup.h"

#include <fmt/format.h>
#include <maxminddb.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>

namespace streamd {
namespace {

struct Path {
  std::vector<std::string> steps;
  std::vector<const char*> names;  // of steps, and a null behind
};

class Mmdb final : public Lookup {
 public:
  explicit Mmdb(const std::vector<std::string>& paths) {
    for (const std::string& text : paths) {
      Path path;
      std::size_t begin = 0;
      for (std::size_t dot = text.find('.'); dot != std::string::npos;
           begin = dot + 1, dot = text.find('.', begin))
        path.steps.push_back(text.substr(begin, dot - begin));
      path.steps.push_back(text.substr(begin));
      paths_.push_back(std::move(path));
    }
    for (Path& path : paths_) {
      for (const std::string& step : path.steps) path.names.push_back(step.c_str());
      path.names.push_back(nullptr);
    }
  }
  ~Mmdb() override {
    if (open_) MMDB_close(&db_);
  }
  Mmdb(const Mmdb&) = delete;
  Mmdb& operator=(const Mmdb&) = delete;

  int open(const std::string& path) {
    const int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &db_);
    open_ = status == MMDB_SUCCESS;
    return status;
  }

  bool find(std::string_view key, Arena&, Value* into) const override {
    const auto address = parse(key);
    if (!address) return false;
    int status = MMDB_SUCCESS;
    auto found = MMDB_lookup_sockaddr(&db_, reinterpret_cast<const sockaddr*>(&*address), &status);
    if (status != MMDB_SUCCESS || !found.found_entry) return false;
    for (std::size_t p = 0; p < paths_.size(); ++p) into[p] = value_at(found.entry, paths_[p]);
    return true;
  }

 private:
  // nullopt: no address, or an IPv6 one and a database without those.
  std::optional<sockaddr_storage> parse(std::string_view text) const {
    char ended[INET6_ADDRSTRLEN] = {};
    if (text.size() >= sizeof ended) return std::nullopt;
    std::memcpy(ended, text.data(), text.size());
    sockaddr_storage out = {};
    sockaddr_in v4 = {};
    if (inet_pton(AF_INET, ended, &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      std::memcpy(&out, &v4, sizeof v4);
      return out;
    }
    sockaddr_in6 v6 = {};
    if (db_.metadata.ip_version != 6 || inet_pton(AF_INET6, ended, &v6.sin6_addr) != 1)
      return std::nullopt;
    v6.sin6_family = AF_INET6;
    std::memcpy(&out, &v6, sizeof v6);
    return out;
  }

  static Value value_at(MMDB_entry_s entry, const Path& path) {
    MMDB_entry_data_s data = {};
    if (MMDB_aget_value(&entry, &data, path.names.data()) != MMDB_SUCCESS || !data.has_data)
      return Value::missing();
    switch (data.type) {
      case MMDB_DATA_TYPE_UTF8_STRING: return Value::string({data.utf8_string, data.data_size});
      case MMDB_DATA_TYPE_DOUBLE: return Value::float64(data.double_value);
      case MMDB_DATA_TYPE_FLOAT: return Value::float64(static_cast<double>(data.float_value));
      case MMDB_DATA_TYPE_UINT16: return Value::int64(data.uint16);
      case MMDB_DATA_TYPE_UINT32: return Value::int64(data.uint32);
      case MMDB_DATA_TYPE_INT32: return Value::int64(data.int32);
      case MMDB_DATA_TYPE_BOOLEAN: return Value::boolean(data.boolean);
      case MMDB_DATA_TYPE_UINT64:
        if (data.uint64 <= INT64_MAX) return Value::int64(static_cast<std::int64_t>(data.uint64));
        return Value::uint64(data.uint64);
      default: return Value::missing();
    }
  }

  MMDB_s db_ = {};
  bool open_ = false;
  std::vector<Path> paths_;
};

}  // namespace

Result<std::shared_ptr<const Lookup>> open_mmdb(const std::string& path,
                                                const std::vector<std::string>& paths) {
  auto db = std::make_shared<Mmdb>(paths);
  errno = 0;
  const int status = db->open(path);
  if (status == MMDB_FILE_OPEN_ERROR && errno != 0)
    return fail(ErrorKind::config, fmt::format("{}: {}", path, std::strerror(errno)),
                "Name a database in MaxMind's format that streamd may read.");
  if (status != MMDB_SUCCESS)
    return fail(ErrorKind::config, fmt::format("{}: {}", path, MMDB_strerror(status)),
                "Name a database in MaxMind's format, such as GeoLite2-City.mmdb.");
  return db;
}

}  // namespace streamd
