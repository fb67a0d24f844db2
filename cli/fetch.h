/* fetch.h — a public log copied over HTTPS into a folder, to be verified there like any other. */
#ifndef RP_CLI_FETCH_H
#define RP_CLI_FETCH_H

#include "cli.h"

/* url is the tree's address ("https://host/.rempart/log/public"). Fetches vkey, witnessed,
 * checkpoint, and every tile that the checkpoint's size calls for. At most 1 GiB. */
rp_err cli_fetch_log(struct cli *cli, const char *url, const char *folder, struct rp_diag *diag);

/* Removes the folder and what was fetched into it. */
void cli_fetch_clean(const char *folder);

#endif
