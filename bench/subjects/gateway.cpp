// mbusd with a gateway, and one subscriber over WebSocket: in C++ with libmbus-websocket, or in Node.
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "harness/scratch.hpp"
#include "subjects/gateway.hpp"
#include "subjects/mbusd.hpp"
#include "subjects/mbusd_process.hpp"

namespace bench {
namespace {

constexpr std::size_t gateway_in_flight = 8192;

void need_node() {
    const auto node = find_program("node", "nodejs");
    if (std::filesystem::exists("/usr/share/nodejs/ws")) return;
    if (std::system(("'" + node + "' -e 'process.exit(globalThis.WebSocket ? 0 : 1)'").c_str()) != 0)
        throw not_available("this Node has no WebSocket (Debian package node-ws)");
}

// Reads the counts that the script prints.
class node_counts final : public participant {
public:
    node_counts(const seat& where, int from) : where_(where), from_(from) {}
    void publish(std::size_t) override { throw std::logic_error("the script only listens"); }
    bool call(std::chrono::milliseconds) override { throw std::logic_error("the script only listens"); }

    void serve(std::chrono::milliseconds) override {
        std::array<char, 4096> some{};
        const auto got = ::read(from_, some.data(), some.size());
        if (got <= 0) throw std::runtime_error("the Node subscriber ended");
        for (const char each : std::string_view{some.data(), static_cast<std::size_t>(got)}) {
            if (each != '\n') {
                line_.push_back(each);
                continue;
            }
            const auto count = std::stoull(line_);
            where_.delivered->add(count - told_);
            told_ = count;
            line_.clear();
        }
    }

private:
    seat where_;
    int from_;
    std::string line_;
    std::uint64_t told_ = 0;
};

// This process becomes Node, since its CPU is what counts; a child of it does the counting.
std::unique_ptr<participant> become_node(const seat& where, std::uint16_t port, const std::string& token) {
    const auto node = find_program("node", "nodejs");
    const auto client = std::filesystem::path{programs()}.parent_path() / "sdk/js/mbus-client.js";
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("pipe");
    const pid_t counting = ::fork();
    if (counting < 0) throw std::runtime_error("fork");
    if (counting == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::close(ends[1]);
        return std::make_unique<node_counts>(where, ends[0]);
    }
    ::setenv("BENCH_CLIENT", ("file://" + client.string()).c_str(), 1);
    ::setenv("BENCH_URL", ("http://127.0.0.1:" + std::to_string(port)).c_str(), 1);
    ::setenv("BENCH_TOKEN", token.c_str(), 1);
    ::setenv("BENCH_ENTITY", std::string{reader_address}.c_str(), 1);
    if (::dup2(ends[1], STDOUT_FILENO) < 0) throw std::runtime_error("dup2");
    ::execl(node.c_str(), "node", MBUS_BENCH_SOURCES "/subjects/node_reader.mjs", nullptr);
    throw not_available("node can't be started");
}

class gateway final : public subject {
public:
    explicit gateway(bool in_node)
        : in_node_(in_node),
          port_(free_port()),
          daemon_({.gateway_port = port_}),
          token_(daemon_.add_client("bench")) {
        if (in_node) need_node();
    }

    std::unique_ptr<participant> join(const seat& where) override {
        if (where.role != part::subscriber)
            return make_mbus_participant(daemon_.socket(), where, {.full_address = false});
        if (in_node_) return become_node(where, port_, token_);
        return make_mbus_participant("ws://127.0.0.1:" + std::to_string(port_) + "/mbws", where,
                                     {.window = 256, .token = token_});
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return {daemon_.id()}; }
    [[nodiscard]] std::size_t in_flight() const override { return gateway_in_flight; }

private:
    bool in_node_;
    std::uint16_t port_;
    mbusd_process daemon_;
    std::string token_;
};

}  // namespace

std::unique_ptr<subject> make_gateway_to_cpp(const subject_plan&) { return std::make_unique<gateway>(false); }
std::unique_ptr<subject> make_gateway_to_node(const subject_plan&) { return std::make_unique<gateway>(true); }

}  // namespace bench
