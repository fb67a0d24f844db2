/* err.h — an error that cannot be ignored.
 *
 * rp_err is a struct, so it is not an int, and it must be used. RP_TRY hands it on.
 * Detail (file, line, column, what was expected) goes into a caller-supplied rp_diag, which
 * may be NULL; never into a thread-local. Outputs are called ret_* and stand untouched on failure.
 */
#ifndef RP_BASE_ERR_H
#define RP_BASE_ERR_H

#include "base/view.h"

/* gcc takes the C23 spelling on a type, clang 14 its own. */
#if defined(__CPPCHECK__)
#define RP_MUST_USE
#elif defined(__clang__)
#define RP_MUST_USE __attribute__((warn_unused_result))
#else
#define RP_MUST_USE [[nodiscard]]
#endif

enum rp_code {
    RP_E_NONE = 0,
#define RP_ERROR(name, class, retry, http, fr, en) RP_E_##name,
#include "base/errors.def"
#undef RP_ERROR
    RP_E_COUNT
};

typedef struct RP_MUST_USE rp_err {
    int32_t code;
} rp_err;

#define RP_OK ((rp_err){RP_E_NONE})
#define RP_ERR(name) ((rp_err){RP_E_##name})

static inline bool rp_ok(rp_err err) {
    return err.code == RP_E_NONE;
}

static inline bool rp_is(rp_err err, enum rp_code code) {
    return err.code == (int32_t)code;
}

/* Says in the code that a failure here changes nothing; the reason stands beside it. */
static inline void rp_ignore(rp_err err) {
    (void)err;
}

#define RP_TRY(expression)                                                                         \
    do {                                                                                           \
        rp_err rp_try_err_ = (expression);                                                         \
        if (!rp_ok(rp_try_err_)) {                                                                 \
            return rp_try_err_;                                                                    \
        }                                                                                          \
    } while (0)

enum rp_lang { RP_FR, RP_EN, RP_LANG_COUNT };

/* Facts about an error; all total functions. */
const char *rp_err_name(rp_err err);
const char *rp_err_text(rp_err err, enum rp_lang lang);
int rp_err_http(rp_err err);
bool rp_err_retry(rp_err err);

/* The error that fits an errno: ENOSPC and EDQUOT are NO_SPACE, ENOENT NOT_FOUND, and so on. */
rp_err rp_err_from_errno(int number);

/* Where and what, for a person. Bounded: a longer text ends in "…". The text is English unless
 * whoever made it reads French. */
struct rp_diag {
    unsigned line;   /* from 1; 0 = no position */
    unsigned column; /* from 1 */
    bool french;
    struct rp_diag *also; /* is told the same, in its own language; NULL = nobody */
    char text[240];
};

/* Nothing has been said; who is told, and in which language, stays. */
static inline void rp_diag_clear(struct rp_diag *diag) {
    *diag = (struct rp_diag){.french = diag->french, .also = diag->also};
}

/* The French of a text that french.def has; another one as it is. */
const char *rp_french(const char *english) __attribute__((format_arg(1)));
/* A piece of a detail, in the language of its reader; diag may be NULL. */
const char *rp_diag_say(const struct rp_diag *diag, const char *english)
    __attribute__((format_arg(2)));

/* Writes the detail (diag may be NULL), in French where french.def has it and its reader wants it,
 * and returns err, so that it reads `return rp_fail(diag, RP_ERR(SYNTAX), "expected a number")`. */
rp_err rp_fail(struct rp_diag *diag, rp_err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
rp_err rp_fail_at(struct rp_diag *diag, rp_err err, unsigned line, unsigned column,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
