// SPDX-License-Identifier: Apache-2.0
#include <streamd/fake_host.hpp>

using namespace std::chrono_literals;
using sd::test::at;
using sd::test::equal;
using sd::test::expect;
using sd::test::Field;

namespace {

std::string masked(const Field& value, const std::string& keep = "1") {
  sd::test::OperatorRun run(streamd_plugin(), "mask", {{"field", "x"}, {"keep", keep}});
  run.push({{at(0s), {{"x", "before"}}}, {at(0s), {{"x", value}}}});
  run.push({{at(0s), {{"x", "before"}}}, {at(0s), {{"x", value}}}});
  equal(run.passed.size(), 4u);
  expect(run.passed[1].fields == run.passed[3].fields, "another answer with holes in the batch");
  return std::string(run.passed[1].fields.at("masked").text());
}

void addresses_lose_their_host() {
  equal(masked("192.0.2.77"), "192.0.2.*");
  equal(masked("2001:db8:1:2::7"), "2001:db8:1:*");
  equal(masked("2001:db8::7"), "2001:db8::*");
  equal(masked("::1"), "::*");
}

void addresses_that_are_read_already_too() {
  equal(masked(Field(SD_IP, std::string_view("\xC0\x00\x02\x4D", 4))), "192.0.2.*");
  equal(masked(Field(SD_IP, std::string_view("\x20\x01\x0d\xb8\0\1\0\2\0\0\0\0\0\0\0\7", 16))),
        "2001:db8:1:*");
}

void emails_keep_their_domain() {
  equal(masked("ann@example.org"), "a***@example.org");
  equal(masked("ann@example.org", "0"), "***@example.org");
  equal(masked("@", "3"), "***@");
}

void other_texts_keep_their_first_characters() {
  equal(masked("secret"), "s*****");
  equal(masked("1.2.3"), "1****");
  equal(masked("1.2.3.4567"), "1*********");
  equal(masked("\xC3\xA4rger"), "\xC3\xA4****");
  equal(masked(""), "");
}

void what_is_no_text_gets_no_field() {
  sd::test::OperatorRun run(streamd_plugin(), "mask", {{"field", "x"}, {"as", "y"}});
  run.push({{at(0s), {{"x", 5}}}, {at(0s), {}}, {at(0s), {{"x", "abc"}}}});
  equal(run.passed.size(), 3u);
  equal(run.passed[0].fields.contains("y"), false);
  equal(run.passed[1].fields.contains("y"), false);
  equal(run.passed[2].fields.at("y"), "a**");
}

void the_options_are_checked() {
  sd::test::throws<sd::test::WrongSettings>(
      [] { sd::test::OperatorRun run(streamd_plugin(), "mask", {}); }, "field");
  sd::test::throws<sd::test::WrongSettings>([] { masked("x", "-1"); }, "keep");
}

}  // namespace

int main() {
  return sd::test::run({
      {"addresses lose their host", addresses_lose_their_host},
      {"addresses that are read already too", addresses_that_are_read_already_too},
      {"e-mails keep their domain", emails_keep_their_domain},
      {"other texts keep their first characters", other_texts_keep_their_first_characters},
      {"what is no text gets no field", what_is_no_text_gets_no_field},
      {"the options are checked", the_options_are_checked},
  });
}
