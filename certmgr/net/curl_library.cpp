#include "certmgr/net/curl_library.h"

#include <dlfcn.h>

#include "certmgr/core/error.h"

namespace certmgr::net {
namespace {

constexpr const char* libraryName = "libcurl.so.4";

[[noreturn]] void fail(const std::string& what) {
    throw Error(ErrorKind::misconfigured, "curl", what + ": install libcurl4, ACME needs it");
}

template <class Function>
void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (!function) fail(std::string(libraryName) + " has no " + name + ", it is too old");
}

CurlLibrary load() {
    void* const library = ::dlopen(libraryName, RTLD_NOW | RTLD_LOCAL);
    if (!library) fail("libcurl cannot be loaded (" + std::string(::dlerror()) + ")");
    CurlLibrary curl{};
    find(library, "curl_global_init", curl.globalInit);
    find(library, "curl_free", curl.free);
    find(library, "curl_url", curl.url);
    find(library, "curl_url_set", curl.urlSet);
    find(library, "curl_url_get", curl.urlGet);
    find(library, "curl_url_cleanup", curl.urlCleanup);
    find(library, "curl_slist_append", curl.slistAppend);
    find(library, "curl_slist_free_all", curl.slistFreeAll);
    find(library, "curl_easy_init", curl.easyInit);
    find(library, "curl_easy_setopt", curl.easySetopt);
    find(library, "curl_easy_getinfo", curl.easyGetinfo);
    find(library, "curl_easy_strerror", curl.easyStrerror);
    find(library, "curl_easy_cleanup", curl.easyCleanup);
    find(library, "curl_multi_init", curl.multiInit);
    find(library, "curl_multi_add_handle", curl.multiAddHandle);
    find(library, "curl_multi_remove_handle", curl.multiRemoveHandle);
    find(library, "curl_multi_perform", curl.multiPerform);
    find(library, "curl_multi_poll", curl.multiPoll);
    find(library, "curl_multi_wakeup", curl.multiWakeup);
    find(library, "curl_multi_info_read", curl.multiInfoRead);
    find(library, "curl_multi_cleanup", curl.multiCleanup);
    if (curl.globalInit(CURL_GLOBAL_DEFAULT) != CURLE_OK) fail("libcurl cannot be initialised");
    return curl;
}

}  // namespace

const CurlLibrary& curl() {
    static const CurlLibrary library = load();
    return library;
}

}  // namespace certmgr::net
