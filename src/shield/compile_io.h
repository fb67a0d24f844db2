/* compile_io.h — rule files from a disk: the loader that rp_seclang_read is given.
 *
 * A relative path is looked up beside the file that names it; the paths of the command line as
 * they stand. A pattern gives files in byte order of their names, as Apache and ModSecurity have
 * it. A file over 8 MiB is refused. Fails: NOT_FOUND, DENIED, TOO_LARGE.
 */
#ifndef RP_SHIELD_COMPILE_IO_H
#define RP_SHIELD_COMPILE_IO_H

#include "shield/seclang.h"

enum { RP_WAF_FILE_MAX = 8 << 20 };

struct rp_waf_loader rp_waf_disk_loader(void);

#endif
