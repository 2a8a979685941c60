// SPDX-License-Identifier: Apache-2.0
#include "engine/codec/grok_patterns.h"

#include <algorithm>
#include <iterator>

namespace streamd {
namespace {

struct Known {
  std::string_view name, pattern;
};

// Sorted by name.
constexpr Known kKnown[] = {
    {"BASE10NUM", R"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"},
    {"BASE16FLOAT", R"(\b[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b)"},
    {"BASE16NUM", R"([+-]?(?:0x)?[0-9A-Fa-f]+)"},
    {"CISCOMAC", R"([0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})"},
    {"COMBINEDAPACHELOG", "%{COMMONAPACHELOG} %{QS:referrer} %{QS:agent}"},
    {"COMMONAPACHELOG",
     R"re(%{IPORHOST:clientip} %{HTTPDUSER:ident} %{HTTPDUSER:auth} \[%{HTTPDATE:timestamp}\] )re"
     R"re("(?:%{WORD:verb} %{NOTSPACE:request}(?: HTTP/%{NUMBER:httpversion})?|%{DATA:rawrequest})" )re"
     R"re((?:-|%{NUMBER:response}) (?:-|%{NUMBER:bytes}))re"},
    {"COMMONMAC", "(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}"},
    {"CRONLOG", R"(%{SYSLOGBASE} \(%{USER:user}\) %{CRON_ACTION:action} \(%{DATA:message}\))"},
    {"CRON_ACTION", "[A-Z ]+"},
    {"DATA", ".*?"},
    {"DATE", "%{DATE_US}|%{DATE_EU}"},
    {"DATESTAMP", "%{DATE}[- ]%{TIME}"},
    {"DATESTAMP_EVENTLOG", "%{YEAR}%{MONTHNUM2}%{MONTHDAY}%{HOUR}%{MINUTE}%{SECOND}"},
    {"DATESTAMP_OTHER", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{TZ} %{YEAR}"},
    {"DATESTAMP_RFC2822", "%{DAY}, %{MONTHDAY} %{MONTH} %{YEAR} %{TIME} %{ISO8601_TIMEZONE}"},
    {"DATESTAMP_RFC822", "%{DAY} %{MONTH} %{MONTHDAY} %{YEAR} %{TIME} %{TZ}"},
    {"DATE_EU", "%{MONTHDAY}[./-]%{MONTHNUM}[./-]%{YEAR}"},
    {"DATE_US", "%{MONTHNUM}[/-]%{MONTHDAY}[/-]%{YEAR}"},
    {"DAY",
     R"(\b(?:Mon(?:day)?|Tue(?:sday)?|Wed(?:nesday)?|Thu(?:rsday)?|Fri(?:day)?|Sat(?:urday)?|Sun(?:day)?)\b)"},
    {"EMAILADDRESS", "%{EMAILLOCALPART}@%{HOSTNAME}"},
    {"EMAILLOCALPART", R"([0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+(?:\.[0-9A-Za-z!#$%&'*+/=?^_`{|}~-]+)*)"},
    {"GREEDYDATA", ".*"},
    {"HOSTNAME", R"(\b[0-9A-Za-z][0-9A-Za-z-]*(?:\.[0-9A-Za-z][0-9A-Za-z-]*)*\.?)"},
    {"HOSTPORT", "%{IPORHOST}:%{POSINT}"},
    {"HOUR", "2[0-3]|[01]?[0-9]"},
    {"HTTPDATE", "%{MONTHDAY}/%{MONTH}/%{YEAR}:%{TIME} %{INT}"},
    {"HTTPDERROR_DATE", "%{DAY} %{MONTH} %{MONTHDAY} %{TIME} %{YEAR}"},
    {"HTTPDUSER", "%{EMAILADDRESS}|%{USER}"},
    {"HTTPD_COMBINEDLOG", "%{COMBINEDAPACHELOG}"},
    {"HTTPD_COMMONLOG", "%{COMMONAPACHELOG}"},
    {"INT", "[+-]?[0-9]+"},
    {"IP", "%{IPV6}|%{IPV4}"},
    {"IPORHOST", "%{IP}|%{HOSTNAME}"},
    {"IPV4",
     R"(\b(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\b)"},
    {"IPV6", R"((?:[0-9A-Fa-f]{0,4}:){2,7}(?:%{IPV4}|[0-9A-Fa-f]{1,4})?(?:%[0-9A-Za-z._-]+)?)"},
    {"ISO8601_SECOND", "%{SECOND}"},
    {"ISO8601_TIMEZONE", "Z|[+-]%{HOUR}:?%{MINUTE}"},
    {"LOGLEVEL",
     "(?i:alert|trace|debug|notice|info(?:rmation)?|warn(?:ing)?|err(?:or)?|crit(?:ical)?|fatal|"
     "severe|emerg(?:ency)?|panic)"},
    {"MAC", "%{CISCOMAC}|%{WINDOWSMAC}|%{COMMONMAC}"},
    {"MINUTE", "[0-5][0-9]"},
    {"MONTH",
     R"(\b(?:[Jj]an(?:uary)?|[Ff]eb(?:ruary)?|[Mm]ar(?:ch)?|[Aa]pr(?:il)?|[Mm]ay|[Jj]une?|[Jj]uly?|)"
     R"([Aa]ug(?:ust)?|[Ss]ep(?:t(?:ember)?)?|[Oo]ct(?:ober)?|[Nn]ov(?:ember)?|[Dd]ec(?:ember)?)\b)"},
    {"MONTHDAY", "0[1-9]|[12][0-9]|3[01]|[1-9]"},
    {"MONTHNUM", "0[1-9]|1[0-2]|[1-9]"},
    {"MONTHNUM2", "0[1-9]|1[0-2]"},
    {"NONNEGINT", R"(\b[0-9]+\b)"},
    {"NOTSPACE", R"(\S+)"},
    {"NUMBER", "%{BASE10NUM}"},
    {"PATH", "%{UNIXPATH}|%{WINPATH}"},
    {"POSINT", R"(\b[1-9][0-9]*\b)"},
    {"PROG", R"([\x21-\x5a\x5c\x5e-\x7e]+)"},
    {"QS", "%{QUOTEDSTRING}"},
    {"QUOTEDSTRING", R"re("(?:[^"\\]+|\\.)*"|'(?:[^'\\]+|\\.)*'|`(?:[^`\\]+|\\.)*`)re"},
    {"SECOND", "(?:60|[0-5]?[0-9])(?:[:.,][0-9]+)?"},
    {"SPACE", R"(\s*)"},
    {"SYSLOG5424PRI", "<%{NONNEGINT:syslog5424_pri}>"},
    {"SYSLOGBASE",
     "%{SYSLOGTIMESTAMP:timestamp} (?:%{SYSLOGFACILITY} )?%{SYSLOGHOST:logsource} %{SYSLOGPROG}:"},
    {"SYSLOGBASE2",
     "(?:%{SYSLOGTIMESTAMP:timestamp}|%{TIMESTAMP_ISO8601:timestamp}) (?:%{SYSLOGFACILITY} )?"
     "%{SYSLOGHOST:logsource} %{SYSLOGPROG}:"},
    {"SYSLOGFACILITY", R"(<%{NONNEGINT:facility}\.%{NONNEGINT:priority}>)"},
    {"SYSLOGHOST", "%{IPORHOST}"},
    {"SYSLOGLINE", "%{SYSLOGBASE2} %{GREEDYDATA:message}"},
    {"SYSLOGPROG", R"(%{PROG:program}(?:\[%{POSINT:pid}\])?)"},
    {"SYSLOGTIMESTAMP", "%{MONTH} +%{MONTHDAY} %{TIME}"},
    {"TIME", "%{HOUR}:%{MINUTE}:%{SECOND}"},
    {"TIMESTAMP_ISO8601",
     "%{YEAR}-%{MONTHNUM}-%{MONTHDAY}[T ]%{HOUR}:?%{MINUTE}(?::?%{SECOND})?%{ISO8601_TIMEZONE}?"},
    {"TTY", "/dev/(?:pts|tty(?:[pq])?)[0-9a-z]*(?:/[0-9]+)?"},
    {"TZ", "[A-Z]{3,4}"},
    {"UNIXPATH", R"((?:/[\w%!$@:.,+~-]*)+)"},
    {"URI", "%{URIPROTO}://(?:%{USER}(?::[^@]*)?@)?(?:%{URIHOST})?(?:%{URIPATHPARAM})?"},
    {"URIHOST", "%{IPORHOST}(?::%{POSINT})?"},
    {"URIPARAM", R"(\?%{URIQUERY})"},
    {"URIPATH", R"re(/[0-9A-Za-z$.+!*'(){},~:;=@#%&_/-]*)re"},
    {"URIPATHPARAM", "%{URIPATH}(?:%{URIPARAM})?"},
    {"URIPROTO", "[A-Za-z][0-9A-Za-z+.-]*"},
    {"URIQUERY", R"re([0-9A-Za-z$.+!*'|(){},~@#%&/=:;_?\[\]<>-]*)re"},
    {"URN", R"re(urn:[0-9A-Za-z][0-9A-Za-z-]*:[0-9A-Za-z()+,.:=@;$_!*'/?#%-]+)re"},
    {"USER", "%{USERNAME}"},
    {"USERNAME", "[0-9A-Za-z._-]+"},
    {"UUID", "[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"},
    {"WINDOWSMAC", "(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}"},
    {"WINPATH", R"((?:[A-Za-z]:|\\)(?:\\[^\\?*]*)+)"},
    {"WORD", R"(\b\w+\b)"},
    {"YEAR", "[0-9]{4}|[0-9]{2}"},
};
static_assert(std::is_sorted(std::begin(kKnown), std::end(kKnown),
                             [](const Known& a, const Known& b) { return a.name < b.name; }));

}  // namespace

std::string_view standard_grok_pattern(std::string_view name) {
  const auto at = std::lower_bound(std::begin(kKnown), std::end(kKnown), name,
                                   [](const Known& k, std::string_view n) { return k.name < n; });
  return at != std::end(kKnown) && at->name == name ? at->pattern : std::string_view{};
}

std::vector<std::string> standard_grok_names() {
  std::vector<std::string> names;
  for (const Known& known : kKnown) names.emplace_back(known.name);
  return names;
}

}  // namespace streamd
