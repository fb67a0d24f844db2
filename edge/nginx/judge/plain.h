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

/* Whether a Host header names the server that nginx chose (lower case, without port), and nothing
 * but a port with it. nginx takes a name out of the request line before that header, and overlooks
 * what stands where the port should; the application would make links of either. */
bool judge_host_is_plain(rp_view host, rp_view server);

#endif
