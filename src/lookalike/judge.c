#include "lookalike/judge.h"

#include "base/assert.h"
#include "base/checked.h"
#include "lookalike/edits.h"
#include "lookalike/words.h"

/* From how many characters on a name of ours is distinct enough. Shorter ones have honest
 * neighbours by the thousand: "orange" is one letter from "grange", and "sfr" one from everything.
 */
enum { SAME_LEAST = 4, ALIKE_LEAST = 5, SLIP_LEAST = 5, LETTER_LEAST = 7, BLURRED_LEAST = 7 };

/* ---- what is watched ---- */

rp_err rp_watched_new(struct rp_arena *arena, size_t names_max, size_t honest_max,
                      struct rp_watched *ret_watched) {
    struct rp_watched watched = {.max = names_max, .honest_max = honest_max};
    watched.names = rp_arena_array(arena, names_max, sizeof *watched.names);
    watched.honest = rp_arena_array(arena, honest_max, sizeof *watched.honest);
    if (!watched.names || !watched.honest) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_watched = watched;
    return RP_OK;
}

static bool is_watched(const struct rp_watched *watched, rp_view name) {
    for (size_t i = 0; i < watched->count; i++) {
        if (rp_domain_within(name, rp_view_from_cstr(watched->names[i].text))) {
            return true;
        }
    }
    return false;
}

rp_err rp_watched_add(struct rp_watched *watched, rp_view name, bool on_purpose) {
    struct rp_domain domain;
    rp_err err = rp_domain_parse(name, &domain);
    bool none = !rp_ok(err) || domain.sold == domain.label_count;
    if (none || (!on_purpose && rp_domain_is_local(&domain))) {
        return on_purpose ? RP_ERR(INVALID) : RP_OK;
    }
    rp_view sold = rp_domain_from(&domain, domain.sold);
    if (is_watched(watched, sold)) {
        return RP_OK;
    }
    if (watched->count == watched->max) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_watched_name *own = &watched->names[watched->count++];
    memcpy(own->text, sold.p, sold.n);
    own->text[sold.n] = '\0';
    rp_label_points(rp_domain_label(&domain, domain.sold), &own->label);
    rp_skeleton(&own->label, &own->skeleton);
    return RP_OK;
}

rp_err rp_watched_add_honest(struct rp_watched *watched, rp_view name) {
    if (watched->honest_count == watched->honest_max) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(rp_domain_parse(name, &watched->honest[watched->honest_count]));
    watched->honest_count++;
    return RP_OK;
}

static bool is_honest(const struct rp_watched *watched, rp_view name) {
    for (size_t i = 0; i < watched->honest_count; i++) {
        if (rp_domain_within(name, rp_domain_from(&watched->honest[i], 0))) {
            return true;
        }
    }
    return false;
}

/* ---- a label beside ours ---- */

static bool same_without_hyphens(const struct rp_points *a, const struct rp_points *b) {
    size_t i = 0, k = 0;
    for (;;) {
        while (i < a->n && a->p[i] == '-') {
            i++;
        }
        while (k < b->n && b->p[k] == '-') {
            k++;
        }
        if (i == a->n || k == b->n) {
            return i == a->n && k == b->n;
        }
        if (a->p[i++] != b->p[k++]) {
            return false;
        }
    }
}

static enum rp_lookalike_kind judge_slip(const struct rp_watched_name *own,
                                         const struct rp_points *label) {
    enum rp_lookalike_kind kind = rp_one_edit(&own->label, label);
    size_t least = kind == RP_LOOKALIKE_LETTER ? LETTER_LEAST : SLIP_LEAST;
    return own->label.n >= least ? kind : RP_LOOKALIKE_NONE;
}

/* A label that is not ours, letter for letter. */
static enum rp_lookalike_kind judge_label(const struct rp_watched_name *own,
                                          const struct rp_points *label) {
    struct rp_points skeleton;
    bool ascii = rp_points_are_ascii(label);
    rp_skeleton(label, &skeleton);
    if (rp_points_equal(&skeleton, &own->skeleton) && (!ascii || own->label.n >= ALIKE_LEAST)) {
        return RP_LOOKALIKE_HOMOGLYPH;
    }
    if (own->label.n >= SAME_LEAST && same_without_hyphens(label, &own->label)) {
        return RP_LOOKALIKE_HYPHEN;
    }
    enum rp_lookalike_kind slip = judge_slip(own, label);
    if (slip != RP_LOOKALIKE_NONE) {
        return slip;
    }
    bool blurred = !ascii && own->skeleton.n >= BLURRED_LEAST &&
                   rp_one_edit(&own->skeleton, &skeleton) != RP_LOOKALIKE_NONE;
    if (blurred) {
        return RP_LOOKALIKE_HOMOGLYPH;
    }
    return rp_has_words(own, label, &skeleton) ? RP_LOOKALIKE_WORD : RP_LOOKALIKE_NONE;
}

/* ---- the whole name ---- */

static enum rp_lookalike_kind judge_sold(const struct rp_watched_name *own,
                                         const struct rp_domain *seen) {
    struct rp_points label;
    rp_label_points(rp_domain_label(seen, seen->sold), &label);
    if (rp_points_equal(&label, &own->label)) {
        return label.n >= SAME_LEAST ? RP_LOOKALIKE_SUFFIX : RP_LOOKALIKE_NONE;
    }
    return judge_label(own, &label);
}

/* In front of somebody else's name: "exemple.fr.secure.page", "exemple-login.page.dev". A slip
 * alone is no bait there: nobody types it, and hosts' machines have the oddest names. */
static bool poses_in_front(const struct rp_watched_name *own, const struct rp_domain *seen,
                           size_t at) {
    struct rp_points label;
    rp_view rest = rp_domain_from(seen, at), ours = rp_view_from_cstr(own->text);
    if (rp_view_starts(rest, ours) && rest.n > ours.n && rest.p[ours.n] == '.') {
        return true;
    }
    rp_label_points(rp_domain_label(seen, at), &label);
    if (rp_points_equal(&label, &own->label)) {
        return label.n >= SLIP_LEAST;
    }
    enum rp_lookalike_kind kind = judge_label(own, &label);
    return kind == RP_LOOKALIKE_WORD ||
           (kind == RP_LOOKALIKE_HOMOGLYPH && !rp_points_are_ascii(&label));
}

static struct rp_lookalike judge_against(const struct rp_watched_name *own,
                                         const struct rp_domain *seen) {
    enum rp_lookalike_kind kind = judge_sold(own, seen);
    if (kind != RP_LOOKALIKE_NONE) {
        return (struct rp_lookalike){kind, own->text, rp_domain_from(seen, seen->sold)};
    }
    for (size_t at = 0; at < seen->sold; at++) {
        if (poses_in_front(own, seen, at)) {
            return (struct rp_lookalike){RP_LOOKALIKE_SUBDOMAIN, own->text,
                                         rp_domain_from(seen, at)};
        }
    }
    return (struct rp_lookalike){.kind = RP_LOOKALIKE_NONE};
}

/*= S176 */ /* a name that poses as ours is recognised, and an honest one is let pass */
struct rp_lookalike rp_lookalike_judge(const struct rp_watched *watched,
                                       const struct rp_domain *seen) {
    rp_view whole = rp_domain_from(seen, 0);
    struct rp_lookalike found = {.kind = RP_LOOKALIKE_NONE};
    if (seen->sold == seen->label_count || is_watched(watched, whole) ||
        is_honest(watched, whole)) {
        return found;
    }
    for (size_t i = 0; i < watched->count && found.kind == RP_LOOKALIKE_NONE; i++) {
        found = judge_against(&watched->names[i], seen);
    }
    return found;
}

/* ---- in words ---- */

const char *rp_lookalike_name(enum rp_lookalike_kind kind) {
    static const char *const names[RP_LOOKALIKE_COUNT] = {
        [RP_LOOKALIKE_NONE] = "none",
#define RP_LOOKALIKE(name, id, fr, en) [RP_LOOKALIKE_##name] = id,
#include "lookalike/kinds.def"
#undef RP_LOOKALIKE
    };
    RP_ASSERT((size_t)kind < RP_LOOKALIKE_COUNT);
    return names[kind];
}

const char *rp_lookalike_reason(enum rp_lookalike_kind kind, enum rp_lang lang) {
    static const char *const reasons[RP_LOOKALIKE_COUNT][RP_LANG_COUNT] = {
        [RP_LOOKALIKE_NONE] = {"ne nous imite pas", "does not pose as ours"},
#define RP_LOOKALIKE(name, id, fr, en) [RP_LOOKALIKE_##name] = {fr, en},
#include "lookalike/kinds.def"
#undef RP_LOOKALIKE
    };
    RP_ASSERT((size_t)kind < RP_LOOKALIKE_COUNT && lang < RP_LANG_COUNT);
    return reasons[kind][lang];
}
