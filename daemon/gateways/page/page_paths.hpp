// The live page at "/", its script, style and icon, and the JavaScript client at "/mbus-client.js": static
// files that the build has put into the program (CMakeLists.txt).
//
//     add_page_paths(paths);
//
// No file is read and nothing is kept. The page itself needs a token; these files are no secret.
#pragma once

#include "http/path_table.hpp"

namespace mbusd {

void add_page_paths(path_table& paths);

}  // namespace mbusd
