/* What a browser says of itself: versions within their bounds, and a version only where there is
 * something that has it. */
#include "fuzz.h"
#include "wire/user_agent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_user_agent agent = rp_user_agent_parse(rp_view_of(data, n));
    FUZZ_CHECK(agent.browser < RP_BROWSER_COUNT && agent.os < RP_SYSTEM_COUNT);
    FUZZ_CHECK(agent.browser_version <= 9999 && agent.os_version <= 9999);
    FUZZ_CHECK(agent.browser != RP_BROWSER_UNKNOWN || agent.browser_version == 0);
    FUZZ_CHECK(agent.os != RP_SYSTEM_UNKNOWN || agent.os_version == 0);
    return 0;
}
