/* rules.h — the application firewall's rules, compiled into gate/rules.waf before nginx reads its
 * configuration. Nothing is written where no place is judged. */
#ifndef RP_GATE_RULES_H
#define RP_GATE_RULES_H

#include "config/config.h"

#define GATE_RULES "gate/rules.waf"

/* NOT_FOUND (the rules are not installed), or what is wrong in them: diag says where, in words. */
rp_err gate_rules_write(const struct rp_config *config, struct rp_diag *diag);

#endif
