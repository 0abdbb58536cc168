// A module of the gateway as its profile in services.d/NAME.toml describes it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "certmgr/core/certificate.h"
#include "hal/service_control.h"

namespace certmgr {

enum class ProbeKind { none, https };  // a new kind is a new module's protocol

struct ProbeTarget {
    ProbeKind kind = ProbeKind::https;
    std::string address = "127.0.0.1";  // numeric; the certificate's name is sent as SNI
    std::uint16_t port = 443;
    std::chrono::milliseconds timeout{10'000};  // of the whole proof, retries during the change-over included
};

struct ServiceProfile {
    std::string name;         // file name without ".toml"; [a-z0-9-]+
    std::string description;  // for the table: "Web interface"
    std::vector<CertificateSpec> certificates;
    hal::ServiceHandle handle;
    ProbeTarget probe;
    bool clientCrl = false;  // it checks clients: reloaded when the CAs or revocation lists for that change
};

}  // namespace certmgr
