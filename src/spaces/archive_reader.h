/* archive_reader.h — an export read as it comes in: unzipped, unpacked, held against its manifest.
 *
 * Push bytes; each step takes some of them and says what they were, as rp_untar_step does. The
 * manifest comes last and is checked by the reader itself, so RP_UNTAR_END means: whole, and each
 * part as the manifest says. A part may be looked at before that is known; who must know first
 * reads the archive twice.
 *
 * Memory: 64 KiB, and a line for each part. Pure.
 */
#ifndef RP_SPACES_ARCHIVE_READER_H
#define RP_SPACES_ARCHIVE_READER_H

#include "spaces/manifest.h"
#include "wire/untar.h"

struct rp_archive_reader;

rp_err rp_archive_reader_new(struct rp_archive_reader **ret_reader);
void rp_archive_reader_free(struct rp_archive_reader *reader); /* accepts NULL */

/* Cuts what it used off *rest; what ret_step shows is good until the next step. At most 64 KiB of
 * unzipped bytes a step, however well they were zipped. CORRUPT, UNSUPPORTED. */
rp_err rp_archive_reader_step(struct rp_archive_reader *reader, rp_view *rest,
                              struct rp_untar_step *ret_step, struct rp_diag *diag);
/* NULL until the end was reached. */
const struct rp_manifest *rp_archive_reader_manifest(const struct rp_archive_reader *reader);

#endif
