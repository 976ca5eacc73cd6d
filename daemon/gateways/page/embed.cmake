# Writes a C++ source that holds files: cmake -DOUTPUT=x.cpp -DLIST=list.txt -P embed.cmake
# A line of the list: path | media type, with a comma before its parameter | file
set(arrays)
set(entries)
set(index 0)
file(STRINGS ${LIST} lines)
foreach(line IN LISTS lines)
  string(REPLACE " | " ";" parts "${line}")
  list(GET parts 0 path)
  list(GET parts 1 type)
  string(REPLACE "," ";" type "${type}")
  list(GET parts 2 file)
  file(READ ${file} octets HEX)
  file(SHA256 ${file} digest)
  string(SUBSTRING ${digest} 0 16 digest)
  string(LENGTH "${octets}" digits)
  math(EXPR size "${digits} / 2")
  # Lines of 32 octets: compilers and people read them.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," octets "${octets}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" octets "${octets}")
  string(APPEND arrays "constexpr unsigned char file_${index}[] = {\n${octets}};\n")
  string(APPEND entries "    {\"${path}\", \"${type}\", \"\\\"${digest}\\\"\", {reinterpret_cast<const char*>(file_${index}), ${size}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by embed.cmake from the sources of the live page.
#include \"gateways/page/page_files.hpp\"

namespace mbusd {
namespace {

${arrays}
const page_file files[] = {
${entries}};

}  // namespace

std::span<const page_file> page_files() noexcept { return files; }

}  // namespace mbusd
")
