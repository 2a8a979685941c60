// SPDX-License-Identifier: Apache-2.0
// bench_raw_fetch HOST PORT TOPIC PARTITIONS: a prototype of an own fetch path. Reads a topic from
// its beginning to its end over plain sockets with Fetch requests (version 4), checks the checksum
// of each record batch, unpacks LZ4 and walks the records where they lie, counting records and the
// bytes of their values. What it leaves out: groups, leaders that move, TLS, aborted transactions.
// Prints one line of JSON.
#include <lz4frame.h>
#include <nmmintrin.h>

#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/tcp.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

[[noreturn]] void stop(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

// Numbers are big endian.
class Writer {
 public:
  template <class T>
  void number(T value) {
    for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(value >> shift));
  }
  void text(std::string_view value) {
    number(static_cast<std::int16_t>(value.size()));
    bytes += value;
  }
  std::string bytes;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::string_view take(std::size_t size) {
    if (size > in_.size()) stop("the answer is cut short");
    const auto part = in_.substr(0, size);
    in_.remove_prefix(size);
    return part;
  }
  template <class T>
  T number() {
    std::uint64_t value = 0;
    for (const char c : take(sizeof(T))) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<T>(value);
  }
  // Zigzag, seven bits a byte.
  std::int64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 127) << shift;
      if (byte < 128) break;
    }
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  std::size_t left() const { return in_.size(); }

 private:
  std::string_view in_;
};

__attribute__((target("sse4.2"))) std::uint32_t crc32c(std::string_view bytes) {
  std::uint64_t crc = 0xFFFFFFFF;
  while (bytes.size() >= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    crc = _mm_crc32_u64(crc, word);
    bytes.remove_prefix(8);
  }
  auto low = static_cast<std::uint32_t>(crc);
  for (const char c : bytes) low = _mm_crc32_u8(low, static_cast<unsigned char>(c));
  return ~low;
}

class Counter {
 public:
  ~Counter() { LZ4F_freeDecompressionContext(unpack_); }
  Counter() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&unpack_, LZ4F_VERSION))) stop("LZ4");
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  // One or more record batches, the last one perhaps cut. The offset after the last whole one.
  std::int64_t take(std::string_view set, std::int64_t from) {
    while (set.size() >= 61) {
      Reader head(set);
      const auto base = head.number<std::int64_t>();
      const auto length = static_cast<std::size_t>(head.number<std::int32_t>());
      if (set.size() < 12 + length) break;
      const std::string_view batch = set.substr(12, length);
      set.remove_prefix(12 + length);
      from = base + one_batch(batch) + 1;
    }
    return from;
  }
  std::uint64_t records = 0, bytes = 0;

 private:
  // Returns the last offset relative to the first.
  std::int32_t one_batch(std::string_view batch) {
    Reader in(batch);
    in.take(4);  // leader epoch
    if (in.number<std::int8_t>() != 2) stop("record batches of this version are not read");
    const auto crc = in.number<std::uint32_t>();
    if (crc32c(batch.substr(9)) != crc) stop("a record batch is damaged");
    const auto attributes = in.number<std::int16_t>();
    const auto last = in.number<std::int32_t>();
    in.take(8 + 8 + 8 + 2 + 4);  // times, producer
    const auto count = in.number<std::int32_t>();
    if ((attributes & 32) != 0) return last;  // a control batch
    if ((attributes & 7) == 3)
      walk(unpacked(in.take(in.left())), count);
    else if ((attributes & 7) == 0)
      walk(in.take(in.left()), count);
    else
      stop("only LZ4 is unpacked");
    return last;
  }
  std::string_view unpacked(std::string_view packed) {
    std::size_t have = 0;
    if (room_.empty()) room_.resize(1 << 20);
    LZ4F_resetDecompressionContext(unpack_);
    while (!packed.empty()) {
      if (have == room_.size()) room_.resize(room_.size() * 2);
      std::size_t out = room_.size() - have, used = packed.size();
      if (LZ4F_isError(
              LZ4F_decompress(unpack_, room_.data() + have, &out, packed.data(), &used, nullptr)))
        stop("a record batch does not unpack");
      have += out;
      packed.remove_prefix(used);
    }
    return {room_.data(), have};
  }
  void walk(std::string_view text, std::int32_t count) {
    Reader in(text);
    for (; count > 0; --count) {
      Reader record(in.take(static_cast<std::size_t>(in.varint())));
      record.take(1);
      record.varint();  // time
      record.varint();  // offset
      if (const auto key = record.varint(); key > 0) record.take(static_cast<std::size_t>(key));
      if (const auto size = record.varint(); size >= 0)
        bytes += record.take(static_cast<std::size_t>(size)).size();
      ++records;
    }
  }

  LZ4F_dctx* unpack_ = nullptr;
  std::vector<char> room_;
};

int connect_to(const char* host, int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
      connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    stop("cannot connect");
  const int yes = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return socket;
}

void read_whole(int socket, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(socket, to, size);
    if (got <= 0) stop("the broker has hung up");
    to += got;
    size -= static_cast<std::size_t>(got);
  }
}

std::string fetch_request(std::string_view topic, const std::vector<std::int64_t>& offsets) {
  Writer w;
  w.number(std::int16_t{1});  // Fetch
  w.number(std::int16_t{4});
  w.number(std::int32_t{7});
  w.text("bench");
  w.number(std::int32_t{-1});
  w.number(std::int32_t{100});  // ms
  w.number(std::int32_t{1});
  w.number(std::int32_t{16 << 20});
  w.number(std::int8_t{1});  // read_committed
  w.number(std::int32_t{1});
  w.text(topic);
  w.number(static_cast<std::int32_t>(offsets.size()));
  for (std::size_t p = 0; p < offsets.size(); ++p) {
    w.number(static_cast<std::int32_t>(p));
    w.number(offsets[p]);
    w.number(std::int32_t{4 << 20});
  }
  Writer whole;
  whole.number(static_cast<std::int32_t>(w.bytes.size()));
  return whole.bytes + w.bytes;
}

// True when all partitions have been read to their end.
bool take_answer(std::string_view answer, std::vector<std::int64_t>& offsets, Counter& counter) {
  Reader in(answer);
  in.take(4 + 4);  // correlation, throttle
  bool all = true;
  for (auto topics = in.number<std::int32_t>(); topics > 0; --topics) {
    in.take(static_cast<std::size_t>(in.number<std::int16_t>()));
    for (auto partitions = in.number<std::int32_t>(); partitions > 0; --partitions) {
      const auto p = static_cast<std::size_t>(in.number<std::int32_t>());
      if (in.number<std::int16_t>() != 0) stop("the broker refuses the fetch");
      const auto end = in.number<std::int64_t>();
      in.take(8);
      for (auto aborted = in.number<std::int32_t>(); aborted > 0; --aborted) in.take(16);
      const auto size = in.number<std::int32_t>();
      if (size > 0)
        offsets.at(p) = counter.take(in.take(static_cast<std::size_t>(size)), offsets.at(p));
      all = all && offsets.at(p) >= end;
    }
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: bench_raw_fetch HOST PORT TOPIC PARTITIONS\n", stderr);
    return 2;
  }
  const int socket = connect_to(argv[1], std::atoi(argv[2]));
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(std::atoi(argv[4])), 0);
  Counter counter;
  std::vector<char> answer;
  for (bool done = false; !done;) {
    const std::string request = fetch_request(argv[3], offsets);
    if (::write(socket, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
      stop("cannot send");
    char length[4];
    read_whole(socket, length, sizeof length);
    answer.resize(static_cast<std::size_t>(Reader({length, 4}).number<std::int32_t>()));
    read_whole(socket, answer.data(), answer.size());
    done = take_answer({answer.data(), answer.size()}, offsets, counter);
  }
  ::close(socket);
  std::printf("{\"records\": %lu, \"bytes\": %lu}\n", counter.records, counter.bytes);
  return 0;
}
