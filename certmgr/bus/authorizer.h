// Asks polkit whether the sender of a call may do what it asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <string>

#include <sys/types.h>

#include "certmgr/bus/sd_bus.h"

namespace certmgr::bus {

// The effective user of the sender. Asks the broker, which answers by itself: no other client can delay it.
uid_t senderOf(sd_bus_message* call);

// The queue of questions that polkit has not answered yet. Fails closed: without a clear yes the call is
// answered with an error. Root is not asked about. One thread, the one that processes `bus`; must be gone
// before `bus` is.
class Authorizer {
  public:
    // The system bus grants a connection 128 unanswered calls: without a share for each user one of them
    // could lock all the others out.
    static constexpr unsigned maxPendingPerUser = 16;
    static constexpr std::uint64_t timeoutMicroseconds = 120'000'000;  // a person may be typing a password

    explicit Authorizer(sd_bus* bus) : bus_(bus) {}
    Authorizer(const Authorizer&) = delete;
    Authorizer& operator=(const Authorizer&) = delete;

    // Runs `granted` now for root, or when polkit said yes to `action`. What it throws becomes the error
    // reply. In all other cases the caller gets AccessDenied, InteractiveAuthorizationRequired or
    // LimitsExceeded.
    void authorize(sd_bus_message* call, const char* action, std::function<void()> granted);

  private:
    struct Question {
        Authorizer* owner;
        Message call;
        uid_t user;
        std::string action;
        std::function<void()> granted;
        Slot slot;
        std::list<Question>::iterator self;
    };

    void ask(Question question);
    void conclude(Question& question, sd_bus_message* answer);
    static int answered(sd_bus_message* answer, void* userdata, sd_bus_error* error);

    sd_bus* bus_;
    std::list<Question> questions_;
    std::map<uid_t, unsigned> pending_;
};

}  // namespace certmgr::bus
