/* courier.h — rempart-courier: hands mails to the operator's mail server and webhooks to the
 * operator's programs, and remembers which; and our log's heads to its witnesses.
 *
 * It holds the account of that server, the webhooks' secrets and nothing else: no key, no database.
 * Core hands it whole messages with an id; what it got out it remembers by that id, on disk before
 * it says so, so that a mail that core asks for twice goes out once. One at a time. A webhook goes
 * to public addresses alone, unless its `private` allows others, and follows no redirect.
 *
 * What SMTP leaves open: a courier that dies between the last byte and the server's answer does not
 * know whether the mail was taken. Then it is sent again, with the same Message-ID.
 */
#ifndef RP_COURIER_H
#define RP_COURIER_H

#include "base/id.h"
#include "daemon.h"
#include "ipc/ipc.h"

/* ---- smtp.c ---- */

struct account {
    char user[256], password[256]; /* empty: none */
    rp_view authority;             /* PEM; n = 0: the system's */
};
/* Reads what smtp.credentials and smtp.authority name, before the role is entered. */
rp_err account_read(struct daemon *daemon, struct account *account);

enum outcome { OUTCOME_SENT, OUTCOME_LATER, OUTCOME_REFUSED };
struct answer {
    enum outcome outcome;
    char problem[256];
};
struct answer smtp_send(const struct daemon *daemon, const struct account *account, const char *to,
                        rp_view message);

/* ---- hook.c ---- */

struct hook {
    const struct rp_config_webhook *config;
    struct rp_secret *secret;
    rp_view authority; /* PEM; n = 0: the system's */
};
struct hooks {
    struct hook list[RP_WEBHOOKS_MAX];
    size_t count;
};
/* Reads what each one's secret and authority name, before the role is entered. */
rp_err hooks_read(struct daemon *daemon, struct hooks *hooks);
/* NULL: none is called so. */
const struct hook *hook_named(const struct hooks *hooks, rp_view name);
void hooks_done(struct hooks *hooks);
struct answer hook_send(const struct daemon *daemon, const struct hook *hook, rp_id id,
                        rp_view body);

/* ---- witness.c ---- */

enum { WITNESS_QUESTIONS_MAX = 2 }; /* core asks one at a time; its successor may come meanwhile */
struct witnesses;
/* Reads what ledger.witness_authority names, before the role is entered. */
rp_err witnesses_read(struct daemon *daemon, struct witnesses **ret_witnesses);
rp_err witnesses_start(struct witnesses *witnesses, struct rp_ipc_server *server);
/* On RP_OK the call is answered later. */
rp_err witnesses_ask(struct witnesses *witnesses, struct rp_ipc_call_id call, rp_view request);
void witnesses_stop(struct witnesses *witnesses); /* accepts NULL */

/* ---- memory.c: the ids of the last mails that went out ---- */

enum { MEMORY_MAX = 4096 };
struct memory {
    rp_id ids[MEMORY_MAX];
    size_t count, next;
    int fd; /* courier/sent */
};
rp_err memory_open(struct memory *memory, struct rp_arena *arena);
bool memory_has(const struct memory *memory, rp_id id);
rp_err memory_add(struct memory *memory, rp_id id); /* durable when it returns */
void memory_close(struct memory *memory);

#endif
