// Counting and keeping stanzas (XEP-0198, section 4).
#include <doctest/doctest.h>

#include <string>

#include "gateways/xmpp/stanza_queue.hpp"

using mbusd::xmpp::stanza_queue;

TEST_CASE("what was acknowledged goes, the rest stays in order") {
    stanza_queue queue;
    queue.enable();
    for (const auto* each : {"a", "b", "c"}) CHECK(queue.sent(each));
    CHECK(queue.acknowledge(2));
    CHECK(queue.waiting() == std::deque<std::string>{"c"});
}

TEST_CASE("more than was sent is an error, less than before is ignored [xmpp 57]") {
    stanza_queue queue;
    queue.enable();
    queue.sent("a");
    CHECK_FALSE(queue.acknowledge(2));
    CHECK(queue.acknowledge(1));
    CHECK(queue.acknowledge(0));
    queue.sent("b");
    CHECK(queue.waiting().size() == 1);
    CHECK(queue.acknowledge(2));
    CHECK(queue.waiting().empty());
}

TEST_CASE("without stream management nothing is kept or counted") {
    stanza_queue queue;
    queue.sent("a");
    queue.handled_one();
    CHECK(queue.waiting().empty());
    CHECK(queue.handled() == 0);
}

TEST_CASE("the queue is bounded") {
    stanza_queue queue;
    queue.enable();
    for (std::size_t i = 0; i < mbusd::xmpp::unacknowledged_max; ++i) CHECK(queue.sent("x"));
    CHECK_FALSE(queue.sent("x"));
    stanza_queue large;
    large.enable();
    CHECK_FALSE(large.sent(std::string(mbusd::xmpp::unacknowledged_octets_max + 1, 'x')));
}
