/* seclang.c — rule files in, one flat rule set out: the walk over files and includes. */
#include <stdarg.h>
#include <stdio.h>

#include "shield/seclang.h"

#include "base/assert.h"
#include "shield/seclang_internal.h"

void seclang_locate(struct seclang *in, rp_view at) {
    const struct seclang_line *line = &in->line;
    if (in->place) {
        in->place->file = line->file;
    }
    in->at_line = line->step_count > 0 ? line->steps[0].line : 0;
    in->at_column = line->step_count > 0 ? line->steps[0].column : 0;
    bool within = at.p != NULL && line->text.p != NULL && at.p >= line->text.p &&
                  at.p <= line->text.p + line->text.n;
    if (!within) {
        return;
    }
    size_t offset = (size_t)(at.p - line->text.p);
    for (size_t i = 0; i < line->step_count && line->steps[i].offset <= offset; i++) {
        in->at_line = line->steps[i].line;
        in->at_column = line->steps[i].column + (unsigned)(offset - line->steps[i].offset);
    }
}

void *seclang_add(struct seclang *in, struct seclang_list *list, size_t size) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 2 : list->capacity * 2;
        void *items = rp_arena_array(in->arena, capacity, size);
        if (!items) {
            return NULL;
        }
        if (list->count > 0) {
            memcpy(items, list->items, list->count * size);
        }
        list->items = items;
        list->capacity = capacity;
    }
    return (uint8_t *)list->items + list->count++ * size;
}

rp_err seclang_note(struct seclang *in, const char *format, ...) {
    enum { NOTE_MAX = 480 };
    char said[NOTE_MAX];
    rp_view text;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(said, sizeof said, rp_diag_say(in->diag, format), args);
    va_end(args);
    RP_TRY(rp_arena_copy(in->arena, rp_view_from_cstr(said), &text));
    const struct rp_waf_note *notes = in->notes.items;
    for (size_t i = 0; i < in->notes.count; i++) {
        if (rp_view_equal(notes[i].text, text)) {
            return RP_OK;
        }
    }
    struct rp_waf_note *note = seclang_add(in, &in->notes, sizeof *note);
    if (!note) {
        return RP_ERR(TOO_LARGE);
    }
    note->file = in->line.file;
    note->line = in->line.step_count > 0 ? in->line.steps[0].line : 0;
    note->text = text;
    return RP_OK;
}

/* A name that ends a directive: letters, digits and underscores. */
static rp_view cut_name(rp_view *rest) {
    size_t n = 0;
    while (n < rest->n && !seclang_is_space(rest->p[n])) {
        n++;
    }
    rp_view name = rp_view_sub(*rest, 0, n);
    *rest = seclang_skip_spaces(rp_view_from(*rest, n));
    return name;
}

static rp_err read_lines(struct seclang *in, struct seclang_file *file) {
    for (;;) {
        bool found = false;
        in->file = file;
        RP_TRY(seclang_next_line(in, file, &found));
        if (!found) {
            break;
        }
        rp_view rest = seclang_skip_spaces(in->line.text);
        rp_view name = cut_name(&rest);
        RP_TRY(seclang_directive(in, name, rest));
    }
    if (in->chain_open) {
        const struct seclang_draft *drafts = in->drafts.items;
        in->line = drafts[in->drafts.count - 1].line;
        return seclang_fail(in, in->line.text, RP_ERR(SYNTAX),
                            "the chain of rule %llu is not finished where its file ends; expected "
                            "one more SecRule",
                            (unsigned long long)drafts[drafts[in->drafts.count - 1].head].rule.id);
    }
    return RP_OK;
}

/* What some editors put before UTF-8. */
static rp_view without_mark(rp_view text) {
    rp_view mark = RP_VIEW("\xef\xbb\xbf");
    return rp_view_starts(text, mark) ? rp_view_from(text, mark.n) : text;
}

rp_err seclang_read_file(struct seclang *in, rp_view from, rp_view path, unsigned depth) {
    if (depth > SECLANG_DEPTH_MAX) {
        return seclang_fail(in, path, RP_ERR(TOO_LARGE),
                            "files include each other more than %d deep; is there a circle?",
                            SECLANG_DEPTH_MAX);
    }
    if (in->file_count++ == SECLANG_FILES_MAX) {
        return seclang_fail(in, path, RP_ERR(TOO_LARGE), "more than %d files", SECLANG_FILES_MAX);
    }
    struct seclang_file file = {.parent = in->file, .depth = depth, .line = 1};
    rp_err err = in->loader->read(in->loader->ctx, from, path, in->arena, &file.text, &file.path);
    if (!rp_ok(err)) {
        return seclang_fail(in, path, err, "%.*s: cannot be read", SECLANG_FMT(path));
    }
    file.text = without_mark(file.text);
    struct seclang_line line = in->line;
    const struct seclang_file *parent = in->file;
    RP_TRY(read_lines(in, &file));
    in->file = parent;
    in->line = line;
    return RP_OK;
}

rp_err rp_seclang_read(const struct rp_waf_loader *loader, const rp_view *files, size_t file_count,
                       struct rp_arena *arena, struct rp_waf_ruleset *ret_rules,
                       struct rp_waf_place *ret_place, struct rp_diag *diag) {
    RP_ASSERT(loader && arena && ret_rules);
    struct seclang in = {.loader = loader, .arena = arena, .diag = diag, .place = ret_place};
    seclang_settings_default(&in.settings);
    for (size_t i = 0; i < file_count; i++) {
        in.line = (struct seclang_line){.file = files[i]};
        RP_TRY(seclang_read_file(&in, RP_VIEW(""), files[i], 0));
    }
    RP_TRY(seclang_updates_apply(&in));
    return seclang_finish(&in, ret_rules);
}
