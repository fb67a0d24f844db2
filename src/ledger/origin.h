/* origin.h — a tree's two names: its folder, and its origin as checkpoints say it. */
#ifndef RP_LEDGER_ORIGIN_H
#define RP_LEDGER_ORIGIN_H

#include "ledger/client.h"

enum { RP_ORIGIN_MAX = 320 };

/* The folder of a tree below the ledger's: "public", "operator", or 32 digits. */
void rp_tree_folder(struct rp_tree tree, char out[static 40]);
bool rp_tree_of_folder(rp_view name, struct rp_tree *ret_tree);
/* "host/log/public", …; the host is at most 253 bytes long. */
void rp_tree_origin(const char *host, struct rp_tree tree, char out[static RP_ORIGIN_MAX]);

#endif
