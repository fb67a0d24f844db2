/* outdated.c — who comes with software that gets no fixes any more is told so, where they sign in.
 */
#include "base/checked.h"
#include "web/handlers.h"
#include "wire/user_agent.h"

struct least {
    const char *name;
    unsigned version;
};

static const struct least browsers[RP_BROWSER_COUNT] = {
#define RP_LEAST_BROWSER(browser, name, version) [RP_BROWSER_##browser] = {name, version},
#define RP_LEAST_SYSTEM(os, name, version)
#define RP_STILL(browser, version)
#include "web/outdated.def"
#undef RP_LEAST_BROWSER
#undef RP_LEAST_SYSTEM
#undef RP_STILL
};

static const struct least systems[RP_SYSTEM_COUNT] = {
#define RP_LEAST_BROWSER(browser, name, version)
#define RP_LEAST_SYSTEM(os, name, version) [RP_SYSTEM_##os] = {name, version},
#define RP_STILL(browser, version)
#include "web/outdated.def"
#undef RP_LEAST_BROWSER
#undef RP_LEAST_SYSTEM
#undef RP_STILL
};

static bool is_kept_up(const struct rp_user_agent *agent) {
    static const struct {
        enum rp_browser browser;
        unsigned version;
    } still[] = {
#define RP_LEAST_BROWSER(browser, name, version)
#define RP_LEAST_SYSTEM(os, name, version)
#define RP_STILL(browser, version) {RP_BROWSER_##browser, version},
#include "web/outdated.def"
#undef RP_LEAST_BROWSER
#undef RP_LEAST_SYSTEM
#undef RP_STILL
    };
    for (size_t i = 0; i < RP_COUNT_OF(still); i++) {
        if (agent->browser == still[i].browser && agent->browser_version == still[i].version) {
            return true;
        }
    }
    return false;
}

/*= S172 */ /* the page where people sign in warns those whose software is no longer maintained */
rp_view rp_page_outdated(struct rp_request *request) {
    struct rp_user_agent agent = rp_user_agent_parse(rp_request_param(request, "HTTP_USER_AGENT"));
    const struct least *browser = &browsers[agent.browser], *os = &systems[agent.os];
    if (browser->name && agent.browser_version < browser->version && !is_kept_up(&agent)) {
        return rp_arena_printf(request->arena, "%s %u", browser->name, agent.browser_version);
    }
    if (os->name && agent.os_version < os->version) {
        return rp_arena_printf(request->arena, "%s %u", os->name, agent.os_version);
    }
    return (rp_view){NULL, 0};
}
