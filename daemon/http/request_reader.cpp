#include "http/request_reader.hpp"

#include <algorithm>
#include <utility>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "http/field_text.hpp"

namespace mbusd {
namespace {

namespace beast_http = boost::beast::http;

// Size and extensions of one chunk, or all trailers; nobody sends more in earnest.
constexpr std::size_t chunk_header_octets_max = 4096;
// Empty lines before a request are ignored (RFC 9112, section 2.2), but not without end.
constexpr std::size_t empty_lines_max = 4;

}  // namespace

struct request_reader::parser {
    beast_http::request_parser<beast_http::string_body> beast;
};

request_reader::request_reader() = default;
request_reader::~request_reader() = default;
request_reader::request_reader(request_reader&&) noexcept = default;
request_reader& request_reader::operator=(request_reader&&) noexcept = default;

request_reader::step request_reader::fail(int status, std::string text) {
    fault_ = {status, std::move(text)};
    parser_.reset();
    return step::failed;
}

request_reader::step request_reader::feed(std::string_view octets, std::size_t& used) {
    used = 0;
    if (!parser_) {
        for (; empty_lines_ < empty_lines_max && octets.substr(used).starts_with("\r\n"); ++empty_lines_) used += 2;
        const auto rest = octets.substr(used);
        if (rest.empty() || rest == "\r") return step::more;
        parser_ = std::make_unique<parser>();
        parser_->beast.header_limit(header_octets_max);
        parser_->beast.body_limit(boost::none);  // accept_body() says how much
        parser_->beast.eager(false);
        header_octets_ = searched_ = empty_lines_ = 0;
    }
    return parser_->beast.is_header_done() ? read_body(octets, used) : read_head(octets, used);
}

request_reader::step request_reader::read_head(std::string_view octets, std::size_t& used) {
    boost::system::error_code wrong;
    const auto rest = octets.substr(used);
    const auto taken = parser_->beast.put(boost::asio::const_buffer{rest.data(), rest.size()}, wrong);
    used += taken;
    header_octets_ += taken;
    const bool complete = parser_->beast.is_header_done();
    const bool waits = wrong == beast_http::error::need_more;
    // Beast's own limit begins anew with each field that was taken. Behind what is malformed there may be anything.
    const auto seen = waits ? header_octets_ + (rest.size() - taken) : header_octets_;
    if (wrong == beast_http::error::header_limit || seen > header_octets_max) {
        return fail(431, "the headers have more than 16384 octets");
    }
    if (wrong == beast_http::error::bad_version || (waits && ends_before_version(rest))) return fail(505, "the protocol must be HTTP/1.1");
    if (wrong && !waits) return fail(400, "this is no HTTP/1.1 request: " + wrong.message());
    return complete ? step::head : step::more;
}

// Beast waits for the eight octets of a version, and does not see that the headers have ended before them.
bool request_reader::ends_before_version(std::string_view octets) noexcept {
    if (header_octets_ > 0) return false;  // the request line is complete
    const bool ends = octets.find("\r\n\r\n", searched_) != std::string_view::npos;
    searched_ = octets.size() - std::min<std::size_t>(octets.size(), 3);
    return ends;
}

request_reader::step request_reader::read_body(std::string_view octets, std::size_t& used) {
    auto& beast = parser_->beast;
    while (!beast.is_done()) {
        boost::system::error_code wrong;
        const auto rest = octets.substr(used);
        if (rest.empty()) return step::more;
        const auto taken = beast.put(boost::asio::const_buffer{rest.data(), rest.size()}, wrong);
        used += taken;
        if (wrong == beast_http::error::body_limit) return fail(413, {});
        if (wrong && wrong != beast_http::error::need_more) return fail(400, "the body is malformed: " + wrong.message());
        if (taken > 0 && !wrong) continue;
        if (rest.size() - taken > chunk_header_octets_max) return fail(400, "a chunk has more than 4096 octets of header");
        if (wrong) return step::more;
    }
    return step::done;
}

request_reader::head_view request_reader::take_head() {
    const auto& message = parser_->beast.get();
    head_view out;
    out.method = std::string{message.method_string()};
    out.target = std::string{message.target()};
    out.version = message.version();
    out.keep_alive = parser_->beast.keep_alive();
    out.has_body = !parser_->beast.is_done();
    if (const auto length = parser_->beast.content_length()) out.body_octets = *length;
    for (const auto& field : message) {
        out.headers.push_back({std::string{field.name_string()}, std::string{field.value()}});
        const auto& last = out.headers.back();
        if (http::same_word(last.name, "Expect")) out.expects_continue = http::same_word(last.value, "100-continue");
    }
    return out;
}

bool request_reader::accept_body(std::size_t octets_max) {
    const auto length = parser_->beast.content_length();
    if (length && *length > octets_max) return false;
    if (!parser_->beast.is_done()) parser_->beast.body_limit(octets_max);
    return true;
}

std::string request_reader::take_body() {
    auto out = std::move(parser_->beast.get().body());
    parser_.reset();
    return out;
}

std::size_t request_reader::body_octets() const noexcept { return parser_ ? parser_->beast.get().body().size() : 0; }

}  // namespace mbusd
