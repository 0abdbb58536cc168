// deploy_one ROOT FOLDER GENERATION: writes and activates the pair in FOLDER as a service's certificate, then
// prunes. A process of its own, so that the sweep can make its system calls fail and kill it at any of them.
#include <cstdio>
#include <string>

#include "certmgr/core/error.h"
#include "certmgr/deploy/generation_store.h"
#include "tests/support/child_process.h"

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    const std::filesystem::path folder = argv[2];
    certmgr::deploy::Item item;
    item.credential.certificate = "gw.example";
    item.credential.generation = std::stoll(argv[3]);
    item.credential.chainPem = testing_support::readFile(folder / "chain");
    item.keyReferencePem = testing_support::readFile(folder / "key");
    const std::string publicKey = testing_support::readFile(folder / "public");
    item.subjectPublicKeyInfo.assign(publicKey.begin(), publicKey.end());
    try {
        const certmgr::deploy::GenerationStore store(argv[1]);
        store.write("nginx", item);
        store.activate("nginx", "gw.example", item.credential.generation);
        store.prune("nginx", "gw.example", {});
        return 0;
    } catch (const certmgr::Error& error) {
        std::fprintf(stderr, "%s: %s\n", error.code().c_str(), error.what());
        return 1;
    }
}
