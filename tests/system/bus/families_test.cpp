// families = "auto": presence in both families, the rest in the main one and where somebody has only
// the other (docs/configuration.md).
#include <doctest/doctest.h>

#include "ends.hpp"
#include "network.hpp"

using namespace mbusd;

TEST_CASE("auto: hello goes out in both families, other group traffic in IPv4 alone") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander v4{"239.255.255.247", "eth0"};
    ends::bystander v6{"ff02::300", "eth0"};
    boost::asio::io_context context;
    ends::daemon there{context, ends::link_local()};
    network::enter(cable.first);
    ends::daemon here{context, ends::link_local()};
    here.start("here");
    there.start("there");
    ends::wait_for(context, v4, ends::is_hello);
    ends::wait_for(context, v6, ends::is_hello);
    // given that the peers know each other by both families
    REQUIRE(ends::meet(context, here, there));
    while (v6.next()) {}
    // when something else than presence is said
    here.send("()", "demo.text()");
    // then it is heard on IPv4; when the next hello is seen on IPv6, it was not there before
    ends::wait_for(context, v4, ends::is_text);
    bool text_on_v6 = false;
    ends::wait_for(context, v6, [&](const auto& one) {
        text_on_v6 |= ends::is_text(one);
        return ends::is_hello(one);
    });
    CHECK_FALSE(text_on_v6);
    CHECK(ends::run_until(context, [&] { return there.delivered.size() == 1; }));
}

TEST_CASE("auto: where a peer is known by IPv6 only, group traffic goes there as well") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander v4{"239.255.255.247", "eth0"};
    boost::asio::io_context context;
    ends::daemon there{context, ends::link_local(family_rule::ipv6)};
    network::enter(cable.first);
    ends::daemon here{context, ends::link_local()};
    here.start("here");
    there.start("there");
    REQUIRE(ends::meet(context, here, there));
    here.send("(app:there)", "demo.text()");
    CHECK(ends::run_until(context, [&] { return there.delivered.size() == 1; }));
    ends::wait_for(context, v4, ends::is_text);
}

TEST_CASE("auto: a link without IPv4 carries everything on IPv6") {
    network::pair cable;
    if (!network::fresh_pair(cable, false)) return;
    network::enter(cable.second);
    ends::bystander v6{"ff02::300", "eth0"};
    network::enter(cable.first);
    boost::asio::io_context context;
    ends::daemon here{context, ends::link_local()};
    here.start("here");
    here.send("(app:anyone)", "demo.text()");
    ends::wait_for(context, v6, ends::is_text);
}

TEST_CASE("both: everything goes out in both families, and is delivered once") {
    network::pair cable;
    if (!network::fresh_pair(cable)) return;
    network::enter(cable.second);
    ends::bystander v4{"239.255.255.247", "eth0"};
    ends::bystander v6{"ff02::300", "eth0"};
    boost::asio::io_context context;
    ends::daemon there{context, ends::link_local(family_rule::both)};
    network::enter(cable.first);
    ends::daemon here{context, ends::link_local(family_rule::both)};
    here.start("here");
    there.start("there");
    REQUIRE(ends::meet(context, here, there));
    here.send("(app:there)", "demo.text()");
    CHECK(ends::wait_for(context, v4, ends::is_text).text == ends::wait_for(context, v6, ends::is_text).text);
    REQUIRE(ends::run_until(context, [&] {
        return there.drops(mbus::protocol::drop_reason::duplicate) > 0 && !there.delivered.empty();
    }));
    CHECK(there.delivered.size() == 1);
}
