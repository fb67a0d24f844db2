/* user_agent.h — what a browser says it is, as far as its age can be told from that.
 *
 * Anybody may write anything there: it serves to warn people of their own software, and decides
 * nothing. What is not understood is unknown, and unknown is never old. Pure.
 */
#ifndef RP_WIRE_USER_AGENT_H
#define RP_WIRE_USER_AGENT_H

#include "base/view.h"

enum rp_browser {
    RP_BROWSER_UNKNOWN,
    RP_BROWSER_CHROME, /* and what is built on the same engine and says its version: Edge, Opera */
    RP_BROWSER_FIREFOX,
    RP_BROWSER_SAFARI,
    RP_BROWSER_EDGE_LEGACY,
    RP_BROWSER_EXPLORER,
    RP_BROWSER_COUNT
};
enum rp_system {
    RP_SYSTEM_UNKNOWN,
    RP_SYSTEM_WINDOWS, /* the version of NT */
    RP_SYSTEM_ANDROID,
    RP_SYSTEM_IOS,
    RP_SYSTEM_COUNT
};

struct rp_user_agent {
    enum rp_browser browser;
    unsigned browser_version; /* major */
    enum rp_system os;
    unsigned os_version; /* major */
};

/* Reads the first 512 bytes. */
struct rp_user_agent rp_user_agent_parse(rp_view text);

#endif
