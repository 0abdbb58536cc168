#include "certmgr/bus/properties.h"

#include "certmgr/bus/text.h"

namespace certmgr::bus {
namespace {

int appendDeployment(sd_bus_message* reply, const engine::DeploymentView& deployment) {
    return sd_bus_message_append(reply, "a{sv}", 8,                                                      //
                                 "Certificate", "s", validText(deployment.certificate).c_str(),          //
                                 "Wanted", "x", deployment.wanted, "Current", "x", deployment.lastGood,  //
                                 "State", "s", validText(deployment.state).c_str(),                      //
                                 "Reason", "s", validText(deployment.reason).c_str(),                    //
                                 "ProvedAt", "t", deployment.provedAt, "NextAttempt", "t",
                                 deployment.nextAttempt, "Failures", "t", deployment.failures);
}

}  // namespace

int append(sd_bus_message* reply, const std::string& value) {
    return sd_bus_message_append_basic(reply, SD_BUS_TYPE_STRING, validText(value).c_str());
}

int append(sd_bus_message* reply, std::uint64_t value) {
    return sd_bus_message_append_basic(reply, SD_BUS_TYPE_UINT64, &value);
}

int append(sd_bus_message* reply, std::int64_t value) {
    return sd_bus_message_append_basic(reply, SD_BUS_TYPE_INT64, &value);
}

int append(sd_bus_message* reply, const std::vector<std::string>& value) {
    if (const int result = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "s"); result < 0)
        return result;
    for (const std::string& text : value)
        if (const int result = append(reply, text); result < 0) return result;
    return sd_bus_message_close_container(reply);
}

int append(sd_bus_message* reply, const std::vector<engine::DeploymentView>& value) {
    if (const int result = sd_bus_message_open_container(reply, SD_BUS_TYPE_ARRAY, "a{sv}"); result < 0)
        return result;
    for (const engine::DeploymentView& deployment : value)
        if (const int result = appendDeployment(reply, deployment); result < 0) return result;
    return sd_bus_message_close_container(reply);
}

}  // namespace certmgr::bus
