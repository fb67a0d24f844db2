/* needs_reader.h — an expression being read; for needs_regex.c and needs_class.c only. */
#ifndef RP_SHIELD_NEEDS_READER_H
#define RP_SHIELD_NEEDS_READER_H

#include "shield/needs.h"

struct rp_reader {
    rp_view pattern;
    size_t at;
    struct rp_arena *arena;
    bool ok;         /* the arena still had room */
    bool understood; /* and everything was known */
    bool extended;   /* (?x): white space and comments are not there */
    unsigned depth;
};

static inline bool more(const struct rp_reader *r) {
    return r->understood && r->at < r->pattern.n;
}

/* The byte `ahead` of here; 0 behind the end (and no syntax hangs on a NUL). */
static inline uint8_t peek(const struct rp_reader *r, size_t ahead) {
    return r->at + ahead < r->pattern.n ? r->pattern.p[r->at + ahead] : 0;
}

static inline bool take(struct rp_reader *r, const char *word) {
    rp_view w = rp_view_from_cstr(word);
    bool here = rp_view_starts(rp_view_from(r->pattern, r->at), w);
    r->at += here ? w.n : 0;
    return here;
}

static inline struct rp_part give_up(struct rp_reader *r) {
    r->understood = false;
    return rp_part_anything();
}

/* […], the bracket being taken. */
struct rp_part rp_reader_class(struct rp_reader *r);
/* \d \w \s \h \v and their opposites, added to the set; false when the letter is none of them. */
bool rp_reader_class_letter(uint8_t letter, struct rp_byte_set *set);
/* An escape that is one byte, its letter being taken; -1 when it is something else. */
int rp_reader_byte_escape(struct rp_reader *r, uint8_t letter);

#endif
