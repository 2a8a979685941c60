// SPDX-License-Identifier: Apache-2.0
#include "engine/io/http/fault.h"

namespace streamd::http {

Error to_error(const Trouble& trouble, const std::string& shown) {
  Error error;
  error.kind = trouble.fault == Fault::request     ? ErrorKind::config
               : trouble.fault == Fault::too_large ? ErrorKind::data
                                                   : ErrorKind::external;
  error.retry = trouble.heals ? Retry::backoff : Retry::never;
  error.message = trouble.fault == Fault::stopped ? trouble.what : shown + ": " + trouble.what;
  error.hint = trouble.hint;
  if (trouble.fault == Fault::timeout && error.hint.empty())
    error.hint = "see whether the service is overloaded, or raise timeout";
  return error;
}

}  // namespace streamd::http
