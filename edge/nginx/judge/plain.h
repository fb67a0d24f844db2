/* plain.h — an address that nginx and the application read alike.
 *
 * Where rules differ by path, nginx judges the decoded, resolved path while the application gets
 * the one that was sent. "/admin/%2e%2e/public/" is below /public/ for the one and below /admin/
 * for the other. A browser never sends such an address; it is refused rather than guessed. Pure.
 */
#ifndef RP_EDGE_PLAIN_H
#define RP_EDGE_PLAIN_H

#include "base/view.h"

/* False for "." and ".." segments in any spelling (also before ";"), an encoded "/", "\\" or NUL,
 * and "\\" itself. The query does not count. */
bool judge_path_is_plain(rp_view uri);

#endif
