#include "ledger/verify_io.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

enum { ANCHORS_BYTES = 256 << 20, SEGMENTS_BYTES = 512 << 20 };

/* False when something was found before: the first is what is told. */
static bool name_place(struct rp_verify *v, const struct rp_verify_tree *tree, const char *file,
                       uint64_t offset) {
    struct rp_verify_report *report = &v->report;
    if (report->bad_file[0]) {
        return false;
    }
    bool below = tree && tree->name[0];
    int n = snprintf(report->bad_file, sizeof report->bad_file, "%s%s%.400s",
                     below ? tree->name : "", below ? "/" : "", file);
    RP_ASSERT(n > 0);
    report->bad_offset = offset;
    return true;
}

rp_err rp_verify_bad(struct rp_verify *v, const struct rp_verify_tree *tree, const char *file,
                     uint64_t offset, const char *format, ...) {
    struct rp_verify_report *report = &v->report;
    if (name_place(v, tree, file, offset)) {
        va_list args, again;
        va_start(args, format);
        va_copy(again, args);
        (void)vsnprintf(report->problem, sizeof report->problem, format, args);
        (void)vsnprintf(report->problem_fr, sizeof report->problem_fr, rp_french(format), again);
        va_end(again);
        va_end(args);
    }
    return RP_ERR(CORRUPT);
}

rp_err rp_verify_bad_as(struct rp_verify *v, const struct rp_verify_tree *tree, const char *file,
                        const char *english, const char *french) {
    if (name_place(v, tree, file, 0)) {
        (void)snprintf(v->report.problem, sizeof v->report.problem, "%s", english);
        (void)snprintf(v->report.problem_fr, sizeof v->report.problem_fr, "%s", french);
    }
    return RP_ERR(CORRUPT);
}

void rp_verify_path(const char *folder, const char *name, char out[static RP_VERIFY_PATH_MAX]) {
    size_t n = strlen(folder), m = strlen(name);
    RP_ASSERT(n + 1 + m < RP_VERIFY_PATH_MAX);
    memcpy(out, folder, n);
    out[n] = '/';
    memcpy(out + n + 1, name, m + 1);
}

void rp_verify_count(struct rp_verify *v, uint64_t bytes) {
    v->report.files++;
    v->report.bytes += bytes;
}

void rp_verify_wait(void) {
    static const struct timespec pause = {0, 100000000};
    nanosleep(&pause, NULL);
}

/* Trees other than public and operator, whose turn has come before; and nothing unknown. */
static rp_err see_top(void *ctx, const char *name, bool is_folder) {
    struct rp_verify *v = ctx;
    struct rp_tree tree;
    bool ours = is_folder ? strcmp(name, "journal") == 0 || strcmp(name, "access") == 0
                          : strcmp(name, "key") == 0 || strcmp(name, "refused") == 0;
    if (ours) {
        return RP_OK;
    }
    if (!is_folder || !rp_tree_of_folder(rp_view_from_cstr(name), &tree)) {
        return rp_verify_bad(v, NULL, name, 0, "a file that nobody knows");
    }
    return tree.kind == RP_TREE_TENANT ? rp_verify_tree(v, name) : RP_OK;
}

static rp_err verify_ledger(struct rp_verify *v) {
    RP_TRY(rp_verify_tree(v, "public"));
    RP_TRY(rp_verify_tree(v, "operator"));
    RP_TRY(rp_folder_each(v->folder, see_top, v));
    RP_TRY(rp_verify_anchor_counts(v));
    return rp_verify_access(v);
}

/* One tree's folder has a checkpoint or a key of its own. */
static bool is_one_tree(const char *folder) {
    static const char *const marks[] = {"checkpoint", "vkey", "tile"};
    for (size_t i = 0; i < RP_COUNT_OF(marks); i++) {
        char path[RP_VERIFY_PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s", folder, marks[i]);
        if (n > 0 && (size_t)n < sizeof path && rp_file_exists(path)) {
            return true;
        }
    }
    return false;
}

rp_err rp_verify_folder(const char *folder, void (*progress)(void *ctx, uint64_t entries),
                        void *ctx, struct rp_verify_report *ret_report) {
    if (strlen(folder) > RP_VERIFY_PATH_MAX / 2 - 64) {
        return RP_ERR(INVALID);
    }
    if (!rp_file_exists(folder)) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_verify v = {.folder = folder, .progress = progress, .ctx = ctx};
    v.anchors = rp_buf_new(ANCHORS_BYTES);
    v.segments = rp_buf_new(SEGMENTS_BYTES);
    v.whole = !is_one_tree(folder);
    rp_err err = v.whole ? verify_ledger(&v) : rp_verify_tree(&v, "");
    rp_buf_done(&v.anchors);
    rp_buf_done(&v.segments);
    *ret_report = v.report;
    return err;
}
