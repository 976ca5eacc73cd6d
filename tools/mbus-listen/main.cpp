#include "mbus-listen/run.hpp"
#include "mbus-listen/spec.hpp"

int main(int argc, char** argv) {
    return mbus::tools::run_main(mbus::tools::mbus_listen_spec(), mbus::tools::run_mbus_listen, argc, argv);
}
