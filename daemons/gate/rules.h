/* rules.h — the application firewall's rules, compiled into gate/rules.waf (and gate/rules-N.waf
 * for an application with a paranoia level of its own) before nginx reads its configuration, and
 * the applications' models, read so that a mistake is told with its place. Nothing is written where
 * no place is judged. run/waf.json says to core which rules these are. */
#ifndef RP_GATE_RULES_H
#define RP_GATE_RULES_H

#include "config/config.h"

/* NOT_FOUND (the rules are not installed), or what is wrong in them: diag says where, in words. */
rp_err gate_rules_write(const struct rp_config *config, struct rp_diag *diag);
/* The same without writing anything, for `rempart check`. state: where relative names of models
 * begin. */
rp_err gate_rules_check(const struct rp_config *config, const char *state, struct rp_diag *diag);

#endif
