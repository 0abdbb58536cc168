// The OpenSSL provider "certmgr": keys whose private half stays with certmgr-keyd.
#include <openssl/core.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "hal/provider/dispatch.h"
#include "hal/provider/instance.h"

namespace hal::provider {
namespace {

const OSSL_PARAM* gettableParams(void*) noexcept {
    static const OSSL_PARAM table[] = {
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_NAME, OSSL_PARAM_UTF8_PTR, nullptr, 0),
        OSSL_PARAM_DEFN(OSSL_PROV_PARAM_STATUS, OSSL_PARAM_INTEGER, nullptr, 0), OSSL_PARAM_END};
    return table;
}

int getParams(void*, OSSL_PARAM* params) noexcept {
    OSSL_PARAM* name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
    OSSL_PARAM* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    return (!name || OSSL_PARAM_set_utf8_ptr(name, "certmgr: keys kept by certmgr-keyd")) &&
           (!status || OSSL_PARAM_set_int(status, 1));
}

const OSSL_ALGORITHM* query(void*, int operation, int* noCache) noexcept {
    *noCache = 0;
    switch (operation) {
        case OSSL_OP_KEYMGMT:
            return keyManagementAlgorithms();
        case OSSL_OP_SIGNATURE:
            return signatureAlgorithms();
        case OSSL_OP_DECODER:
            return decoderAlgorithms();
        case OSSL_OP_ENCODER:
            return encoderAlgorithms();
    }
    return nullptr;
}

const OSSL_DISPATCH* functions() noexcept {
    static const OSSL_DISPATCH table[] = {
        entry<OSSL_FUNC_provider_teardown_fn>(OSSL_FUNC_PROVIDER_TEARDOWN, takeBack<Instance>),
        entry<OSSL_FUNC_provider_gettable_params_fn>(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettableParams),
        entry<OSSL_FUNC_provider_get_params_fn>(OSSL_FUNC_PROVIDER_GET_PARAMS, getParams),
        entry<OSSL_FUNC_provider_query_operation_fn>(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
        endOfDispatch};
    return table;
}

}  // namespace
}  // namespace hal::provider

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                                         const OSSL_DISPATCH* in,
                                                                         const OSSL_DISPATCH** out,
                                                                         void** context) {
    using namespace hal::provider;
    return guarded(0, [&] {
        *context = handOver(std::make_unique<Instance>(core, in));
        *out = functions();
        return 1;
    });
}
