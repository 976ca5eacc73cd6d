// ZeroMQ PUB/SUB over ipc, through a proxy process (zmq_proxy between XSUB and XPUB, the guide's "pub-sub proxy")
// or directly. High-water marks are raised, since PUB drops above them; the benchmark holds the publisher.
#include <zmq.h>

#include <memory>
#include <string>
#include <thread>

#include "harness/crew.hpp"
#include "harness/scratch.hpp"
#include "peers/peers.hpp"

namespace bench {
namespace {

constexpr int high_water_mark = 100'000;
constexpr char to_reader = 'r';  // first octet of a message: its topic
constexpr char to_caller = 'c';

[[noreturn]] void fail(const char* what) {
    throw std::runtime_error(std::string{"ZeroMQ "} + what + ": " + zmq_strerror(zmq_errno()));
}

// Never closed: participants end by signal, and the kernel takes it all.
class zmq_socket_of {
public:
    zmq_socket_of(void* context, int type) : socket_(::zmq_socket(context, type)) {
        if (socket_ == nullptr) fail("socket");
        for (const int option : {ZMQ_SNDHWM, ZMQ_RCVHWM})
            if (::zmq_setsockopt(socket_, option, &high_water_mark, sizeof high_water_mark) != 0)
                fail("high-water mark");
    }
    void bind(const std::string& where) const {
        if (::zmq_bind(socket_, where.c_str()) != 0) fail("bind");
    }
    void connect(const std::string& where) const {
        if (::zmq_connect(socket_, where.c_str()) != 0) fail("connect");
    }
    void subscribe(char topic) const {
        if (::zmq_setsockopt(socket_, ZMQ_SUBSCRIBE, &topic, 1) != 0) fail("subscribe");
    }
    void* get() const noexcept { return socket_; }

private:
    void* socket_;
};

// Where messages go in and where they come out.
struct endpoints {
    std::string in;
    std::string out;
};

class zeromq_participant final : public participant {
public:
    zeromq_participant(const seat& where, const endpoints& ways, bool direct)
        : where_(where),
          body_(where.payload, 'x'),
          out_(context_, ZMQ_PUB),
          in_(context_, ZMQ_SUB),
          buffer_(where.payload + 1, 0) {
        const bool first = where.role == part::publisher || where.role == part::caller;
        body_[0] = first ? to_reader : to_caller;
        if (direct) {
            if (where.role != part::subscriber) out_.bind(first ? ways.in : ways.out);
            if (where.role != part::publisher) in_.connect(first ? ways.out : ways.in);
        } else {
            if (where.role != part::subscriber) out_.connect(ways.in);
            if (where.role != part::publisher) in_.connect(ways.out);
        }
        if (where.role != part::publisher) in_.subscribe(first ? to_caller : to_reader);
    }

    void publish(std::size_t count) override {
        for (std::size_t index = 0; index < count; ++index)
            if (::zmq_send(out_.get(), body_.data(), body_.size(), 0) < 0) fail("send");
    }

    void serve(std::chrono::milliseconds time) override {
        if (where_.role == part::publisher) return std::this_thread::sleep_for(time);
        for (int count = 0; count < 10'000; ++count) {
            receive(0);
            if (where_.role == part::echo)
                publish(1);
            else
                where_.delivered->add(1);
        }
    }

    bool call(std::chrono::milliseconds limit) override {
        publish(1);
        if (limit != limit_) {
            limit_ = limit;
            const int time = static_cast<int>(limit.count());
            (void)::zmq_setsockopt(in_.get(), ZMQ_RCVTIMEO, &time, sizeof time);
        }
        return receive(0);
    }

private:
    bool receive(int flags) {
        if (::zmq_recv(in_.get(), buffer_.data(), buffer_.size(), flags) >= 0) return true;
        if (zmq_errno() != EAGAIN) fail("receive");
        return false;
    }

    seat where_;
    std::string body_;
    void* context_ = ::zmq_ctx_new();
    zmq_socket_of out_;
    zmq_socket_of in_;
    std::vector<char> buffer_;
    std::chrono::milliseconds limit_{0};
};

class zeromq final : public subject {
public:
    explicit zeromq(bool direct)
        : ways_{"ipc://" + directory_ / "in", "ipc://" + directory_ / "out"}, direct_(direct) {
        if (direct) return;
        proxy_.push_back(crew_.hire("the proxy of ZeroMQ", [this] {
            void* const context = ::zmq_ctx_new();
            const zmq_socket_of in{context, ZMQ_XSUB};
            const zmq_socket_of out{context, ZMQ_XPUB};
            in.bind(ways_.in);
            out.bind(ways_.out);
            ::zmq_proxy(in.get(), out.get(), nullptr);
        }));
    }

    std::unique_ptr<participant> join(const seat& where) override {
        return std::make_unique<zeromq_participant>(where, ways_, direct_);
    }
    [[nodiscard]] std::vector<pid_t> servers() const override { return proxy_; }

private:
    scratch_directory directory_;
    endpoints ways_;
    bool direct_;
    crew crew_;
    std::vector<pid_t> proxy_;
};

}  // namespace

std::unique_ptr<subject> make_zeromq(const subject_plan&) { return std::make_unique<zeromq>(false); }
std::unique_ptr<subject> make_zeromq_direct(const subject_plan&) { return std::make_unique<zeromq>(true); }

}  // namespace bench
