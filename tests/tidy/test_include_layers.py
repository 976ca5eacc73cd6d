"""Includes point downward only, core/ is free of I/O, and public headers need nobody else's."""

import unittest

import layers
import tree


class include_layers(unittest.TestCase):
    def test_the_tree_includes_downward_only(self):
        found = []
        checked = 0
        for folder in ("core", "json", "daemon", "sdk", "tools"):
            for path in tree.files(".hpp", ".cpp", ".h", ".c", under=folder):
                checked += 1
                found += layers.findings(path, tree.text(path), lambda p: (tree.ROOT / p).is_file())
        self.assertGreater(checked, 10)
        self.assertEqual([], found, "\n" + "\n".join(found))

    def findings(self, path, source, *existing):
        return layers.findings(path, source, lambda p: str(p) in existing)

    def test_given_an_upward_include_then_it_is_reported_with_its_line(self):
        found = self.findings("core/message/src/a.cpp", '\n#include "protocol/node.hpp"\n', "core/protocol/node.hpp")
        self.assertEqual(["core/message/src/a.cpp:2: core/message may not include core/protocol (protocol/node.hpp)"], found)

    def test_given_a_gateway_that_includes_another_then_it_is_reported(self):
        found = self.findings(
            "daemon/gateways/mbws/a.cpp", '#include "gateways/xmpp/b.hpp"\n', "daemon/gateways/xmpp/b.hpp"
        )
        self.assertEqual(1, len(found))

    def test_given_a_clock_in_core_then_it_is_reported_but_not_in_a_comment(self):
        self.assertEqual(1, len(self.findings("core/protocol/a.cpp", "auto t = std::chrono::steady_clock::now();\n")))
        self.assertEqual([], self.findings("core/protocol/a.cpp", "// never steady_clock::now()\n"))

    def test_given_cryptography_outside_the_envelope_then_it_is_reported(self):
        self.assertEqual(1, len(self.findings("core/protocol/node.cpp", "#include <sodium.h>\n")))
        self.assertEqual([], self.findings("core/protocol/envelope_mac.cpp", "#include <openssl/evp.h>\n"))
        self.assertEqual([], self.findings("core/websocket/handshake.cpp", "#include <openssl/evp.h>\n"))
        self.assertEqual(1, len(self.findings("core/websocket/frame.cpp", "#include <openssl/evp.h>\n")))

    def test_given_boost_in_a_public_header_then_it_is_reported_except_in_the_opt_in(self):
        self.assertEqual(1, len(self.findings("sdk/include/mbus/connection.hpp", "#include <boost/asio.hpp>\n")))
        self.assertEqual([], self.findings("sdk/include/mbus/asio.hpp", "#include <boost/asio.hpp>\n"))

    def test_given_openssl_in_the_sdk_then_it_is_reported_except_in_libmbus_websocket(self):
        self.assertEqual(1, len(self.findings("sdk/src/a.cpp", "#include <openssl/ssl.h>\n")))
        self.assertEqual([], self.findings("sdk/websocket/a.cpp", "#include <openssl/ssl.h>\n"))

    def test_given_a_thread_in_core_then_it_is_reported(self):
        self.assertEqual(1, len(self.findings("core/mbws/a.cpp", "#include <thread>\n")))


if __name__ == "__main__":
    unittest.main()
