// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/top_level_domains.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace streamd {
namespace {

constexpr std::string_view kCountries =
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs "
    "bt bv bw by bz ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec "
    "ee eg er es et eu fi fj fk fm fo fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy "
    "hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp kr kw ky kz "
    "la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx "
    "my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re "
    "ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th "
    "tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw ";

// clang-format off
constexpr std::string_view kGeneric[] = {
    "academy", "aero", "africa", "agency", "amsterdam", "app", "arpa", "art", "asia", "auction",
    "audio", "auto", "autos", "baby", "band", "bank", "bar", "bargains", "bayern", "beauty",
    "beer", "berlin", "best", "bet", "bid", "bike", "bio", "bit", "biz", "black", "blog", "blue",
    "boats", "bond", "boutique", "bradesco", "brussels", "build", "business", "buzz", "cafe",
    "cam", "camera", "capital", "cards", "care", "casa", "cash", "casino", "cat", "center", "cfd",
    "chat", "cheap", "christmas", "church", "city", "claims", "click", "clinic", "clothing",
    "cloud", "club", "codes", "coffee", "college", "cologne", "com", "community", "company",
    "computer", "consulting", "contact", "cool", "coop", "country", "coupons", "courses",
    "credit", "cricket", "crypto", "cyou", "dance", "date", "dating", "deals", "delivery",
    "design", "dev", "digital", "direct", "directory", "dog", "domains", "download", "earth",
    "edu", "education", "email", "energy", "engineer", "engineering", "enterprises", "equipment",
    "estate", "events", "example", "exchange", "expert", "exposed", "express", "fail", "faith",
    "family", "fans", "farm", "fashion", "finance", "financial", "fish", "fit", "fitness", "fun",
    "fund", "futbol", "gallery", "game", "games", "garden", "gay", "gdn", "gift", "gifts",
    "gives", "global", "gmbh", "gold", "gov", "gratis", "green", "group", "guide", "guru", "hair",
    "hamburg", "haus", "health", "healthcare", "help", "hiphop", "hiv", "holdings", "holiday",
    "homes", "hospital", "host", "hosting", "house", "how", "i2p", "icu", "immo", "inc",
    "industries", "info", "ink", "institute", "insure", "int", "internal", "international",
    "invalid", "investments", "jetzt", "jobs", "kim", "kitchen", "land", "lat", "law", "lawyer",
    "legal", "lgbt", "life", "limited", "link", "live", "loan", "loans", "local", "lol", "london",
    "love", "ltd", "luxury", "makeup", "management", "market", "marketing", "mba", "media", "men",
    "mil", "mobi", "moe", "mom", "money", "monster", "motorcycles", "mov", "museum", "name",
    "net", "network", "news", "ninja", "nrw", "nyc", "observer", "one", "ong", "onion", "onl",
    "online", "ooo", "org", "page", "paris", "party", "pet", "phone", "photo", "photos", "pics",
    "pictures", "pink", "pizza", "place", "plus", "porn", "post", "press", "pro", "productions",
    "properties", "property", "pub", "quest", "racing", "realtor", "red", "ren", "rent", "repair",
    "report", "rest", "restaurant", "review", "reviews", "rip", "rocks", "run", "sale", "sbs",
    "school", "science", "security", "services", "sex", "sexy", "shop", "shopping", "show",
    "site", "skin", "social", "software", "solar", "solutions", "space", "store", "stream",
    "studio", "study", "style", "supply", "support", "surf", "systems", "tattoo", "tax", "taxi",
    "team", "tech", "technology", "tel", "test", "tips", "tires", "today", "tokyo", "tools",
    "top", "tours", "town", "toys", "trade", "trading", "training", "travel", "tube",
    "university", "uno", "vegas", "ventures", "vet", "video", "villas", "vin", "vip", "vision",
    "vote", "voyage", "wang", "watch", "webcam", "website", "wedding", "wien", "wiki", "win",
    "wine", "work", "works", "world", "wtf", "xin", "xxx", "xyz", "yachts", "yoga", "zip", "zone",
};
// clang-format on

// Numbers of kGeneric from 1 on, each in the first free place from place_of() on.
constexpr std::size_t kPlaces = 1024;
static_assert(std::size(kGeneric) <= kPlaces / 2);

constexpr std::size_t place_of(std::string_view label) {
  std::uint32_t hash = 0;
  for (const char c : label) hash = hash * 31 + static_cast<unsigned char>(c);
  return (hash * 2654435761u) >> 22;
}
constexpr std::array<std::uint16_t, kPlaces> kPlaced = [] {
  std::array<std::uint16_t, kPlaces> table{};
  for (std::uint16_t i = 0; i < std::size(kGeneric); ++i) {
    std::size_t place = place_of(kGeneric[i]);
    while (table[place] != 0) place = (place + 1) % kPlaces;
    table[place] = static_cast<std::uint16_t>(i + 1);
  }
  return table;
}();

bool is_generic(std::string_view label) {
  for (std::size_t place = place_of(label); kPlaced[place] != 0; place = (place + 1) % kPlaces)
    if (kGeneric[kPlaced[place] - 1] == label) return true;
  return false;
}

constexpr std::size_t number_of(std::string_view pair) {
  return static_cast<std::size_t>(pair[0] - 'a') * 26 + static_cast<std::size_t>(pair[1] - 'a');
}

constexpr std::array<bool, 26 * 26> kIsCountry = [] {
  std::array<bool, 26 * 26> table{};
  for (std::size_t at = 0; at < kCountries.size(); at += 3)
    table[number_of(kCountries.substr(at))] = true;
  return table;
}();

}  // namespace

bool is_top_level_domain(std::string_view label) {
  if (label.starts_with("xn--")) return label.size() > 4;
  const bool letters =
      std::all_of(label.begin(), label.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (!letters || label.size() < 2) return false;
  if (label.size() == 2) return kIsCountry[number_of(label)];
  return is_generic(label);
}

bool looks_like_file_ending(std::string_view label) {
  constexpr std::string_view kEndings[] = {"md", "mov", "pl", "ps", "py", "rs", "sh", "so", "zip"};
  return std::binary_search(std::begin(kEndings), std::end(kEndings), label);
}

}  // namespace streamd
