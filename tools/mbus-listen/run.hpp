// mbus-listen, from command line to exit status.
#pragma once

#include "cli/program.hpp"

namespace mbus::tools {

exit_code run_mbus_listen(const arguments& args, output& out);

}  // namespace mbus::tools
