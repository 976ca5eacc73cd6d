"""Which folder may include which: every include points downward (docs/architecture.md).

A finding is a sentence "file:line: what is wrong"; no findings, no faults.
"""

import pathlib
import re

# What each folder may include besides itself. A folder that is missing here may include nothing.
_CORE = {"core/message", "core/mbws", "core/protocol", "core/websocket"}
_DAEMON_BASE = {"daemon/asio", "daemon/runtime", "daemon/config", "key file", "client token"}
_GATEWAY = _CORE | _DAEMON_BASE | {
    "json", "daemon/atom", "daemon/bus", "daemon/clients", "daemon/feeds", "daemon/http", "daemon/pubsub", "daemon/router", "daemon/sasl", "daemon/store",
    "daemon/xml", "scram keys",
}
ALLOWED = {
    "core/message": set(),
    "core/mbws": {"core/message", "core/websocket"},
    "core/websocket": {"core/message"},
    "core/protocol": {"core/message"},
    "json": {"core/message"},
    "sdk": {"core/message", "core/mbws"},
    "sdk/websocket": {"core/message", "core/mbws", "core/websocket", "sdk"},
    "sdk/testing": {"core/message", "core/mbws", "core/protocol", "sdk"},
    # `mbus key` and `mbus doctor` read and write key files: the only reason for core/protocol.
    "tools": {"core/message", "core/protocol", "json", "key file", "client token", "scram keys", "sdk"},
    "key file": {"core/message", "core/protocol"},
    "daemon/asio": set(),
    "daemon/runtime": {"core/message", "daemon/asio"},
    "daemon/config": {"core/message", "core/protocol", "daemon/runtime", "key file"},
    "daemon/bus": {"core/message", "core/protocol"} | _DAEMON_BASE,
    "daemon/store": {"core/message", "core/mbws"} | _DAEMON_BASE,
    "daemon/xml": set(),
    "daemon/sasl": {"core/message", "scram keys"},
    "daemon/pubsub": {"daemon/xml"},
    "daemon/atom": {"core/message", "daemon/xml"},
    "daemon/feeds": {
        "core/message", "core/mbws", "core/protocol", "daemon/atom", "daemon/bus", "daemon/pubsub", "daemon/router", "daemon/store",
        "daemon/xml",
    } | _DAEMON_BASE,
    "daemon/http": {"core/message", "core/websocket"} | _DAEMON_BASE,
    "daemon/router": {"core/message", "core/mbws", "core/protocol", "daemon/bus", "daemon/store"} | _DAEMON_BASE,
    "daemon/clients": {"core/message", "core/mbws", "core/protocol", "daemon/bus", "daemon/router", "daemon/sasl", "daemon/store", "scram keys"} | _DAEMON_BASE,
    "client token": set(),
    "scram keys": {"core/message", "daemon/sasl"},
    "daemon/local": {"core/message", "core/mbws", "core/protocol", "daemon/bus", "daemon/router"} | _DAEMON_BASE,
}

STANDARD = set(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
    climits clocale cmath codecvt compare complex concepts condition_variable
    coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype deque exception execution expected filesystem format forward_list
    fstream functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale
    map memory memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex
    scoped_allocator semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf
    string string_view strstream syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map
    unordered_set utility valarray variant vector version
    assert.h ctype.h errno.h float.h inttypes.h limits.h math.h stdarg.h stdbool.h stddef.h stdint.h stdio.h
    stdlib.h string.h time.h
    emmintrin.h""".split()  # the last is the compiler's own, where the processor has SSE2
)

# core/ opens nothing, waits for nothing and starts nothing.
NOT_IN_CORE = set(
    "barrier condition_variable csignal filesystem fstream future iostream latch mutex semaphore shared_mutex "
    "stop_token syncstream thread".split()
)
_CLOCKS = re.compile(
    r"_clock::now\b|\bclock_gettime\b|\bgettimeofday\b|\bstd::random_device\b|\bstd::time\b|\bgetenv\b"
)

# Cryptography stays inside these files of core/; WebSocket's handshake needs SHA-1, its codec nothing.
_CRYPTOGRAPHY = re.compile(r"^(openssl/|sodium(\.h|/)|gcrypt\.h)")
_CRYPTOGRAPHY_FILES = re.compile(r"^core/(protocol/(envelope|secret|session_config)\w*|websocket/handshake)\.cpp$")

_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def module_of(path):
    """The folder of the table above that a path belongs to; none outside the layers."""
    parts = pathlib.PurePath(path).parts
    if str(path).startswith("daemon/config/session_file."):
        return "key file"  # a library of its own, for daemon and tools
    if str(path).startswith("daemon/config/client_token."):
        return "client token"  # likewise
    if str(path).startswith("daemon/sasl/scram."):
        return "scram keys"  # likewise
    if parts[0] == "core" and len(parts) > 2:
        return f"core/{parts[1]}"
    if parts[0] == "daemon":
        if len(parts) == 2:
            return "daemon/main"
        if parts[1] == "gateways" and len(parts) > 3:
            return f"daemon/gateways/{parts[2]}"
        return f"daemon/{parts[1]}"
    if parts[0] == "sdk":
        if parts[1] == "websocket":
            return "sdk/websocket"
        return "sdk/testing" if "testing" in " ".join(parts[1:]) else "sdk"
    if parts[0] in ("json", "tools"):
        return parts[0]
    return None


def allowed_for(module):
    if module == "daemon/main":
        return None  # wires everything
    if module.startswith("daemon/gateways/"):
        return _GATEWAY
    return ALLOWED.get(module, set())


def without_comments(source):
    """The source with comments blanked, so that lines keep their numbers."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)

    def blank(match):
        found = match.group(0)
        return found if found.startswith('"') else re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, source)


def resolve(include, path, exists):
    """The project's file that an include names, or none for somebody else's header."""
    folder = pathlib.PurePath(path).parent
    candidates = [folder / include]
    roots = ("core", "core/message/include", "daemon", "json", "json/include", "sdk/include", "sdk/src", "sdk", "tools", "")
    candidates += [pathlib.PurePath(root) / include for root in roots]
    for candidate in candidates:
        if exists(candidate):
            return candidate
    return None


def _foreign_finding(path, module, header):
    """What is wrong with including a header that is not the project's; none if nothing."""
    standard = header in STANDARD
    if module.startswith("core/"):
        if header in NOT_IN_CORE:
            return f"<{header}> has no place in core/: no I/O, no clock, no thread"
        if standard:
            return None
        if _CRYPTOGRAPHY.match(header):
            if _CRYPTOGRAPHY_FILES.match(str(path)):
                return None
            return f"<{header}>: cryptography stays in envelope*.cpp, secret.cpp, session_config*.cpp and handshake.cpp"
        return f"<{header}>: core/ includes the standard library only"
    if str(path).startswith("sdk/include/"):
        if standard or (str(path).endswith("/asio.hpp") and header.startswith(("boost/asio", "asio/", "asio."))):
            return None
        return f"<{header}>: public headers include the standard library and each other only"
    if module.startswith("sdk") and header.split("/")[0] in ("boost", "fmt", "sodium.h", "openssl", "toml++", "CLI"):
        if str(path).endswith("asio.cpp") or (module == "sdk/websocket" and header.startswith("openssl/")):
            return None
        return f"<{header}>: libmbus needs the C and C++ runtime only"
    if module == "json" and not standard and not header.startswith("boost/"):
        return f"<{header}>: json/ includes Boost.JSON and the standard library only"
    return None


def findings(path, source, exists):
    """Faults of one file. `exists` tells whether a path of the tree exists."""
    module = module_of(path)
    if module is None:
        return []
    found = []
    allowed = allowed_for(module)
    for number, line in enumerate(without_comments(source).splitlines(), 1):
        match = _INCLUDE.match(line)
        if not match:
            if module.startswith("core/") and _CLOCKS.search(line):
                found.append(f"{path}:{number}: core/ is told the time and its randomness, it reads neither")
            continue
        target = resolve(match.group(2), path, exists)
        if target is None:
            if match.group(1) == '"' and "/" in match.group(2):
                found.append(f'{path}:{number}: "{match.group(2)}" names no file of the tree')
                continue
            fault = _foreign_finding(path, module, match.group(2))
            if fault:
                found.append(f"{path}:{number}: {fault}")
            continue
        other = module_of(target)
        if other is None or other == module or allowed is None or other in allowed:
            continue
        found.append(f"{path}:{number}: {module} may not include {other} ({match.group(2)})")
    return found
