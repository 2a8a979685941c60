# SPDX-License-Identifier: Apache-2.0
# streamd_module(name SOURCES a.cc … DEPS other …): the one way to define a library here.
# Creates streamd_<name>, alias streamd::<name>; DEPS are module names or imported targets.

add_library(streamd_flags INTERFACE)
target_include_directories(streamd_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(streamd_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wno-missing-field-initializers)
# GCC 12 sees overlaps in std::string that are not there (GCC bug 105651).
target_compile_options(streamd_flags INTERFACE
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
if(STREAMD_WERROR)
  target_compile_options(streamd_flags INTERFACE -Werror)
endif()
if(STREAMD_SANITIZE)
  if(STREAMD_SANITIZE MATCHES "thread" AND STREAMD_SANITIZE MATCHES "address")
    message(FATAL_ERROR "STREAMD_SANITIZE: thread and address exclude each other")
  endif()
  target_compile_options(streamd_flags INTERFACE -fsanitize=${STREAMD_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(streamd_flags INTERFACE -fsanitize=${STREAMD_SANITIZE})
endif()
if(STREAMD_FUZZ)
  # libFuzzer learns from what the code does; only the fuzzers themselves link its main().
  target_compile_options(streamd_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(streamd_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
find_program(MOLD mold)
if(MOLD)
  target_link_options(streamd_flags INTERFACE -fuse-ld=mold)
endif()

function(streamd_module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPS" ${ARGN})
  add_library(streamd_${name} STATIC ${M_SOURCES})
  add_library(streamd::${name} ALIAS streamd_${name})
  target_link_libraries(streamd_${name} PUBLIC streamd_flags)
  foreach(dep ${M_DEPS})
    if(TARGET streamd_${dep})
      target_link_libraries(streamd_${name} PUBLIC streamd_${dep})
    else()
      target_link_libraries(streamd_${name} PUBLIC ${dep})
    endif()
  endforeach()
endfunction()
