/* conclude.c — what a probe says in the end: a verdict, and its reason in both languages. */
#include <stdarg.h>
#include <stdio.h>

#include "promise/finding.h"
#include "promise/runner_io.h"

__attribute__((format(printf, 3, 0))) static void
conclude(struct rp_observation *seen, enum rp_verdict verdict, const char *format, va_list args) {
    seen->verdict = verdict;
    for (int lang = 0; lang < RP_LANG_COUNT; lang++) {
        rp_finding_print((enum rp_lang)lang, seen->detail[lang], format, args);
    }
}

void rp_probe_holds(struct rp_observation *seen, const char *format, ...) {
    va_list args;
    va_start(args, format);
    conclude(seen, RP_VERDICT_HOLDS, format, args);
    va_end(args);
}

void rp_probe_broken(struct rp_observation *seen, const char *format, ...) {
    va_list args;
    va_start(args, format);
    conclude(seen, RP_VERDICT_BROKEN, format, args);
    va_end(args);
}

void rp_probe_broken_as(struct rp_observation *seen, const char *english, const char *french) {
    rp_probe_broken(seen, "%s", english);
    snprintf(seen->detail[RP_FR], sizeof seen->detail[RP_FR], "%s", french);
}

void rp_probe_not_met(struct rp_observation *seen, const char *format, ...) {
    va_list args;
    va_start(args, format);
    conclude(seen, RP_VERDICT_NOT_MET, format, args);
    va_end(args);
}

void rp_probe_unsure(struct rp_observation *seen, const char *format, ...) {
    va_list args;
    va_start(args, format);
    conclude(seen, RP_VERDICT_UNSURE, format, args);
    va_end(args);
}
