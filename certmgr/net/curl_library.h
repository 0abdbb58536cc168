// libcurl, loaded when the first server is asked. Debian's build links Kerberos, LDAP, GnuTLS and more: 3.5
// MB of resident memory that a box without ACME need not spend.
#pragma once

#include <curl/curl.h>

#include "hal/handle.h"

namespace certmgr::net {

// The functions in use, under their names in libcurl without "curl_".
struct CurlLibrary {
    decltype(&::curl_global_init) globalInit;
    decltype(&::curl_free) free;
    decltype(&::curl_url) url;
    decltype(&::curl_url_set) urlSet;
    decltype(&::curl_url_get) urlGet;
    decltype(&::curl_url_cleanup) urlCleanup;
    decltype(&::curl_slist_append) slistAppend;
    decltype(&::curl_slist_free_all) slistFreeAll;
    decltype(&::curl_easy_init) easyInit;
    decltype(&::curl_easy_setopt) easySetopt;
    decltype(&::curl_easy_getinfo) easyGetinfo;
    decltype(&::curl_easy_strerror) easyStrerror;
    decltype(&::curl_easy_cleanup) easyCleanup;
    decltype(&::curl_multi_init) multiInit;
    decltype(&::curl_multi_add_handle) multiAddHandle;
    decltype(&::curl_multi_remove_handle) multiRemoveHandle;
    decltype(&::curl_multi_perform) multiPerform;
    decltype(&::curl_multi_poll) multiPoll;
    decltype(&::curl_multi_wakeup) multiWakeup;
    decltype(&::curl_multi_info_read) multiInfoRead;
    decltype(&::curl_multi_cleanup) multiCleanup;
};

// Loads and initialises it at the first call, and keeps it. Thread-safe. Throws Error(misconfigured) "curl"
// where it is not installed or too old.
const CurlLibrary& curl();

inline void cleanUpUrl(CURLU* url) {
    curl().urlCleanup(url);
}
inline void cleanUpEasy(CURL* easy) {
    curl().easyCleanup(easy);
}
inline void cleanUpMulti(CURLM* multi) {
    curl().multiCleanup(multi);
}
inline void freeList(curl_slist* list) {
    curl().slistFreeAll(list);
}
using CurlUrl = hal::Handle<CURLU, cleanUpUrl>;
using CurlEasy = hal::Handle<CURL, cleanUpEasy>;
using CurlMulti = hal::Handle<CURLM, cleanUpMulti>;
using CurlList = hal::Handle<curl_slist, freeList>;

}  // namespace certmgr::net
