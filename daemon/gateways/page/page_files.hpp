// The files of the live page as the build has made them (embed.cmake). They live as long as the program.
#pragma once

#include <span>
#include <string_view>

namespace mbusd {

struct page_file {
    std::string_view path;  // "/page.js"
    std::string_view type;
    std::string_view tag;   // ETag, of the content
    std::string_view body;
};

[[nodiscard]] std::span<const page_file> page_files() noexcept;

}  // namespace mbusd
