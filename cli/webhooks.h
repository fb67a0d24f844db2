/* webhooks.h — the part of `rempart notify` about the operator's own programs. */
#ifndef RP_CLI_WEBHOOKS_H
#define RP_CLI_WEBHOOKS_H

#include "cli.h"

enum rp_exit cli_webhooks_list(struct cli *cli);
enum rp_exit cli_webhooks_test(struct cli *cli, const char *name);
enum rp_exit cli_webhooks_resume(struct cli *cli, const char *name);

#endif
