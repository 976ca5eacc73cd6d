// mbus completion bash: the script, made from the option tables.
#include "cli/completion.hpp"
#include "mbus-listen/spec.hpp"
#include "mbus-send/spec.hpp"
#include "mbus/verbs.hpp"

namespace mbus::tools {
namespace {

exit_code run(const arguments& args, output& out) {
    if (args.words().front() != "bash") {
        return usage_failure(out, {errc::bad_argument, "there is completion for bash only; usage: mbus completion bash"});
    }
    const tool_spec programs[] = {mbus_send_spec(), mbus_listen_spec()};
    std::vector<tool_spec> verbs;
    for (const auto& one : all_verbs()) verbs.push_back(one.spec);
    return out.raw(bash_completion(programs, verbs)) ? exit_code::ok : exit_code::failed;
}

}  // namespace

verb completion_verb() {
    return {{.program = "mbus completion",
             .summary = "print the completion script for a shell",
             .synopsis = {"bash"},
             .description = {"Completes options, verbs, files, and the attributes of entities that are on the bus."},
             .options = {},
             .words = operand::choice,
             .word_choices = {"bash"},
             .words_min = 1,
             .words_max = 1,
             .examples = {{"source <(mbus completion bash)", "for this shell"},
                          {"echo 'source <(mbus completion bash)' >> ~/.bashrc", "for every shell of yours"},
                          {"mbus completion bash | sudo tee /etc/bash_completion.d/mbus", "for everybody"},
                          {"mbus <TAB><TAB>", "the verbs"},
                          {"mbus-send app:<TAB><TAB>", "the applications that are there"}}},
            run};
}

}  // namespace mbus::tools
