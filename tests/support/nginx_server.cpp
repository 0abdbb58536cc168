#include "tests/support/nginx_server.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

namespace testing_support {
namespace {

std::string replaceAll(std::string text, const std::string& from, const std::string& to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
    return text;
}

const std::string frame = R"(@outside@
daemon off;
user www-data;
worker_processes @workers@;
pid @folder@/nginx.pid;
error_log @folder@/error.log notice;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path @folder@/client_body;
    proxy_temp_path @folder@/proxy;
    fastcgi_temp_path @folder@/fastcgi;
    uwsgi_temp_path @folder@/uwsgi;
    scgi_temp_path @folder@/scgi;
@http@
}
)";

}  // namespace

NginxServer::NginxServer(Options options) : options_(std::move(options)) {}

std::uint16_t NginxServer::port(const std::string& name) {
    if (!ports_.contains(name)) ports_[name] = freePort();
    return ports_[name];
}

void NginxServer::configure(const std::string& http) {
    std::string text = replaceAll(replaceAll(frame, "@http@", http), "@outside@", options_.outside);
    text = replaceAll(text, "@folder@", folder().string());
    text = replaceAll(text, "@workers@", std::to_string(options_.workers));
    static const std::regex placeholder("@port:([^@]+)@");
    for (std::smatch match; std::regex_search(text, match, placeholder);)
        text = replaceAll(text, match.str(0), std::to_string(port(match.str(1))));
    writeFile(configuration(), text);
}

void NginxServer::start() {
    const std::string log = (folder_ / "error.log").string();
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{"nginx", "-p", folder().string(), "-c", configuration().string(), "-e", log},
        ChildProcess::Options{.environment = options_.environment, .output = folder_ / "output"});
    waitUntil("nginx has its workers and every port", [this] {
        return !process_->running() ||
               (workers().size() >= static_cast<std::size_t>(options_.workers) && listening());
    });
    if (!process_->running())
        throw std::runtime_error("nginx ended: " + errorLog() + readFile(folder_ / "output"));
}

bool NginxServer::listening() const {
    return std::all_of(ports_.begin(), ports_.end(),
                       [](const auto& named) { return portOpen(named.second); });
}

void NginxServer::reload() {
    const std::set<pid_t> before = workers();
    const std::size_t seen = errorLog().size();
    process_->signal(SIGHUP);
    const auto refused = [&] { return errorLog().find("[emerg]", seen) != std::string::npos; };
    waitUntil("nginx's old workers shut down", [&] {
        const std::string log = errorLog().substr(seen);
        const std::set<pid_t> alive = workers();
        const auto leaving = [&](pid_t worker) {
            const std::string id = std::to_string(worker);
            return !alive.contains(worker) ||
                   log.find(" " + id + "#" + id + ": gracefully shutting down") != std::string::npos;
        };
        return refused() || std::all_of(before.begin(), before.end(), leaving);
    });
    if (refused()) throw std::runtime_error("nginx refused the configuration: " + errorLog().substr(seen));
}

void NginxServer::stop() {
    process_.reset();
}

std::set<pid_t> NginxServer::workers() const {
    const std::string pid = std::to_string(process_->pid());
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    return {std::istream_iterator<pid_t>(children), std::istream_iterator<pid_t>()};
}

std::string NginxServer::errorLog() const {
    return readFile(folder_ / "error.log");
}

}  // namespace testing_support
