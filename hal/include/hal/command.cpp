#include "hal/command.h"

#include <system_error>

namespace hal {

std::string describe(const std::vector<std::string>& argv, const CommandResult& result) {
    std::string text;
    for (const std::string& word : argv) text.append(text.empty() ? "" : " ").append(word);
    switch (result.end) {
        case CommandResult::End::exited:
            text += " ended with status " + std::to_string(result.code);
            break;
        case CommandResult::End::signalled:
            text += " was ended by signal " + std::to_string(result.code);
            break;
        case CommandResult::End::timedOut:
            text += " did not end in time and was killed";
            break;
        case CommandResult::End::stopped:
            text += " was killed, since nobody waits for it any more";
            break;
        case CommandResult::End::notStarted:
            text += " could not be started: " + std::generic_category().message(result.code);
            break;
    }
    return result.output.empty() ? text : text + ": " + result.output;
}

}  // namespace hal
