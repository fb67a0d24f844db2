/* gates.h — a gate of a register, and every way past it that is tried (gates.c). */
#ifndef RP_DAEMONS_PROBE_GATES_H
#define RP_DAEMONS_PROBE_GATES_H

#include "probe.h"

enum { TRIES_MAX = 7, BEFORE_MAX = 2 };

/* In paths and bodies "$" stands for the record, "@" for a colleague, "#" for a number of its own.
 */
struct attempt {
    const char *method, *at; /* after the register: "/$", "/$/move", "", "/import" */
    const char *body;        /* JSON, or CSV for an import */
};

struct gate {
    const char *reg, *record;       /* NULL: the one that is there; the canary cannot make any */
    const char *before[BEFORE_MAX]; /* moves that bring it to where the gate stands */
    const char *says; /* in a refusal by the gate itself; NULL = its states do it alone */
    struct attempt tries[TRIES_MAX]; /* the first one is raced, too */
};

enum { GATE_RISK, GATE_ONBOARDING, GATE_ENTRY, GATE_APPROVAL, GATE_SUPPLIER, GATE_PURPOSE };
_Static_assert(GATE_PURPOSE + 1 == PROBE_GATES, "a record each");

extern const struct gate probe_gates[PROBE_GATES];

#endif
