#include "certmgr/engine/metrics.h"

#include "certmgr/core/alarm.h"
#include "certmgr/deploy/directory.h"
#include "certmgr/engine/file_modes.h"

namespace certmgr::engine {
namespace {

std::string quoted(const std::string& value) {
    std::string text = "\"";
    for (const char letter : value) {
        if (letter == '\\' || letter == '"') text += '\\';
        text += letter == '\n' ? ' ' : letter;
    }
    return text + "\"";
}

// "name=\"value\"" of each.
std::string labels(std::initializer_list<std::pair<const char*, std::string>> pairs) {
    std::string text;
    for (const auto& [name, value] : pairs)
        text += (text.empty() ? "" : ",") + (name + ("=" + quoted(value)));
    return text;
}

// One family: its HELP and TYPE lines, then its samples.
class Gauge {
  public:
    Gauge(std::string& text, const std::string& name, const std::string& help) : text_(text), name_(name) {
        text_ += "# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " gauge\n";
    }
    void add(const std::string& labelled, std::uint64_t value) {
        text_ += name_ + (labelled.empty() ? "" : "{" + labelled + "}") + " " + std::to_string(value) + "\n";
    }

  private:
    std::string& text_;
    const std::string name_;
};

// Those without a certificate have no line.
template <class Value>
void addCertificates(std::string& text, const Views& views, const std::string& name, const std::string& help,
                     Value value) {
    Gauge gauge(text, "certmgr_certificate_" + name, help);
    for (const auto& [id, view] : views.certificates())
        if (view.generation != 0) gauge.add(labels({{"certificate", id}}), value(view));
}

void addAlarms(std::string& text, const Views& views) {
    Gauge gauge(text, "certmgr_alarms", "Open alarms by kind and severity.");
    for (const AlarmKind kind : allAlarmKinds)
        for (const AlarmSeverity severity : {AlarmSeverity::warning, AlarmSeverity::critical}) {
            std::uint64_t count = 0;
            for (const auto& [id, view] : views.alarms())
                if (view.kind == toString(kind) && view.severity == toString(severity)) ++count;
            gauge.add(labels({{"kind", std::string(toString(kind))},
                              {"severity", std::string(toString(severity))}}),
                      count);
        }
}

void addAuthorities(std::string& text, const Views& views) {
    Gauge ends(text, "certmgr_authority_not_after_timestamp_seconds", "End of a CA of the box.");
    for (const auto& [id, view] : views.authorities())
        ends.add(labels({{"authority", id}, {"role", view.role}, {"state", view.state}}), view.notAfter);
    Gauge lists(text, "certmgr_crl_next_update_timestamp_seconds", "End of the revocation list of a CA.");
    for (const auto& [id, view] : views.authorities())
        if (view.crlNextUpdate != 0) lists.add(labels({{"authority", id}}), view.crlNextUpdate);
}

void addServices(std::string& text, const Views& views) {
    Gauge gauge(text, "certmgr_service_certificates",
                "Certificates of a service by the state of their proof.");
    for (const auto& [name, view] : views.services()) {
        std::map<std::string, std::uint64_t> counts;
        for (const DeploymentView& deployment : view.deployments) ++counts[deployment.state];
        for (const auto& [state, count] : counts)
            gauge.add(labels({{"service", name}, {"state", state}}), count);
    }
}

}  // namespace

std::string metricsText(const Views& views, bool clockTrusted) {
    std::string text;
    addAlarms(text, views);
    Gauge(text, "certmgr_clock_trusted", "Whether the time of the box is believed.")
        .add("", clockTrusted ? 1 : 0);
    addCertificates(text, views, "not_after_timestamp_seconds", "End of the certificate in force.",
                    [](const CertificateView& view) { return view.notAfter; });
    addCertificates(text, views, "renewal_timestamp_seconds", "When its renewal is due.",
                    [](const CertificateView& view) { return view.renewAt; });
    Gauge failures(text, "certmgr_certificate_failures", "Attempts at a certificate that failed in a row.");
    for (const auto& [id, view] : views.certificates())
        failures.add(labels({{"certificate", id}}), view.failures);
    Gauge info(text, "certmgr_certificate_info", "What is in force, and where its key is; always 1.");
    for (const auto& [id, view] : views.certificates())
        info.add(labels({{"certificate", id},
                         {"state", view.state},
                         {"key_backend", view.keyBackend},
                         {"proof", view.proof}}),
                 1);
    addAuthorities(text, views);
    addServices(text, views);
    return text;
}

void replaceMetricsFile(const std::filesystem::path& file, const std::string& text) {
    const auto directory = deploy::Directory::openOrMake(file.parent_path());
    const std::string name = file.filename();
    const std::string unfinished = name + ".new";
    directory.remove(unfinished);
    directory.write(unfinished, text, readableByAll);
    directory.rename(unfinished, name);
}

}  // namespace certmgr::engine
