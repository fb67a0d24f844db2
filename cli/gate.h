/* gate.h — what the parts of `rempart gate` share: who asks, how long it lasts, and core. */
#ifndef RP_CLI_GATE_H
#define RP_CLI_GATE_H

#include "cli.h"

/* Whoever became root by sudo is said by their own name. It is the owner of the machine who says
 * it, and core believes it as far as that goes. */
rp_view cli_gate_who(void);
/* --days or --minutes as a moment; 0 without. False: neither a number nor one of the two. */
bool cli_gate_end(const struct cli *cli, uint64_t *ret_until_ms);
#define CLI_GATE_END_USAGE(cli)                                                                    \
    cli_usage((cli), cli_say((cli), "--days N ou --minutes N, l’un des deux, 10 ans au plus",      \
                             "--days N or --minutes N, one of them, 10 years at most"))

enum rp_exit cli_gate_lists(struct cli *cli);
enum rp_exit cli_gate_certificates(struct cli *cli);
enum rp_exit cli_gate_attack(struct cli *cli);
enum rp_exit cli_gate_renew(struct cli *cli);

#endif
