// Namespaces and media types of Atom and its publishing protocol.
#pragma once

#include <string_view>

namespace mbusd::atom {

inline constexpr std::string_view atom_namespace = "http://www.w3.org/2005/Atom";
inline constexpr std::string_view app_namespace = "http://www.w3.org/2007/app";
inline constexpr std::string_view xhtml_namespace = "http://www.w3.org/1999/xhtml";

inline constexpr std::string_view entry_type = "application/atom+xml;type=entry";
inline constexpr std::string_view feed_type = "application/atom+xml;type=feed";
inline constexpr std::string_view service_type = "application/atomsvc+xml";

}  // namespace mbusd::atom
