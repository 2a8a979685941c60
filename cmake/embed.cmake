# SPDX-License-Identifier: Apache-2.0
# streamd_embed(output.cc FUNCTION name ROOT folder FILES a b …): a source that holds texts, as
# std::span<const EmbeddedText> name(), of "engine/app/embedded.h". Read when CMake runs, which it
# does again when one of them changes.
function(streamd_embed output)
  cmake_parse_arguments(E "" "FUNCTION;ROOT" "FILES" ${ARGN})
  set(source "// Written by cmake/embed.cmake.\n#include \"engine/app/embedded.h\"\n\n")
  string(APPEND source "namespace streamd {\nnamespace {\nconstexpr EmbeddedText kTexts[] = {\n")
  foreach(file IN LISTS E_FILES)
    file(READ ${E_ROOT}/${file} text)
    string(APPEND source "    {\"${file}\", R\"embedded(${text})embedded\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${E_ROOT}/${file})
  endforeach()
  string(APPEND source "};\n}  // namespace\nstd::span<const EmbeddedText> ${E_FUNCTION}() { return kTexts; }\n}  // namespace streamd\n")
  file(WRITE ${output}.new "${source}")
  file(COPY_FILE ${output}.new ${output} ONLY_IF_DIFFERENT)
endfunction()
