#include "gateways/mbws/link_dialer.hpp"

#include <algorithm>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/connect.hpp>
#include <fmt/format.h>

#include "http/tls.hpp"
#include "router/session_table.hpp"
#include "runtime/unique_fd.hpp"

namespace mbusd {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t token_octets_max = 512;
constexpr int http_forbidden_first = 400;

// The token of a file that nobody else may read. Throws one sentence.
std::string read_token(const std::string& file) {
    const unique_fd opened{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat about {};
    if (opened.get() < 0 || ::fstat(opened.get(), &about) != 0 || !S_ISREG(about.st_mode)) {
        throw std::runtime_error("token_file " + file + " can't be read; check that it exists and that mbusd may read it");
    }
    if ((about.st_mode & 077) != 0) {
        throw std::runtime_error("token_file " + file + " may be read by others; run: chmod 600 " + file);
    }
    std::string text(token_octets_max + 1, '\0');
    const auto octets = ::read(opened.get(), text.data(), text.size());
    text.resize(octets > 0 ? static_cast<std::size_t>(octets) : 0);
    const auto end = text.find_last_not_of(" \t\r\n");
    text.resize(end == std::string::npos ? 0 : end + 1);
    const bool plain = std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7F; });
    if (text.empty() || text.size() > token_octets_max || !plain) {
        throw std::runtime_error("token_file " + file + " does not hold a token; write into it what 'mbus client add' printed");
    }
    return text;
}

// IPv6 and IPv4 in turn, in the resolver's order.
std::vector<tcp::endpoint> in_turn(const tcp::resolver::results_type& found) {
    std::vector<tcp::endpoint> first;
    std::vector<tcp::endpoint> second;
    for (const auto& each : found) {
        const auto place = each.endpoint();
        (first.empty() || first.front().protocol() == place.protocol() ? first : second).push_back(place);
    }
    std::vector<tcp::endpoint> out;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    std::ranges::reverse(out);  // taken from the end
    return out;
}

}  // namespace

mbus::websocket::mask_key link_dialer::masks::next() {
    const auto four = random_number();
    return {static_cast<char>(four), static_cast<char>(four >> 8), static_cast<char>(four >> 16),
            static_cast<char>(four >> 24)};
}

link_dialer::link_dialer(asio::io_context& context, link_table& links, turn_queue& turns, logger& log, link_rule rule)
    : context_(context),
      links_(links),
      turns_(turns),
      log_(log),
      rule_(std::move(rule)),
      url_(*parse_link_url(rule_.url)),
      link_(links.add_caller(rule_, *this)),
      resolver_(context),
      timer_(context) {}

link_dialer::~link_dialer() {
    stop_attempt();
    links_.remove_caller(rule_.name);  // writes `close` if it is up
    if (connection_) connection_->close();
}

void link_dialer::stop_attempt() {
    ++attempt_;
    resolver_.cancel();
    timer_.cancel();
    socket_.reset();
}

void link_dialer::dial() {
    stop_attempt();
    places_.clear();
    connection_.reset();
    last_failure_.clear();
    slowly_ = false;
    resolver_.async_resolve(url_.host, std::to_string(url_.port), tcp::resolver::numeric_service,
                            [this, attempt = attempt_](const boost::system::error_code& fault, const auto& found) {
                                if (fault == asio::error::operation_aborted || attempt != attempt_) return;
                                if (fault) {
                                    try_later(fmt::format("{} is not found: {}", url_.host, fault.message()), false);
                                    return;
                                }
                                places_ = in_turn(found);
                                connect_next();
                            });
}

void link_dialer::connect_next() {
    stop_attempt();
    if (places_.empty()) {
        try_later(fmt::format("no connection to {}: {}", url_.authority(), last_failure_), false);
        return;
    }
    const auto place = places_.back();
    places_.pop_back();
    socket_ = std::make_unique<tcp::socket>(context_);
    const auto attempt = attempt_;
    socket_->async_connect(place, [this, attempt](const boost::system::error_code& fault) {
        if (fault == asio::error::operation_aborted || attempt != attempt_) return;
        if (fault) {
            last_failure_ = fault.message();
            connect_next();
        } else {
            connected();
        }
    });
    timer_.expires_after(link_connect_patience);
    timer_.async_wait([this, attempt](const boost::system::error_code& gone) {
        if (gone || attempt != attempt_) return;
        last_failure_ = "no answer within 3 seconds";
        connect_next();
    });
}

void link_dialer::connected() {
    timer_.cancel();
    try {
        const auto token = read_token(rule_.token_file);
        boost::system::error_code ignored;
        socket_->set_option(tcp::no_delay{true}, ignored);
        socket_->non_blocking(true);
        unique_fd raw{socket_->release()};
        socket_.reset();
        auto stream = url_.encrypted
                          ? make_tls_client_stream(context_, std::move(raw), tls_context::client(rule_.ca_file), url_.host)
                          : make_plain_stream(context_, std::move(raw));
        mbus::websocket::handshake_wish wish{.host = url_.authority(),
                                             .target = url_.path,
                                             .subprotocol = "mbws",
                                             .extension = "mbws",
                                             .headers = {{"Authorization", "Bearer " + token}}};
        const auto attempt = attempt_;
        connection_ = std::make_shared<link_connection>(
            link_connection::environment{context_, turns_, masks_, [] { return std::chrono::steady_clock::now(); },
                                         links_.frame_octets()},
            std::move(stream), link_.session(), std::move(wish), [this, attempt](std::string reason, int http_status) {
                if (attempt != attempt_) return;
                // A connection that was up and broke is resumed at once; one that is refused has to wait.
                try_later(std::move(reason), http_status >= http_forbidden_first || slowly_);
            });
        connection_->start();
    } catch (const std::exception& fault) {
        try_later(fault.what(), true);
    }
}

// The session is over: refused, standby, or closed by the other side.
void link_dialer::link_over(const mbus::error& why) {
    slowly_ = why.code == mbus::errc::conflict || why.code == mbus::errc::forbidden ||
              why.code == mbus::errc::unauthorized || why.code == mbus::errc::bad_version;
}

void link_dialer::try_later(std::string reason, bool slowly) {
    stop_attempt();
    if (link_.session().state() == mbus::mbws::link_state::idle || !reason.empty()) {
        // What the other daemon said tells more than how the connection ended; of earlier ones it is old.
        if (connection_ && connection_->opened()) {
            const bool over = link_.session().state() == mbus::mbws::link_state::idle;
            const auto& said = over && !link_.reason().empty() ? link_.reason() : link_.session().last_fault().text;
            if (!said.empty()) reason = said;
        }
        log_.limited(level::notice, "dial/" + rule_.name, "link is down",
                     {{"link", rule_.name}, {"url", rule_.url}, {"reason", reason}});
        links_.note(link_, std::move(reason));
    }
    // An end as expected after a session that was up starts the back-off anew.
    if (std::exchange(was_up_, false)) delay_ = link_retry_first;
    retry_in(slowly ? link_retry_last : delay_);
    delay_ = std::min(delay_ * 2, link_retry_last);
}

// Up to a quarter later, so that many daemons do not call at once, and two not in step.
void link_dialer::retry_in(std::chrono::milliseconds delay) {
    const auto jitter = std::chrono::milliseconds{random_number() % static_cast<std::uint32_t>(delay.count() / 4 + 1)};
    timer_.expires_after(delay + jitter);
    timer_.async_wait([this, attempt = attempt_](const boost::system::error_code& gone) {
        if (!gone && attempt == attempt_) dial();
    });
}

// --- all of them --------------------------------------------------------------------------------

link_dialers::link_dialers(asio::io_context& context, link_table& links, turn_queue& turns, logger& log)
    : context_(context), links_(links), turns_(turns), log_(log), timer_(context) {
    links_.on_deadline([this] { arm(); });
}

link_dialers::~link_dialers() { close(); }

void link_dialers::close() {
    links_.on_deadline({});
    dialers_.clear();
    timer_.cancel();
}

void link_dialers::apply(const std::vector<link_rule>& rules) {
    const auto same_way = [](const link_rule& left, const link_rule& right) {
        return left.name == right.name && left.url == right.url && left.token_file == right.token_file &&
               left.ca_file == right.ca_file;
    };
    std::erase_if(dialers_, [&](const auto& dialer) {
        return std::ranges::none_of(rules, [&](const auto& rule) { return same_way(rule, dialer->rule()); });
    });
    for (const auto& rule : rules) {
        if (!rule.calls()) continue;
        const auto there = std::ranges::find_if(dialers_, [&](const auto& each) { return same_way(rule, each->rule()); });
        if (there != dialers_.end()) {
            (*there)->set_rule(rule);
            continue;
        }
        dialers_.push_back(std::make_unique<link_dialer>(context_, links_, turns_, log_, rule));
        dialers_.back()->start();
    }
    links_.apply();
}

// One timer for the deadlines of all links; without any there is no wake-up.
void link_dialers::arm() {
    const auto next = links_.next_deadline();
    if (next == armed_for_) return;
    armed_for_ = next;
    timer_.cancel();
    if (next == mbus::mbws::never) return;
    timer_.expires_at(next);
    timer_.async_wait([this](const boost::system::error_code& gone) {
        if (gone) return;
        armed_for_ = mbus::mbws::never;
        links_.advance(std::chrono::steady_clock::now());
    });
}

}  // namespace mbusd
