/* acme.h — rempart-acme: gets the gate's certificates from an ACME authority, and renews them.
 *
 * Debian's uacme speaks to the authority, inside this role's walls and under its user. The gate
 * makes the keys: this role sees requests (gate/acme/NAME.csr) and certificates, and holds the
 * account's key alone. The authority asks the gate's port 80 for a file of acme/challenges, which
 * uacme has us write (hook.c). An answer is judged here, put into acme/live, and told by
 * acme/issued; the supervisor then has the gate judge it again and take it over.
 *
 *   main.c      the role; who asks for a renewal now
 *   attempt.c   one certificate: account, order, answer; one at a time
 *   book.c      acme/state.json: what is known of each name, and what the log was told
 *   hook.c      the challenge's file
 *   told.c      what uacme says, read for the reason and the wait
 *   plan.c      when the next attempt is due
 */
#ifndef RP_ACME_H
#define RP_ACME_H

#include "daemon.h"
#include "ipc/ipc.h"
#include "told.h"

enum { ACME_WAITERS = 4, ACME_NAME_MAX = 254, ACME_CREDENTIAL_MAX = 512 };

/* ---- book.c ---- */

enum news { NEWS_NONE, NEWS_ISSUED, NEWS_FAILED }; /* what the log has not been told yet */

struct entry {
    char name[ACME_NAME_MAX];
    int64_t since_s, until_s; /* of the certificate that was got last; 0 = none */
    int64_t tried_s, next_s;
    uint64_t failures; /* in a row */
    char reason[TOLD_REASON];
    enum news news;
    bool asked; /* somebody wants it now */
};

struct book {
    struct entry entries[RP_CONFIG_NAMES_MAX];
    size_t count;
    uint64_t issued; /* counts up with every certificate */
};

/* The configuration's names, with what the file knows of them. What another authority gave is
 * known no longer. */
rp_err book_open(struct book *book, const struct daemon *daemon);
rp_err book_save(const struct book *book, const struct daemon *daemon);
struct entry *book_find(struct book *book, rp_view name);

/* ---- attempt.c ---- */

struct acme {
    struct daemon daemon;
    struct book book;
    struct rp_ipc_server *server;
    struct rp_ipc_client *ledger;
    struct rp_timer *tick;
    char hook[4096];                       /* this program, as uacme starts it */
    char credentials[ACME_CREDENTIAL_MAX]; /* KEYID:KEY for uacme; "" = none */
    struct attempt {
        struct entry *entry; /* NULL = nothing is under way */
        bool account;        /* the account is made or changed; else the certificate is asked for */
        bool again;          /* the account was made anew in this attempt already */
        unsigned nonces;     /* how often the authority refused its own nonces */
        pid_t pid;           /* 0 = ended */
        int fd;              /* what it prints; -1 = closed */
        int code;            /* its exit */
        struct rp_watch *watch;
        struct rp_timer *timer;
        struct told told;
    } attempt;
    struct waiter {
        bool used, pending[RP_CONFIG_NAMES_MAX];
        struct rp_ipc_call_id call;
        char problem[TOLD_REASON];
    } waiters[ACME_WAITERS];
};

void attempt_begin(struct acme *acme, struct entry *entry);
void attempt_reap(struct acme *acme);
void attempt_stop(struct acme *acme);

/* ---- main.c ---- */

/* The attempt is over, and its entry says how. */
void acme_concluded(struct acme *acme, struct entry *entry);

/* ---- hook.c ---- */

/* True when uacme started us: begin|done|failed TYPE NAME TOKEN AUTHORISATION. */
bool hook_is_asked(int argc, char **argv);
int hook_run(char **argv);

#endif
