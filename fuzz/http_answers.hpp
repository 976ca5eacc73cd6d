// Reads what the daemon answers as strictly as RFC 9112 lets a client be, and ends the process when an answer is
// not as it must be.
//
//     fuzz::answer_reader answers{line->outgoing, line->closed || line->finished};
//     while (auto got = answers.next(method == "HEAD")) check(got->status);
//     answers.rest();                       // what is not a whole answer
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

struct http_answer {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;
    bool streamed = false;  // its end was not known at its begin
    bool open = false;      // it goes on: a stream
    bool closes = false;    // the connection ends behind it

    [[nodiscard]] bool interim() const noexcept { return status >= 100 && status < 200 && status != 101; }
    // Empty: absent.
    [[nodiscard]] std::string header(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;
};

class answer_reader {
public:
    // `over`: nothing follows `text`, so that it may end an answer.
    answer_reader(std::string_view text, bool over) : rest_(text), over_(over) {}

    // Nothing: no whole answer is there. `head_only`: it answers HEAD.
    std::optional<http_answer> next(bool head_only);
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }

private:
    bool read_body(http_answer& into, std::string_view text, bool head_only);
    bool read_chunks(http_answer& into, std::string_view text);

    std::string_view rest_;
    bool over_;
};

}  // namespace fuzz
