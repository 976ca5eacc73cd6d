// One client that speaks HTTP/1.1: requests one after the other, each answered before the next is
// looked at; what comes meanwhile waits in the socket, but for a small part.
//
// An idle connection holds no buffer: what is read goes through one buffer of the listener.
// Made by http_listener, which owns it until ended(). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/admission.hpp"
#include "http/byte_stream.hpp"
#include "http/http_environment.hpp"
#include "http/request_reader.hpp"

namespace mbusd {

class http_call;

class http_connection final : public std::enable_shared_from_this<http_connection> {
public:
    http_connection(http_environment& environment, std::unique_ptr<byte_stream> stream, connection_origin from);
    ~http_connection();

    void start();
    // A deadline has passed.
    void late();
    // Ends after the answer that is under way, if there is one; streams end now.
    void wind_up();
    // Gives the connection up at once.
    void close();

    [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

private:
    friend class http_call;  // the answer of a handler

    enum class phase {
        idle,      // between two requests
        head,      // in the headers of one
        body,
        answering, // a handler has it, or the answer is being written
        streaming, // the answer goes on
        lingering, // all is said, input is thrown away
        closed
    };

    // Reading.
    void wait_readable();
    void readable();
    void input_ended();
    void input_failed();
    void take_requests();
    void head_complete();
    void request_complete();
    void reject(request_reader::fault why);
    void release_input();
    [[nodiscard]] std::size_t body_octets_max(const path_table::endpoint& at) const noexcept;
    void set_deadline(std::chrono::seconds from_now);
    void leave();

    // Writing.
    void respond(http_response answer, const std::vector<header_field>& extra, bool head_only);
    void start_stream(const http_response& answer, bool head_only);
    bool stream_write(std::string_view text);
    void stream_close();
    upgraded upgrade(const std::vector<header_field>& headers);
    void flush();
    void flush_soon();
    void written();
    void answered();
    void linger_on();
    [[nodiscard]] std::size_t waiting() const noexcept { return output_.size() - output_at_ + fixed_.size(); }

    http_environment& environment_;
    std::unique_ptr<byte_stream> stream_;
    connection_origin from_;
    std::uint64_t id_;
    phase phase_ = phase::idle;
    request_reader reader_;
    std::string input_;
    std::size_t input_at_ = 0;              // what of it was used
    std::unique_ptr<admission> admission_;  // of the request under way
    std::weak_ptr<http_call> call_;
    std::string output_;
    std::size_t output_at_ = 0;
    std::string_view fixed_;                // after output_
    std::chrono::steady_clock::time_point since_;  // of the headers or the body under way
    bool waiting_readable_ = false;
    bool waiting_writable_ = false;
    bool flush_posted_ = false;
    bool taking_ = false;        // take_requests() is on the stack
    bool close_after_ = false;   // the answer under way is the last
    bool complete_ = false;      // all of the answer is in output_
    bool chunked_ = false;
    bool input_over_ = false;    // the client has sent its last octet
    bool fresh_ = true;          // no request yet
};

}  // namespace mbusd
