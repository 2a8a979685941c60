// SPDX-License-Identifier: Apache-2.0
// The accuracy that README.md states, on names that had no part in the weights.
#include <streamd/fake_host.hpp>

#include <random>
#include <sstream>

using sd::test::equal;
using sd::test::expect;

namespace {

constexpr const char* kWellKnown =
    "google youtube facebook instagram twitter whatsapp wikipedia reddit amazon yahoo yandex "
    "tiktok "
    "netflix microsoft office live linkedin bing twitch pinterest ebay apple samsung naver weather "
    "quora fandom duckduckgo spotify adobe stackoverflow github gitlab bitbucket wordpress "
    "blogspot "
    "tumblr medium paypal stripe shopify etsy walmart target bestbuy homedepot costco ikea zalando "
    "alibaba aliexpress taobao tmall baidu weibo sohu sina qq bilibili rakuten mercadolibre "
    "booking "
    "airbnb expedia tripadvisor agoda uber lyft doordash zoom slack dropbox salesforce oracle sap "
    "ibm intel nvidia amd cisco dell hp lenovo sony nintendo playstation xbox steampowered "
    "epicgames roblox minecraft ea ubisoft blizzard bbc cnn nytimes theguardian washingtonpost "
    "reuters bloomberg forbes wsj ft economist aljazeera spiegel zeit lemonde elpais corriere nasa "
    "nih cdc who europa harvard stanford mit berkeley cambridge oxford coursera edx udemy "
    "khanacademy duolingo mozilla apache debian ubuntu fedoraproject archlinux kernel python "
    "rust-lang golang nodejs npmjs docker kubernetes cloudflare akamai fastly digitalocean heroku "
    "linode hetzner ovh godaddy namecheap icann iana ietf w3 letsencrypt openssl wireshark nginx "
    "postgresql mysql mongodb redis elastic splunk datadog grafana prometheus atlassian trello "
    "notion figma canva mailchimp hubspot zendesk intercom twilio sendgrid okta lastpass "
    "protonmail "
    "tutanota fastmail signal telegram discord skype viber wechat line kakao vk ok odnoklassniki "
    "hulu disneyplus hbomax imdb rottentomatoes metacritic soundcloud bandcamp deezer shazam ted "
    "vimeo dailymotion flickr imgur giphy unsplash shutterstock gettyimages craigslist indeed "
    "glassdoor monster xing meetup eventbrite ticketmaster espn nba nfl fifa uefa marca lequipe "
    "chase bankofamerica wellsfargo citibank hsbc barclays santander bnpparibas ing visa "
    "mastercard "
    "americanexpress coinbase binance kraken fedex ups dhl usps lufthansa emirates ryanair "
    "easyjet ";

double score(std::string_view name) {
  return sd::test::call(streamd_plugin(), "dga_score", {name}).number();
}

double share_above_half(const std::vector<std::string>& names) {
  double above = 0;
  for (const auto& name : names) above += score(name) > 0.5;
  return above / static_cast<double>(names.size());
}

// 2000 names of `least` to `most` characters out of `alphabet`, always the same ones.
std::vector<std::string> drawn(std::string_view alphabet, std::size_t least, std::size_t most) {
  std::mt19937_64 dice(99);
  std::vector<std::string> names;
  for (int i = 0; i < 2000; ++i) {
    std::string name;
    const std::size_t size = least + dice() % (most - least + 1);
    while (name.size() < size) name += alphabet[dice() % alphabet.size()];
    names.push_back(name + ".com");
  }
  return names;
}

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBoth = "abcdefghijklmnopqrstuvwxyz0123456789";

void well_known_names_are_not_taken_for_made_up_ones() {
  std::istringstream all(kWellKnown);
  std::vector<std::string> names;
  for (std::string name; all >> name;) names.push_back(name + ".com");
  expect(names.size() > 240, "the list is short");
  expect(share_above_half(names) <= 0.02, "more than 2 % of the well-known names");
}

void names_drawn_by_lot_are_found() {
  const double letters = share_above_half(drawn(kLetters, 8, 16));
  expect(letters >= 0.88, "letters: " + std::to_string(letters));
  const double both = share_above_half(drawn(kBoth, 10, 20));
  expect(both >= 0.96, "letters and digits: " + std::to_string(both));
  const double hex = share_above_half(drawn("0123456789abcdef", 16, 32));
  expect(hex >= 0.99, "hexadecimal: " + std::to_string(hex));
}

void only_the_part_that_was_chosen_counts() {
  const double plain = score("example.com");
  equal(score("www.example.co.uk"), plain);
  equal(score("EXAMPLE.COM."), plain);
  equal(score("example"), plain);
  expect(plain < 0.5);
  expect(score("kq3v9xz7h2.example.com") == plain, "a name below it counted");
}

void any_text_has_a_score() {
  for (const char* odd : {"", ".", "..", "a", "-", "192.0.2.1", "\xC3\xA4\xC3\xB6.de", "co.uk",
                          "xn--80ak6aa92e.com"}) {
    const double found = score(odd);
    expect(found >= 0 && found <= 1, odd);
  }
  equal(score(""), 0.0);
}

void only_texts_have_one() {
  sd::test::throws<std::invalid_argument>(
      [] { sd::test::call(streamd_plugin(), "dga_score", {5}); });
  sd::test::throws<std::invalid_argument>(
      [] { sd::test::call(streamd_plugin(), "dga_score", {}); });
}

}  // namespace

int main() {
  return sd::test::run({
      {"well-known names are not taken for made-up ones",
       well_known_names_are_not_taken_for_made_up_ones},
      {"names drawn by lot are found", names_drawn_by_lot_are_found},
      {"only the part that was chosen counts", only_the_part_that_was_chosen_counts},
      {"any text has a score", any_text_has_a_score},
      {"only texts have one", only_texts_have_one},
  });
}
