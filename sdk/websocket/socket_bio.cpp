#include "socket_bio.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <openssl/bio.h>

namespace mbus::detail {
namespace {

int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool try_again() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int bio_write(BIO* bio, const char* octets, std::size_t count, std::size_t* put) {
    BIO_clear_retry_flags(bio);
    const auto outcome = ::send(socket_of(bio), octets, count, MSG_NOSIGNAL);
    *put = outcome > 0 ? static_cast<std::size_t>(outcome) : 0;
    if (outcome < 0 && try_again()) BIO_set_retry_write(bio);
    return outcome > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* into, std::size_t room, std::size_t* got) {
    BIO_clear_retry_flags(bio);
    const auto outcome = ::recv(socket_of(bio), into, room, 0);
    *got = outcome > 0 ? static_cast<std::size_t>(outcome) : 0;
    if (outcome < 0 && try_again()) BIO_set_retry_read(bio);
    if (outcome == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return outcome > 0 ? 1 : 0;
}

long bio_control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return 0;
}

BIO_METHOD* make_method() {
    auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "mbus socket");
    if (method == nullptr) return nullptr;
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_ctrl(method, bio_control);
    return method;
}

}  // namespace

bio_st* make_socket_bio(int socket) {
    static BIO_METHOD* const method = make_method();  // as long as the process lives
    if (method == nullptr) return nullptr;
    auto* bio = BIO_new(method);
    if (bio == nullptr) return nullptr;
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace mbus::detail
