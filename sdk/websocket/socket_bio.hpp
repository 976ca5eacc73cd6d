// OpenSSL's way to a socket. Its own raises SIGPIPE when the other side is gone, which would end a
// program that does not expect it; this one does not.
//
// Thread-safety: any.
#pragma once

struct bio_st;

namespace mbus::detail {

// Does not own the socket. Null when there is no memory.
bio_st* make_socket_bio(int socket);

}  // namespace mbus::detail
