#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/assert.h"

struct fact {
    const char *name;
    bool retry;
    int http;
    const char *text[RP_LANG_COUNT];
};

static const struct fact facts[RP_E_COUNT] = {
    [RP_E_NONE] = {"NONE", false, 200, {"tout va bien", "all is well"}},
#define RP_ERROR(name, class, retry, http, fr, en)                                                 \
    [RP_E_##name] = {#name, (retry) != 0, http, {[RP_FR] = (fr), [RP_EN] = (en)}},
#include "base/errors.def"
#undef RP_ERROR
};

static const struct fact *fact_of(rp_err err) {
    RP_ASSERT(err.code >= 0 && err.code < RP_E_COUNT);
    return &facts[err.code];
}

const char *rp_err_name(rp_err err) {
    return fact_of(err)->name;
}

const char *rp_err_text(rp_err err, enum rp_lang lang) {
    RP_ASSERT(lang < RP_LANG_COUNT);
    return fact_of(err)->text[lang];
}

int rp_err_http(rp_err err) {
    return fact_of(err)->http;
}

bool rp_err_retry(rp_err err) {
    return fact_of(err)->retry;
}

rp_err rp_err_from_errno(int number) {
    switch (number) {
    case 0:
        return RP_OK;
    case ENOSPC:
    case EDQUOT:
        return RP_ERR(NO_SPACE);
    case ENOMEM:
        return RP_ERR(NO_MEMORY);
    case EISDIR:
        return RP_ERR(IS_FOLDER);
    case ENOENT:
    case ENOTDIR:
        return RP_ERR(NOT_FOUND);
    case EEXIST:
        return RP_ERR(DUPLICATE);
    case EACCES:
    case EPERM:
        return RP_ERR(DENIED);
    case EBUSY:
    case EADDRINUSE:
    case EAGAIN:
        return RP_ERR(BUSY);
    case ETIMEDOUT:
        return RP_ERR(TIMEOUT);
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH:
        return RP_ERR(UNREACHABLE);
    case ECONNRESET:
    case EPIPE:
        return RP_ERR(CLOSED);
    case EIO:
        return RP_ERR(IO);
    default:
        return RP_ERR(SYSTEM);
    }
}

__attribute__((format(printf, 2, 0))) static void write_text(struct rp_diag *diag,
                                                             const char *format, va_list args) {
    static const char ellipsis[] = "…";
    int n = vsnprintf(diag->text, sizeof diag->text, rp_diag_say(diag, format), args);
    if (n >= (int)sizeof diag->text) {
        memcpy(diag->text + sizeof diag->text - sizeof ellipsis, ellipsis, sizeof ellipsis);
    }
}

/* To the reader, and to whoever is told the same. */
__attribute__((format(printf, 4, 0))) static void
tell(struct rp_diag *diag, unsigned line, unsigned column, const char *format, va_list args) {
    for (; diag; diag = diag->also) {
        va_list again;
        va_copy(again, args);
        diag->line = line;
        diag->column = column;
        write_text(diag, format, again);
        va_end(again);
    }
}

rp_err rp_fail(struct rp_diag *diag, rp_err err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(diag, 0, 0, format, args);
    va_end(args);
    return err;
}

rp_err rp_fail_at(struct rp_diag *diag, rp_err err, unsigned line, unsigned column,
                  const char *format, ...) {
    va_list args;
    va_start(args, format);
    tell(diag, line, column, format, args);
    va_end(args);
    return err;
}
