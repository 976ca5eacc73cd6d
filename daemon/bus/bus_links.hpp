// The sockets and the links they use: opens the families, joins and leaves as the interfaces change,
// and works out the destinations of group traffic.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "bus/bus_options.hpp"
#include "bus/bus_status.hpp"
#include "bus/datagram_sender.hpp"
#include "bus/family_sockets.hpp"
#include "bus/interface_rules.hpp"
#include "bus/netlink_watch.hpp"
#include "runtime/log.hpp"

namespace mbusd {

class bus_links {
public:
    // Opens what the families of `options` need and reads the interfaces. A family that the host
    // lacks becomes a note; throws std::system_error when none is left.
    bus_links(boost::asio::io_context& context, bus_options options, logger& log);

    // Joins and leaves according to the interface table; false if nothing changed.
    bool update();
    void set_filter(std::vector<std::string> allow, std::vector<std::string> deny);

    [[nodiscard]] const bus_options& options() const noexcept { return options_; }
    [[nodiscard]] const std::vector<bus_link>& links() const noexcept { return choice_.links; }
    [[nodiscard]] std::string host_id() const;  // by the interfaces as they are now
    [[nodiscard]] std::vector<group_target> targets() const;
    // Coalescing stops here: the smallest packet of the links in use.
    [[nodiscard]] std::size_t datagram_budget() const;
    // As the kernel has told it last; empty for an index that no interface has.
    [[nodiscard]] std::string_view interface_name(std::uint32_t index) const;
    // True unless scope is HOSTLOCAL and the source is not of this host (trap T6).
    [[nodiscard]] bool accepts_source(const mbus::protocol::endpoint& from) const;

    [[nodiscard]] family_sockets* sockets(ip_family family) noexcept;
    [[nodiscard]] netlink_watch& watch() noexcept { return watch_; }
    void close();

    // Fills in what is known here.
    void describe(bus_status& status) const;

private:
    void open(boost::asio::io_context& context, ip_family family);
    void drop_unreachable_v6(std::vector<bus_link>& links);
    void join_and_leave(family_sockets& sockets, ip_family family);
    void tell_new_addresses(const std::vector<bus_link>& before) const;
    void note(ip_family family, std::string text, bool important);

    bus_options options_;
    logger& log_;
    interface_table table_;
    netlink_watch watch_;
    std::unique_ptr<family_sockets> v4_;
    std::unique_ptr<family_sockets> v6_;
    link_choice choice_;
    std::map<ip_family, std::string> notes_;
    std::uint64_t join_errors_ = 0;
};

}  // namespace mbusd
