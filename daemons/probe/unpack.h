/* unpack.h — an organisation's export read as it comes: unzipped, unpacked, held against its own
 * manifest.
 *
 * What an import reads with (spaces/archive_reader.h) reads it here; what lies in one folder is
 * kept for whoever compares. Memory: that folder, at most 2 MiB, and a line for each part.
 */
#ifndef RP_DAEMONS_PROBE_UNPACK_H
#define RP_DAEMONS_PROBE_UNPACK_H

#include "base/id.h"
#include "wire/json.h"

struct unpack;

/* folder: "APP/COLLECTION". NULL without memory; unpack_free. */
struct unpack *unpack_new(const char *folder);
void unpack_free(struct unpack *unpack); /* accepts NULL */

/* The next piece, as http_request's take. CORRUPT; TOO_LARGE for a folder that is. */
rp_err unpack_take(void *unpack, rp_view piece);
/* After the last one: CORRUPT when the end is missing, or a part is not as the manifest says. */
rp_err unpack_end(struct unpack *unpack);

uint64_t unpack_records(const struct unpack *unpack); /* as the manifest counts them */
/* What is said of this record or file of the folder (its JSON line), NULL when it is not there. */
const struct rp_json *unpack_line(struct unpack *unpack, rp_id id);
/* A file's bytes; p == NULL when they are not there. */
rp_view unpack_file(const struct unpack *unpack, rp_id id);

#endif
