// SPDX-License-Identifier: Apache-2.0
// Any bytes as a broker's answer to a Fetch request. The first byte says whether the checksums of
// its batches are made right first, as nothing behind them would be reached otherwise.
#include "engine/core/check.h"
#include "engine/io/kafka/fetch_protocol.h"
#include "tests/engine/io/kafka/made_batch.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

using namespace streamd;
using namespace streamd::kafka;

namespace {

constexpr std::size_t kHead = 61;

void mend(char* bytes, std::size_t size) {
  while (size >= kHead) {
    const auto length = from_big_endian<std::int32_t>(bytes + 8);
    if (length < 49 || static_cast<std::size_t>(length) > size - 12) return;
    const std::size_t whole = 12 + static_cast<std::size_t>(length);
    test::mend_checksum(bytes, whole);
    bytes += whole;
    size -= whole;
  }
}

bool is_inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void walk(FetchedPartition& part) {
  // From the first batch on, so that its offset makes sense.
  std::int64_t from = 0;
  if (part.batches.size() >= 8)
    from = std::max<std::int64_t>(0, from_big_endian<std::int64_t>(part.batches.data()));
  const std::int64_t behind = RecordBatches::behind(part.batches, from);
  STREAMD_CHECK(behind >= from, "reading never goes back");
  RecordBatches batches;
  batches.begin(part.batches, from, std::move(part.aborted));
  BatchRecord record;
  std::int64_t last = -1;
  for (;;) {
    const auto step = batches.next(record);
    if (step == RecordBatches::Step::end || step == RecordBatches::Step::unsupported) return;
    STREAMD_CHECK(record.offset > last || step == RecordBatches::Step::damaged, "offsets go up");
    STREAMD_CHECK(record.offset >= last && record.offset < behind, "offsets are of whole batches");
    last = record.offset;
    std::size_t sum = 0;
    for (const char c : record.value) sum += static_cast<unsigned char>(c);
    STREAMD_CHECK(sum <= record.value.size() * 255, "every byte can be read");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  FetchAnswer answer(bytes);
  FetchedPartition part;
  while (answer.next(part)) {
    STREAMD_CHECK(is_inside(part.topic, bytes) && is_inside(part.batches, bytes),
                  "an answer's parts lie in it");
    if (data[0] % 2 == 1 && !part.batches.empty())
      mend(bytes.data() + (part.batches.data() - bytes.data()), part.batches.size());
    walk(part);
  }
  takes_fetch(bytes, answer.correlation());
  return 0;
}
