/* vfs.h — SQLite's own file layer, but a name stays what it is.
 *
 * SQLite makes every name absolute by walking its folders from the root. A role's working
 * directory is the state folder, and it may have no right to walk there: a folder below /root, say.
 * Relative names need no such right, and no role changes its working directory.
 */
#ifndef RP_STORE_VFS_H
#define RP_STORE_VFS_H

#include "base/err.h"

/* The name to open databases with. NO_MEMORY, SYSTEM. */
rp_err rp_store_vfs(const char **ret_name);

#endif
