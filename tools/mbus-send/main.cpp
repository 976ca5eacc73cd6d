#include "mbus-send/run.hpp"
#include "mbus-send/spec.hpp"

int main(int argc, char** argv) {
    return mbus::tools::run_main(mbus::tools::mbus_send_spec(), mbus::tools::run_mbus_send, argc, argv);
}
