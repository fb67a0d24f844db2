/* import.h — an export brought into a tenant, of this installation or another, as it comes in.
 *
 * A record comes as it was: id, version, time, label, trash. What is there already, under the same
 * id, stays as it is, so an import that broke off goes on when it is done again. Each record and
 * each file is in whole or not at all, with its event; what is refused is told, with its line.
 * Earlier versions, links, grants and declared search are not in an export, and so do not come.
 *
 * A tenant's limits hold. Memory: a page of the archive (2 MiB) and what its reader needs. It holds
 * no key: each call brings the handle that is good now.
 *
 * Fails: CORRUPT (no export, or a damaged one), UNSUPPORTED (another format); NO_SPACE, OVERLOAD,
 * RATE and the keys' errors end it between two records.
 */
#ifndef RP_SPACES_IMPORT_H
#define RP_SPACES_IMPORT_H

#include "spaces/manifest.h"
#include "spaces/spaces.h"
#include "wire/tar.h"

enum { RP_IMPORT_TOLD = 100 };

enum rp_space_import_fault {
    RP_IMPORT_GOOD,
#define RP_FAULT(name, fr, en) RP_IMPORT_##name,
#include "spaces/import_faults.def"
#undef RP_FAULT
    RP_IMPORT_FAULT_COUNT
};
const char *rp_space_import_fault_text(enum rp_space_import_fault fault, enum rp_lang lang);

struct rp_space_import_refusal {
    char part[RP_TAR_NAME_MAX + 1];
    uint64_t line; /* 0: all of the part */
    enum rp_space_import_fault fault;
};

struct rp_space_import_report {
    uint64_t brought; /* or would be */
    uint64_t there;   /* the same version stands here already */
    uint64_t other;   /* another version stands here, and stays */
    uint64_t refused;
    uint64_t files, bytes; /* of what is brought: how many are files, and their bytes */
    const struct rp_space_import_refusal *told; /* the first ones; the import owns them */
    size_t told_count;
};

struct rp_space_import_rules {
    bool dry_run; /* nothing is changed, all else is the same */
    /* Whether data of this application may come. */
    enum rp_space_import_fault (*app)(void *ctx, rp_view app);
    void *ctx;
};

struct rp_space_import;
rp_err rp_space_import_new(const struct rp_space_import_rules *rules,
                           struct rp_space_import **ret_import);
void rp_space_import_free(struct rp_space_import *import); /* accepts NULL */

/* One piece of work, of 64 KiB or 64 records at most. Cuts what it used off *rest; *ret_more false
 * when it wants bytes. space needs no application. */
rp_err rp_space_import_step(struct rp_space_import *import, struct rp_space *space, rp_view *rest,
                            bool *ret_more, struct rp_diag *diag);
/* After the last byte: CORRUPT when the end is missing. */
rp_err rp_space_import_end(struct rp_space_import *import, struct rp_diag *diag);
/* It ends here, however far it came: takes back the file that is half there. */
void rp_space_import_leave(struct rp_space_import *import, struct rp_space *space);

const struct rp_space_import_report *rp_space_import_report(const struct rp_space_import *import);
/* NULL before the end. */
const struct rp_manifest *rp_space_import_manifest(const struct rp_space_import *import);

#endif
