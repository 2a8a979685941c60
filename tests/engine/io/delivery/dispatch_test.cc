// SPDX-License-Identifier: Apache-2.0
#include "engine/io/delivery/dispatch.h"

#include "tests/engine/io/delivery/items.h"

namespace streamd::delivery {
namespace {

using test::documents_of;
using test::Texts;

constexpr Duration kNow = Duration::from_seconds(1000);
constexpr std::size_t kMany = 1000, kBytes = 1 << 20;

std::vector<Item> items_of(const Texts& documents, std::uint64_t begin = 0) {
  std::vector<Item> items;
  auto chunk = std::make_shared<std::string>(test::frames_of(documents, begin));
  std::string_view bytes = *chunk;
  std::uint64_t place = begin;
  while (!bytes.empty()) {
    Item item;
    REQUIRE(read_frame(bytes, place, item) == Frame::whole);
    item.chunk = chunk;
    bytes.remove_prefix(item.end - place);
    place = item.end;
    items.push_back(std::move(item));
  }
  return items;
}

Dispatch dispatch_of(const Texts& documents) {
  Dispatch dispatch({}, 100, 1 << 20, 1);
  dispatch.add(items_of(documents));
  return dispatch;
}

Answer each(std::vector<Verdict> verdicts) {
  Answer answer;
  answer.items = std::move(verdicts);
  return answer;
}
Answer of(Answer::Kind kind, std::string message = "trouble") {
  Answer answer;
  answer.kind = kind;
  answer.code = "code";
  answer.message = std::move(message);
  return answer;
}
const Verdict kDone{}, kAgain{Verdict::Kind::again, "", ""},
    kRefused{Verdict::Kind::refused, "mapping", "field [a] is no number"};

TEST_CASE("Items go in order, as many as a request takes") {
  auto dispatch = dispatch_of({"a", "b", "cccc", "d"});
  const auto two = dispatch.next(kNow, 2, kBytes);
  CHECK(documents_of(two) == Texts{"a", "b"});
  const auto one = dispatch.next(kNow, kMany, 3);
  CHECK(documents_of(one) == Texts{"cccc"});  // alone it may be longer than a request
  CHECK(dispatch.first_open() == 0);
  dispatch.answered(one, each({kDone}), kNow);
  CHECK(dispatch.first_open() == 0);
  dispatch.answered(two, each({kDone, kDone}), kNow);
  CHECK(dispatch.first_open().has_value());
  const auto last = dispatch.next(kNow, kMany, kBytes);
  dispatch.answered(last, each({kDone}), kNow);
  CHECK_FALSE(dispatch.first_open().has_value());
  CHECK(dispatch.idle());
}

TEST_CASE("Only what failed goes again, and does not hold up the others") {
  auto dispatch = dispatch_of({"a", "b", "c"});
  auto sent = dispatch.next(kNow, kMany, kBytes);
  CHECK(dispatch.answered(sent, each({kDone, kAgain, kDone}), kNow).kind == News::Kind::none);
  CHECK(dispatch.next(kNow, kMany, kBytes).empty());
  dispatch.add(items_of({"d"}, 1000));
  CHECK(documents_of(dispatch.next(kNow, kMany, kBytes)) == Texts{"d"});
  const auto at = dispatch.wakes_at();
  REQUIRE(at.has_value());
  CHECK(*at > kNow);
  CHECK(*at <= kNow + Duration::from_millis(500));
  CHECK(documents_of(dispatch.next(*at, kMany, kBytes)) == Texts{"b"});
}

TEST_CASE("What was not its turn goes next, in its order and as if it had never been tried") {
  auto dispatch = dispatch_of({"a", "b", "c", "d"});
  auto sent = dispatch.next(kNow, 3, kBytes);
  Answer answer = each({kDone, {Verdict::Kind::unsent, "", ""}, {Verdict::Kind::unsent, "", ""}});
  answer.pause = Duration::from_seconds(2);
  CHECK(dispatch.answered(sent, answer, kNow).kind == News::Kind::none);
  CHECK(dispatch.next(kNow, kMany, kBytes).empty());
  sent = dispatch.next(kNow + Duration::from_seconds(2), kMany, kBytes);
  CHECK(documents_of(sent) == Texts{"b", "c", "d"});
  dispatch.answered(sent, each({kRefused, kDone, kDone}), kNow);
  CHECK(dispatch.take_refused()[0].attempts == 1);
}

TEST_CASE("Halves go in the order of their items, halved once more or failed") {
  auto dispatch = dispatch_of({"a", "b", "c", "d", "e", "f", "g", "h"});
  Duration now = kNow;
  const auto send = [&] { return dispatch.next(now, kMany, kBytes); };
  dispatch.answered(send(), of(Answer::Kind::split), now);
  auto half = send();
  CHECK(documents_of(half) == Texts{"a", "b", "c", "d"});
  dispatch.answered(half, of(Answer::Kind::split), now);
  half = send();
  CHECK(documents_of(half) == Texts{"a", "b"});
  dispatch.answered(half, of(Answer::Kind::again), now);
  CHECK(send().empty());
  now = *dispatch.wakes_at();
  half = send();
  CHECK(documents_of(half) == Texts{"a", "b"});
  dispatch.answered(half, each({kDone, kDone}), now);
  half = send();
  CHECK(documents_of(half) == Texts{"c", "d"});
  dispatch.answered(half, each({kDone, kDone}), now);
  half = send();
  CHECK(documents_of(half) == Texts{"e", "f", "g", "h"});
  dispatch.answered(half, each({kDone, kDone, kDone, kDone}), now);
  CHECK(dispatch.idle());
}

TEST_CASE("A half that is too much for a slow far side gets smaller") {
  Texts documents;
  for (int i = 0; i < 100; ++i) documents.push_back(std::to_string(i));
  auto dispatch = dispatch_of(documents);
  Duration now = kNow;
  dispatch.answered(dispatch.next(now, kMany, kBytes), of(Answer::Kind::split), now);
  std::size_t size = 50;
  for (int i = 0; i < 5; ++i) {
    const auto half = dispatch.next(now, kMany, kBytes);
    REQUIRE_FALSE(half.empty());
    CHECK(half.front().document == "0");
    size = half.size();
    dispatch.answered(half, of(Answer::Kind::again), now);
    now = *dispatch.wakes_at();
  }
  CHECK(size <= 25);
}

TEST_CASE("A refused item is open until its dead letter is safe") {
  auto dispatch = dispatch_of({"a", "b"});
  auto sent = dispatch.next(kNow, kMany, kBytes);
  dispatch.answered(sent, each({kRefused, kDone}), kNow);
  CHECK(dispatch.idle());
  CHECK(dispatch.first_open() == 0);
  const auto refused = dispatch.take_refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].item.document == "a");
  CHECK(refused[0].code == "mapping");
  CHECK(refused[0].reason == "field [a] is no number");
  CHECK(refused[0].attempts == 1);
  CHECK(dispatch.take_refused().empty());
  dispatch.forget(refused[0].item.begin);
  CHECK_FALSE(dispatch.first_open().has_value());
}

TEST_CASE("A failed request is told once, waits longer each time, and once more when it is over") {
  auto dispatch = dispatch_of({"a", "b"});
  Duration now = kNow, before{};
  for (int i = 0; i < 12; ++i) {
    auto sent = dispatch.next(now, kMany, kBytes);
    REQUIRE(documents_of(sent) == Texts{"a", "b"});
    const News news = dispatch.answered(sent, of(Answer::Kind::again), now);
    CHECK((news.kind == News::Kind::trouble) == (i == 0));
    CHECK(dispatch.next(now, kMany, kBytes).empty());
    const Duration pause = dispatch.paused_until() - now;
    CHECK(pause.micros >= Duration::from_millis(250).micros);
    CHECK(pause <= Duration::from_seconds(60));
    if (i == 5) before = pause;
    if (i == 11) CHECK(pause > before);
    now = dispatch.paused_until();
  }
  auto sent = dispatch.next(now, kMany, kBytes);
  CHECK(dispatch.answered(sent, each({kDone, kDone}), now).kind == News::Kind::healed);
}

TEST_CASE(
    "A pause that the far side asks for is kept, also after a good answer, and is no trouble") {
  auto dispatch = dispatch_of({"a", "b"});
  auto sent = dispatch.next(kNow, 1, kBytes);
  Answer answer = each({kDone});
  answer.pause = Duration::from_seconds(3);
  CHECK(dispatch.answered(sent, answer, kNow).kind == News::Kind::none);
  CHECK(dispatch.next(kNow + Duration::from_millis(2999), 1, kBytes).empty());
  CHECK(dispatch.next(kNow + Duration::from_seconds(3), 1, kBytes).size() == 1);
}

TEST_CASE("What had to wait, and was not sent, is no sign that the trouble is over") {
  auto dispatch = dispatch_of({"a", "b"});
  auto sent = dispatch.next(kNow, kMany, kBytes);
  CHECK(dispatch.answered(sent, of(Answer::Kind::again), kNow).kind == News::Kind::trouble);
  Duration now = dispatch.paused_until();
  sent = dispatch.next(now, kMany, kBytes);
  const Verdict unsent{Verdict::Kind::unsent, "", ""};
  Answer wait = each({unsent, unsent});
  wait.pause = Duration::from_seconds(2);
  CHECK(dispatch.answered(sent, wait, now).kind == News::Kind::none);
  now = now + Duration::from_seconds(2);
  sent = dispatch.next(now, kMany, kBytes);
  REQUIRE(documents_of(sent) == Texts{"a", "b"});
  CHECK(dispatch.answered(sent, of(Answer::Kind::again), now).kind == News::Kind::none);
  now = dispatch.paused_until();
  sent = dispatch.next(now, kMany, kBytes);
  CHECK(dispatch.answered(sent, each({kDone, unsent}), now).kind == News::Kind::healed);
}

TEST_CASE("What was sent before the trouble is no sign that it is over") {
  auto dispatch = dispatch_of({"a", "b", "c"});
  auto first = dispatch.next(kNow, 1, kBytes), second = dispatch.next(kNow, 1, kBytes);
  CHECK(dispatch.answered(second, of(Answer::Kind::again), kNow).kind == News::Kind::trouble);
  CHECK(dispatch.answered(first, each({kDone}), kNow).kind == News::Kind::none);
  const Duration later = dispatch.paused_until();
  auto third = dispatch.next(later, kMany, kBytes);
  REQUIRE(documents_of(third) == Texts{"b", "c"});
  CHECK(dispatch.answered(third, each({kDone, kDone}), later).kind == News::Kind::healed);
}

TEST_CASE("A request that is too large is halved until the one that is too large alone is found") {
  auto dispatch = dispatch_of({"a", "b", "big", "d"});
  Texts arrived;
  for (int requests = 0; !dispatch.idle(); ++requests) {
    REQUIRE(requests < 10);
    auto sent = dispatch.next(kNow, kMany, kBytes);
    const Texts documents = documents_of(sent);
    if (std::count(documents.begin(), documents.end(), "big") > 0) {
      dispatch.answered(sent, of(Answer::Kind::split), kNow);
    } else {
      arrived.insert(arrived.end(), documents.begin(), documents.end());
      dispatch.answered(sent, each(std::vector<Verdict>(sent.size())), kNow);
    }
  }
  CHECK(arrived == Texts{"a", "b", "d"});
  const auto refused = dispatch.take_refused();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].item.document == "big");
  CHECK(refused[0].code == "too-large");
}

TEST_CASE(
    "A far side that is too slow for many records at once gets fewer, and more when it answers") {
  auto dispatch = dispatch_of(Texts(80, "a"));
  Duration now = kNow;
  const auto sent = [&](const Answer::Kind kind) {
    const auto items = dispatch.next(now, kMany, kBytes);
    const Answer answer =
        kind == Answer::Kind::each ? each(std::vector<Verdict>(items.size())) : of(kind);
    dispatch.answered(items, answer, now);
    now = now + Duration::from_seconds(120);
    return items.size();
  };
  CHECK(sent(Answer::Kind::again) == 80);
  CHECK(sent(Answer::Kind::again) == 80);  // once may be chance
  CHECK(sent(Answer::Kind::again) == 40);
  CHECK(sent(Answer::Kind::again) == 20);
  CHECK(sent(Answer::Kind::again) == 10);
  CHECK(sent(Answer::Kind::each) == 10);  // not fewer
  CHECK(sent(Answer::Kind::each) == 20);
  CHECK(sent(Answer::Kind::each) == 40);
  CHECK(sent(Answer::Kind::each) == 10);
  CHECK(dispatch.idle());
}

TEST_CASE("Where a person has to act it is told as such, once, and tried again slowly") {
  auto dispatch = dispatch_of({"a"});
  auto sent = dispatch.next(kNow, kMany, kBytes);
  CHECK(dispatch.answered(sent, of(Answer::Kind::blocked), kNow).kind == News::Kind::blocked);
  CHECK(dispatch.paused_until() == kNow + Duration::from_seconds(60));
  sent = dispatch.next(dispatch.paused_until(), kMany, kBytes);
  REQUIRE(sent.size() == 1);
  CHECK(dispatch.answered(sent, of(Answer::Kind::blocked), dispatch.paused_until()).kind ==
        News::Kind::none);
}

TEST_CASE("A far side that is gone for good is not called again: all becomes dead letters") {
  auto dispatch = dispatch_of({"a", "b", "c"});
  auto flying = dispatch.next(kNow, 1, kBytes);
  auto sent = dispatch.next(kNow, 1, kBytes);
  CHECK(dispatch.answered(sent, of(Answer::Kind::closed, "unknown webhook"), kNow).kind ==
        News::Kind::closed);
  CHECK(dispatch.closed());
  CHECK(dispatch.next(kNow, kMany, kBytes).empty());
  dispatch.answered(flying, of(Answer::Kind::again), kNow);
  dispatch.add(items_of({"d"}, 1000));
  CHECK(dispatch.idle());
  Texts refused;
  for (const auto& r : dispatch.take_refused()) refused.emplace_back(r.item.document);
  std::sort(refused.begin(), refused.end());
  CHECK(refused == Texts{"a", "b", "c", "d"});
}

TEST_CASE("What stopped several requests short of their end is told, and that it healed") {
  auto dispatch = dispatch_of({"a", "b", "c"});
  auto answer = each({kDone, {Verdict::Kind::unsent, "", ""}, {Verdict::Kind::unsent, "", ""}});
  answer.message = "too many";
  answer.pause = Duration::from_seconds(3);
  auto sent = dispatch.next(kNow, kMany, kBytes);
  const News news = dispatch.answered(sent, answer, kNow);
  CHECK(news.kind == News::Kind::trouble);
  CHECK(news.text == "too many");
  CHECK(dispatch.next(kNow + Duration::from_seconds(2), kMany, kBytes).empty());
  sent = dispatch.next(kNow + Duration::from_seconds(3), kMany, kBytes);
  CHECK(documents_of(sent) == Texts{"b", "c"});
  CHECK(dispatch.answered(sent, each({kDone, kDone}), kNow).kind == News::Kind::healed);
}

TEST_CASE("An answer about another number of records counts as none") {
  auto dispatch = dispatch_of({"a", "b"});
  auto sent = dispatch.next(kNow, kMany, kBytes);
  CHECK(dispatch.answered(sent, each({kDone}), kNow).kind == News::Kind::trouble);
  CHECK(dispatch.next(dispatch.paused_until(), kMany, kBytes).size() == 2);
}

TEST_CASE("It takes no more than it may hold, in items and in bytes") {
  Dispatch dispatch({}, 3, 100, 1);
  CHECK(dispatch.room() == 3);
  dispatch.add(items_of({"a", "b"}));
  CHECK(dispatch.room() == 1);
  dispatch.add(items_of({std::string(200, 'x')}, 1000));
  CHECK(dispatch.room() == 0);
  auto sent = dispatch.next(kNow, kMany, kBytes);
  dispatch.answered(sent, each({kDone, kDone, kAgain}), kNow);
  CHECK(dispatch.room() == 0);
  sent = dispatch.next(*dispatch.wakes_at(), kMany, kBytes);
  dispatch.answered(sent, each({kDone}), kNow);
  CHECK(dispatch.room() == 3);
}

}  // namespace
}  // namespace streamd::delivery
