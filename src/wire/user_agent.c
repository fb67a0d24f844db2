#include "wire/user_agent.h"

#include "base/checked.h"

enum { READ_MAX = 512, VERSION_MAX = 9999 };

/* "Firefox/102.0": the number behind a word that stands at a beginning. False without either. */
static bool version_behind(rp_view text, rp_view word, unsigned *ret_version) {
    for (rp_view rest = text; rest.n > 0;) {
        size_t at = rp_view_find(rest, word);
        if (at == rest.n) {
            return false;
        }
        bool begins = at == 0 ? rest.p == text.p : strchr(" (;", rest.p[at - 1]) != NULL;
        rest = rp_view_from(rest, at + word.n);
        size_t digits = 0;
        while (digits < rest.n && rest.p[digits] >= '0' && rest.p[digits] <= '9') {
            digits++;
        }
        uint64_t version = 0;
        if (begins && rp_view_to_u64(rp_view_sub(rest, 0, digits), VERSION_MAX, &version)) {
            *ret_version = (unsigned)version;
            return true;
        }
    }
    return false;
}

static bool has(rp_view text, const char *word) {
    return rp_view_find(text, rp_view_from_cstr(word)) < text.n;
}

static enum rp_system system_of(rp_view text, unsigned *ret_version) {
    static const struct {
        rp_view word;
        enum rp_system os;
    } systems[] = {{RP_VIEW_INIT("Windows NT "), RP_SYSTEM_WINDOWS},
                   {RP_VIEW_INIT("Android "), RP_SYSTEM_ANDROID},
                   {RP_VIEW_INIT("CPU iPhone OS "), RP_SYSTEM_IOS},
                   {RP_VIEW_INIT("CPU OS "), RP_SYSTEM_IOS}};
    for (size_t i = 0; i < RP_COUNT_OF(systems); i++) {
        if (version_behind(text, systems[i].word, ret_version)) {
            return systems[i].os;
        }
    }
    return RP_SYSTEM_UNKNOWN;
}

/* Those that number themselves otherwise than the engine whose word they carry. */
static bool counts_for_itself(rp_view text) {
    return has(text, "SamsungBrowser/") || has(text, "OculusBrowser/") || has(text, "Seamonkey/") ||
           has(text, "CriOS/") || has(text, "FxiOS/") || has(text, "EdgiOS/");
}

static enum rp_browser browser_of(rp_view text, unsigned *ret_version) {
    if (version_behind(text, RP_VIEW("MSIE "), ret_version) ||
        version_behind(text, RP_VIEW("Trident/"), ret_version)) {
        return RP_BROWSER_EXPLORER;
    }
    if (version_behind(text, RP_VIEW("Edge/"), ret_version)) {
        return RP_BROWSER_EDGE_LEGACY;
    }
    if (counts_for_itself(text)) {
        return RP_BROWSER_UNKNOWN;
    }
    if (version_behind(text, RP_VIEW("Firefox/"), ret_version)) {
        return RP_BROWSER_FIREFOX;
    }
    if (version_behind(text, RP_VIEW("Chrome/"), ret_version)) {
        return RP_BROWSER_CHROME;
    }
    bool safari = has(text, " Safari/") && version_behind(text, RP_VIEW("Version/"), ret_version);
    return safari ? RP_BROWSER_SAFARI : RP_BROWSER_UNKNOWN;
}

struct rp_user_agent rp_user_agent_parse(rp_view text) {
    struct rp_user_agent agent = {.browser = RP_BROWSER_UNKNOWN};
    text = rp_view_sub(text, 0, READ_MAX);
    agent.browser = browser_of(text, &agent.browser_version);
    agent.os = system_of(text, &agent.os_version);
    return agent;
}
