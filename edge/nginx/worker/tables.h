/* tables.h — what one worker maps: core's tables, and a ring of its own.
 *
 * Core may start after the gate, or anew: each second the worker looks whether a name leads to
 * another file, and maps that. What is not there, or is no table of this version, is absent:
 * then places that need a person answer 503.
 * The lists are copied, checked as a copy, and kept until there is a better one: a file that is
 * damaged or gone lets nobody in that was kept out.
 * A ring has one writer. At a reload old and new workers live side by side, so each takes the
 * first ring that nobody holds a lock on; a lock ends with its process.
 */
#ifndef RP_EDGE_TABLES_H
#define RP_EDGE_TABLES_H

#include <sys/stat.h>

#include "judge/session.h"
#include "os/shm.h"

enum { WORKER_RINGS_MAX = 128 };

struct worker_mapping {
    struct rp_shm shm;
    dev_t device;
    ino_t inode;
};

/* A checked copy of lists.tab or exclusions.tab; table NULL: there never was a good one. */
struct worker_lists {
    void *table;
    dev_t device;
    ino_t inode;  /* of the file that was looked at last, good or not */
    bool damaged; /* it was not */
};

struct worker_tables {
    const char *folder; /* "run" */
    struct worker_lists lists, exclusions;
    struct worker_mapping sessions, seen, assertions, limits, attack;
    struct rp_shm ring; /* p == NULL: none was free, records are not kept */
    unsigned ring_first;
    int ring_lock;
    unsigned ring_number;
    const char *notes_folder; /* NULL: none */
    struct rp_shm notes;      /* p == NULL: nothing is noted down of the rules */
};

/* folder must outlive the tables. */
struct worker_tables worker_tables_new(const char *folder);
/* Maps what is new; drops what is gone. */
void worker_tables_refresh(struct worker_tables *tables);
/* The same at once where core says that it has put another table in place of the mapped one. */
void worker_tables_keep_up(struct worker_tables *tables);
/* Takes a ring, beginning to look at `first`; from then on, another for one that is cut short. */
void worker_ring_take(struct worker_tables *tables, unsigned first);
/* Maps what goes with the ring: folder/notes.N. The ring has been taken; folder outlives the
 * tables. */
void worker_notes_take(struct worker_tables *tables, const char *folder);
struct judge_tables worker_tables_view(const struct worker_tables *tables);

#endif
