#include "certmgr/responder/challenge_server.h"

#include <string_view>

#include "hal/error.h"

namespace certmgr::responder {
namespace {

using Response = hal::Handle<MHD_Response, MHD_destroy_response>;

// One CA may validate a hundred orders at once, each from several threads. More than that wait in the
// backlog.
constexpr unsigned maxConnections = 512;
constexpr unsigned idleSeconds = 10;
constexpr std::size_t memoryOfConnection = 8192;

MHD_Result reply(MHD_Connection* connection, unsigned status, std::string_view body,
                 const char* contentType) {
    const Response response(
        MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_MUST_COPY));
    if (!response) return MHD_NO;
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, contentType);
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONNECTION, "close");
    return MHD_queue_response(connection, status, response.get());
}

MHD_Result answer(void* context, MHD_Connection* connection, const char* url, const char* method, const char*,
                  const char*, std::size_t*, void**) {
    const auto& challenges = *static_cast<const ChallengeDirectory*>(context);
    const std::string_view verb = method;
    const std::optional<std::string> found =
        verb == MHD_HTTP_METHOD_GET || verb == MHD_HTTP_METHOD_HEAD ? challenges.find(url) : std::nullopt;
    if (!found) return reply(connection, MHD_HTTP_NOT_FOUND, "not found\n", "text/plain");
    // RFC 8555 8.3 leaves the type open and recommends this one.
    return reply(connection, MHD_HTTP_OK, *found, "application/octet-stream");
}

}  // namespace

ChallengeServer::ChallengeServer(hal::UniqueFd listening, const ChallengeDirectory& challenges)
    : daemon_(MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr, &answer,
                               const_cast<ChallengeDirectory*>(&challenges), MHD_OPTION_LISTEN_SOCKET,
                               listening.get(), MHD_OPTION_CONNECTION_LIMIT, maxConnections,
                               MHD_OPTION_CONNECTION_TIMEOUT, idleSeconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                               memoryOfConnection, MHD_OPTION_END)) {
    if (!daemon_)
        throw hal::Error(hal::ErrorKind::internal, "http-server", "the HTTP server cannot be started");
    listening.release();  // now the daemon's, which closes it
}

}  // namespace certmgr::responder
