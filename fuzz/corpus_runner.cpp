// Runs a fuzz target over files and folders that are named on the command line: the corpus as a test where
// libFuzzer is not at hand, and a way to look into one finding. Each input is also tried with octets cut off
// its end, and with single bits changed; "-variants=N" in front of the files: N of each, evenly spread.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz.hpp"

namespace {

// Inputs longer than this are run as they are only: the variants below are quadratic.
constexpr std::size_t variants_octets_max = 512;
constexpr std::string_view variants_option = "-variants=";

// A copy of exactly its size, so that AddressSanitizer sees every octet read beyond it.
void run(const std::string& input) {
    const auto copy = std::make_unique<std::uint8_t[]>(input.size());
    std::copy(input.begin(), input.end(), copy.get());
    LLVMFuzzerTestOneInput(copy.get(), input.size());
}

void run_with_variants(const std::string& input, std::size_t variants) {
    run(input);
    if (input.size() > variants_octets_max || variants == 0) return;
    const std::size_t step = std::max<std::size_t>(1, input.size() / variants);
    for (std::size_t size = 0; size < input.size(); size += step) run(input.substr(0, size));
    for (std::size_t at = 0; at < input.size(); at += step) {
        std::string changed = input;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << at % 8));
        run(changed);
    }
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<std::filesystem::path> files;
    std::size_t variants = variants_octets_max;
    for (int at = 1; at < count; ++at) {
        const std::string_view word{arguments[at]};
        if (word.starts_with(variants_option)) {
            std::from_chars(word.data() + variants_option.size(), word.data() + word.size(), variants);
            continue;
        }
        const std::filesystem::path path{word};
        if (std::filesystem::is_directory(path)) {
            for (const auto& entry : std::filesystem::directory_iterator{path}) files.push_back(entry.path());
        } else {
            files.push_back(path);
        }
    }
    std::sort(files.begin(), files.end());
    for (const auto& path : files) {
        std::ifstream file{path, std::ios::binary};
        if (!file) {
            std::fprintf(stderr, "%s cannot be read\n", path.c_str());
            return 1;
        }
        run_with_variants({std::istreambuf_iterator<char>{file}, {}}, variants);
    }
    std::printf("%zu inputs\n", files.size());
    return files.empty() ? 1 : 0;
}
