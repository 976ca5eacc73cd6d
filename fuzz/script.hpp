// Inputs of targets that talk to the daemon: what a client sends, with marks between that say where it is cut
// and what else happens. A mark is the octet FF and a letter; FF FF is the octet FF itself.
//
//     for (auto steps = script{input}; auto step = steps.next();) { send(step->text); act(step->mark); }
//
// So an input can be read and written by people, and a fuzzer puts marks anywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

class script {
public:
    struct step {
        std::string text;
        char mark = 0;  // 0: the input ends here
    };

    explicit script(std::string_view input) : rest_(input) {}

    std::optional<step> next() {
        if (over_) return std::nullopt;
        step out;
        while (!rest_.empty()) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c != lead) {
                out.text += c;
                continue;
            }
            if (rest_.empty()) break;
            const char mark = rest_.front();
            rest_.remove_prefix(1);
            if (mark != lead) {
                out.mark = mark;
                return out;
            }
            out.text += lead;
        }
        over_ = true;
        return out;
    }

private:
    static constexpr char lead = '\xff';
    std::string_view rest_;
    bool over_ = false;
};

}  // namespace fuzz
