#include "certmgr/acme/chains.h"

#include "certmgr/acme/response.h"
#include "certmgr/crypto/x509.h"

namespace certmgr::acme {
namespace {

using net::HttpResponse;

// Public CAs have one or two.
constexpr std::size_t mostAlternates = 8;

class Chains {
  public:
    Chains(Session::Impl& ca, const ChainWish& wish, OrderJournal& journal, const std::stop_token& stop)
        : ca_(ca), wish_(wish), journal_(journal), stop_(stop) {}

    ChosenChain choose(const std::string& url) {
        const HttpResponse first = ask(url, "the certificate");
        try {
            add(first.body);
        } catch (const Error& unreadable) {
            return {first.body, ""};
        }
        if (!goodEnough(links_.front(), wish_)) {
            journal_.activity("asking the CA for its other chains");
            for (const std::string& alternate : linkTargets(first, "alternate", mostAlternates))
                tryToAdd(alternate);
        }
        const ChainChoice choice = chooseChain(links_, wish_);
        if (!choice.index) throw Error(ErrorKind::transient, "chain-expired", choice.reason + doubts_);
        return {pems_[*choice.index], choice.reason + doubts_};
    }

  private:
    HttpResponse ask(const std::string& url, const std::string& what) {
        HttpResponse response = ca_.post(url, "", what, stop_);
        requireType(response, "application/pem-certificate-chain", what);
        // JSON that was cut is none, but a chain that was cut may be one.
        if (!response.delimited)
            throw Error(
                ErrorKind::transient, "chain-perhaps-cut",
                what + ": whether all of it has come cannot be told: expected a Content-Length or chunks");
        return response;
    }

    void add(const std::string& pem) {
        ChainLinks links = crypto::chainLinks(pem);
        if (!links_.empty() && links.front().sha256 != links_.front().front().sha256)
            throw Error(ErrorKind::rejected, "chain-unrelated", "it is for another certificate");
        links_.push_back(std::move(links));
        pems_.push_back(pem);
    }

    void tryToAdd(const std::string& url) {
        try {
            const HttpResponse response = ask(url, "an alternate chain");
            crypto::parseChainPem(
                response.body);  // one with a key of an unknown kind would be chosen in vain
            add(response.body);
        } catch (const Error& error) {
            if (stop_.stop_requested()) throw;
            doubts_ += std::string("; another chain cannot be had: ") + error.what();
        }
    }

    Session::Impl& ca_;
    const ChainWish& wish_;
    OrderJournal& journal_;
    const std::stop_token& stop_;
    std::vector<std::string> pems_;
    std::vector<ChainLinks> links_;  // of the same index
    std::string doubts_;
};

}  // namespace

ChosenChain fetchChain(Session::Impl& ca, const std::string& url, const ChainWish& wish,
                       OrderJournal& journal, const std::stop_token& stop) {
    return Chains(ca, wish, journal, stop).choose(url);
}

}  // namespace certmgr::acme
