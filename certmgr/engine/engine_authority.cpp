// The box's own CA: what the bus asks of it, and what follows for certificates and services.
#include <algorithm>

#include "certmgr/engine/engine.h"
#include "certmgr/engine/output_writer.h"
#include "certmgr/engine/upload_reader.h"
#include "certmgr/engine/view_builder.h"

namespace certmgr::engine {
namespace {

constexpr std::size_t largestInput = 256 * 1024;
constexpr int issuedAtOnce = 1000;
constexpr std::uint32_t mostDays = 36'500;
constexpr std::uint32_t usualDays = 365;
constexpr seconds reloadDelay{1};  // changes that come together are told together

void requireDays(std::uint32_t days) {
    if (days > mostDays)
        reject("bad-days", "found " + std::to_string(days) + " days, expected at most 36500");
}

authority::EndEntityRequest requestOf(const EndEntityCommand& command) {
    const std::optional<Purpose> purpose = purposeFrom(command.purpose);
    if (!purpose) reject("bad-purpose", "found \"" + command.purpose + "\", expected client or server");
    requireDays(command.days);
    const std::uint32_t days = command.days == 0 ? usualDays : command.days;
    return {command.commonName, parseAlternativeNames(command.names), *purpose,
            std::chrono::hours(24 * static_cast<std::int64_t>(days))};
}

std::shared_ptr<hal::UniqueFd> shared(hal::UniqueFd fd) {
    return std::make_shared<hal::UniqueFd>(std::move(fd));
}

}  // namespace

std::string Engine::authorityJob(const std::string& kind,
                                 std::function<std::string(const std::stop_token&)> work,
                                 std::function<void(const std::string&, const std::string&)> after) {
    auto result = std::make_shared<std::string>();
    const std::string job = jobs_.begin(kind, "");
    whenStarted([this, kind, job, result, work = std::move(work), after = std::move(after)] {
        lanes_.run(
            kind + ":" + job, uploadWorkers_,
            [work, result](const std::stop_token& stop) { *result = work(stop); },
            [this, job, result, after](const auto& failure) {
                if (!failure) return after(job, *result);
                // What is rejected changed nothing; anything else may have stopped half-way, and is made
                // whole.
                if (failure->kind() != ErrorKind::rejected) schedule_.set("authority", parts_.clock.now());
                jobs_.failed(job, *failure);
            });
    });
    return job;
}

std::string Engine::signRequest(const EndEntityCommand& holder, hal::UniqueFd request, hal::UniqueFd output) {
    const auto done = [this](const std::string& job, const std::string& serial) { jobs_.done(job, serial); };
    return authorityJob(
        "sign",
        [this, wanted = requestOf(holder), in = shared(std::move(request)),
         out = shared(std::move(output))](const std::stop_token& stop) {
            const crypto::SecretText csr = readSecret(*in, largestInput, "the certificate request", stop);
            const Registrar::Delivery delivery = registrar_.sign(csr.view(), wanted);
            writeOutput(*out, delivery.chainPem);
            return delivery.serial;
        },
        done);
}

std::string Engine::issueBundle(const BundleCommand& command, hal::UniqueFd passphrase,
                                hal::UniqueFd output) {
    if (command.format != "pkcs12" && command.format != "pem")
        reject("bad-format", "found \"" + command.format + "\", expected pkcs12 or pem");
    const auto format = command.format == "pem" ? Registrar::Format::pem : Registrar::Format::pkcs12;
    const auto algorithm = command.keyAlgorithm.empty() ? settings_.keyAlgorithm
                                                        : hal::makeableAlgorithmFrom(command.keyAlgorithm);
    if (!algorithm) reject("bad-algorithm", "unknown key algorithm \"" + command.keyAlgorithm + "\"");
    const auto done = [this](const std::string& job, const std::string& serial) { jobs_.done(job, serial); };
    return authorityJob(
        "issue",
        [this, wanted = requestOf(command.holder), format, algorithm = *algorithm,
         in = shared(std::move(passphrase)), out = shared(std::move(output))](const std::stop_token& stop) {
            const crypto::SecretText secret = readPassphrase(*in, stop);
            const Registrar::Bundle bundle = registrar_.issue(wanted, algorithm, format, secret.view());
            writeOutput(*out, bundle.content.view());
            return bundle.serial;
        },
        done);
}

std::string Engine::revoke(const std::string& serial, const std::string& reason) {
    const std::optional<RevocationReason> why = revocationReasonFrom(reason);
    if (!why)
        reject("bad-reason", "found \"" + reason +
                                 "\", expected unspecified, key-compromise, affiliation-changed, superseded, "
                                 "cessation-of-operation or privilege-withdrawn");
    return authorityJob(
        "revoke",
        [this, serial, why = *why](const std::stop_token&) {
            registrar_.revoke(serial, why);
            trustFiles_.publish();
            return serial + " is revoked, and the revocation list says so";
        },
        [this](const std::string& job, const std::string& sentence) {
            jobs_.done(job, sentence);
            runTrust();
        });
}

std::vector<IssuedCertificate> Engine::issued(std::int64_t after) {
    return records_.issued.list(after, issuedAtOnce);
}

std::string Engine::generateAuthority(const std::string& subject, std::uint32_t days) {
    requireDays(days);
    const crypto::DistinguishedName name = crypto::parseDistinguishedName(subject);
    const seconds lifetime = days == 0 ? settings_.authority.rootLifetime
                                       : std::chrono::hours(24 * static_cast<std::int64_t>(days));
    return changeAuthority("generate", [this, name, lifetime](const std::stop_token&) {
        localCa_.generate(name, lifetime, parts_.clock.now(), parts_.clock.trust().trusted);
    });
}

std::string Engine::importAuthority(hal::UniqueFd content) {
    return changeAuthority("import", [this, in = shared(std::move(content))](const std::stop_token& stop) {
        localCa_.import(readSecret(*in, largestInput, "the CA", stop).view(), parts_.clock.now(),
                        parts_.clock.trust().trusted);
    });
}

std::string Engine::requestAuthority(hal::UniqueFd output) {
    return authorityJob(
        "csr",
        [this, out = shared(std::move(output))](const std::stop_token&) {
            writeOutput(*out, localCa_.request());
            return std::string("the request waits for its certificate");
        },
        [this](const std::string& job, const std::string& sentence) { jobs_.done(job, sentence); });
}

std::string Engine::installAuthority(hal::UniqueFd chain) {
    return changeAuthority("install", [this, in = shared(std::move(chain))](const std::stop_token& stop) {
        localCa_.install(readSecret(*in, largestInput, "the chain", stop).view(), parts_.clock.now(),
                         parts_.clock.trust().trusted);
    });
}

std::string Engine::reissueAuthority() {
    return changeAuthority("reissue-authority", [this](const std::stop_token&) {
        localCa_.generate({}, settings_.authority.rootLifetime, parts_.clock.now(),
                          parts_.clock.trust().trusted);
    });
}

std::string Engine::changeAuthority(const std::string& kind,
                                    std::function<void(const std::stop_token&)> change) {
    auto state = std::make_shared<AuthorityState>();
    return authorityJob(
        kind,
        [this, state, change = std::move(change)](const std::stop_token& stop) {
            change(stop);
            *state = authorityState();
            return state->issuing;
        },
        [this, state](const std::string& job, const std::string& issuing) {
            Followed followed{.kind = kindOfAuthorityChange, .certificates = {}, .issuingAuthority = issuing};
            for (const auto& [id, view] : parts_.views.certificates())
                if (view.state == toString(Source::local)) followed.certificates.insert(id);
            followed_[job] = std::move(followed);
            concludeAuthority(*state);
            settleJobs();
        });
}

Engine::AuthorityState Engine::authorityState() {
    // On a clock that is not trusted a date that has passed changes nothing: it must not be due at once
    // again.
    const TimePoint now = parts_.clock.now();
    return {localCa_.issuingId(), std::max(localCa_.dueAt(), now + retryDelay),
            authorityViews(records_, now)};
}

std::string Engine::trustPem() {
    return trustFiles_.trustPem();
}

std::string Engine::crlPem() {
    return trustFiles_.crlPem();
}

void Engine::systemTrust(SystemTrustReply reply) {
    systemTrustReading_.ask(lanes_, issueWorkers_, std::move(reply), [this](SystemTrust& found) {
        const std::optional<TimePoint> now = trustedTime(parts_.clock);
        found.anchors = readSystemTrust(settings_.systemTrustFile, trustFiles_.trustPem(), now);
    });
}

std::string Engine::trustOwnRoots(bool trusted) {
    return authorityJob(
        trusted ? "trust" : "distrust",
        [this, trusted](const std::stop_token&) {
            ownTrust_.want(trusted);
            ownTrust_.bring(trustFiles_.trustPem());
            return std::string(trusted ? "this box trusts its own CA" : "this box does not trust its own CA");
        },
        [this](const std::string& job, const std::string& sentence) { jobs_.done(job, sentence); });
}

void Engine::runOwnTrust() {
    if (stopping_) return;
    lanes_.run(
        "own-trust", deployWorkers_, [this](std::stop_token) { ownTrust_.bring(trustFiles_.trustPem()); },
        [this](const auto& failure) {
            if (!failure) return;
            report(event_id::trustFailed, "the box's own roots in its trust store", *failure);
            schedule_.set("own-trust", parts_.clock.now() + retryDelay);
        });
}

void Engine::runAuthority() {
    if (stopping_) return;
    auto state = std::make_shared<AuthorityState>();
    state->due = parts_.clock.now() + retryDelay;
    lanes_.run(
        "authority", issueWorkers_,
        [this, state](std::stop_token) {
            localCa_.ensure(parts_.clock.now(), parts_.clock.trust().trusted);
            *state = authorityState();
        },
        [this, state](const auto& failure) {
            if (failure) report(event_id::issueFailed, "the box's own CA", *failure);
            concludeAuthority(*state);
        });
}

void Engine::concludeAuthority(const AuthorityState& state) {
    schedule_.set("authority", state.due);
    for (const AuthorityView& view : state.views) parts_.views.put(view);
    lookAtAlarmsSoon();
    runTrust();
    // Leaves of an issuing CA that was replaced are signed anew; for all others the decision is "none".
    for (const auto& [id, view] : parts_.views.certificates())
        if (view.state == toString(Source::local)) runIssue(id);
}

void Engine::runTrust() {
    if (stopping_) return;
    auto published = std::make_shared<TrustFiles::Published>();
    auto views = std::make_shared<std::vector<AuthorityView>>();
    lanes_.run(
        "trust", issueWorkers_,
        [this, published, views](std::stop_token) {
            *published = trustFiles_.publish();
            *views = authorityViews(records_, parts_.clock.now());
        },
        [this, published, views](const auto& failure) {
            if (failure) {
                report(event_id::trustFailed, "the revocation lists", *failure);
                schedule_.set("trust", parts_.clock.now() + retryDelay);
                return;
            }
            schedule_.set("trust", published->due);
            trustSha256_ = published->sha256;
            for (const AuthorityView& view : *views) parts_.views.put(view);
            lookAtAlarmsSoon();
            runOwnTrust();
            for (const ServiceProfile& service : profiles_)
                if (service.clientCrl)
                    schedule_.set("reload:" + service.name, parts_.clock.now() + reloadDelay);
        });
}

// Not from a lane of the start: a service that waits for this daemon cannot be reloaded by it.
void Engine::runReload(const std::string& service) {
    if (stopping_) return;
    const auto profile = std::ranges::find(profiles_, service, &ServiceProfile::name);
    lanes_.run(
        "reload:" + service, deployWorkers_,
        [this, profile, sha256 = trustSha256_](std::stop_token) { tellOfTrust(*profile, sha256); },
        [this, service](const auto& failure) {
            if (!failure) return;
            report(event_id::trustFailed, service + " was not told of the revocation list", *failure);
            schedule_.set("reload:" + service, parts_.clock.now() + retryDelay);
        });
}

// What it was told last is on record, so that a restart tells nobody what they know. A service that does not
// run reads the files at its start.
void Engine::tellOfTrust(const ServiceProfile& service, const std::string& sha256) {
    const std::string fact = "trust-told:" + service.name;
    if (records_.meta.get(fact) == sha256) return;
    try {
        const std::lock_guard lock(reloadOf(service));
        parts_.deployer.reload(service);
    } catch (const Error& error) {
        if (error.code() != "service-inactive") throw;
    }
    records_.meta.set(fact, sha256);
}

}  // namespace certmgr::engine
