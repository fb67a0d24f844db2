/* ports.c — network.declared_ports: what is open to the outside besides the gate, whose it is, and
 * why. */
#include "base/assert.h"
#include "config/check.h"
#include "config/config.h"

bool rp_config_declared_port(rp_view text, struct rp_config_port *ret_port) {
    RP_ASSERT(ret_port != NULL);
    struct rp_config_port declared = {.udp = rp_view_starts(text, RP_VIEW("udp "))};
    uint64_t port = 0;
    rp_view rest = text;
    rp_view protocol = rp_view_cut(&rest, ' ');
    rp_view number = rp_view_cut(&rest, ' ');
    declared.who = rp_view_trim(rp_view_cut(&rest, ':'));
    declared.why = rp_view_trim(rest);
    bool known = declared.udp || rp_view_equal(protocol, RP_VIEW("tcp"));
    if (!known || !rp_view_to_u64(number, UINT16_MAX, &port) || port == 0 || declared.who.n == 0 ||
        declared.why.n == 0) {
        return false;
    }
    declared.port = (uint16_t)port;
    *ret_port = declared;
    return true;
}

const char *rp_config_check_declared_port(rp_view text) {
    struct rp_config_port port;
    const char *no_line = rp_config_check_line(text);
    return no_line                                ? no_line
           : rp_config_declared_port(text, &port) ? NULL
                                                  : "\"tcp 22 operations: remote administration\": "
                                                    "tcp or udp, a port, who answers for it, a "
                                                    "colon, why";
}
