/* waf.h — what the files of `rempart waf` share: rules made ready, messages, one judgement. */
#ifndef RP_CLI_WAF_H
#define RP_CLI_WAF_H

#include "cli.h"
#include "shield/shield.h"

/* ---- waf_rules.c: rules from the command line, compiled and opened ---- */

/* What stands before the files, which may say otherwise. */
enum waf_setup {
    WAF_READY, /* the engine on; bodies looked at, forms, JSON and XML taken apart */
    WAF_CRS_CI /* and what the Core Rule Set's own tests count on: paranoia 4, their limits */
};
struct waf_rules {
    struct rp_arena *arena;
    struct rp_buf image;
    struct rp_waf *waf;
    const struct rp_waf_note *notes; /* what was read and does nothing */
    size_t note_count;
};
/* From --rules, from --image, or else those that the installation runs. Prints what is wrong (file,
 * line, column); RP_EXIT_OK or not. */
enum rp_exit waf_rules_open(struct cli *cli, enum waf_setup setup, struct waf_rules *ret_rules);
void waf_rules_done(struct waf_rules *rules);

/* ---- waf_message.c: a raw HTTP message taken apart ---- */

enum { WAF_HEADERS_MAX = 1000 };
struct waf_header {
    rp_view name, value;
};
struct waf_message {
    rp_view method, uri, protocol; /* of a request */
    unsigned status;               /* of a response */
    struct waf_header *headers;
    size_t header_count;
    rp_view body;
    const char *malformed; /* why a server would answer 400, and what could be read stands here;
                              NULL = well formed */
};
/* Heads in CRLF or LF lines, folded lines joined; a chunked body put together, any other as long as
 * Content-Length says where it says less than there is. TOO_LARGE: too many headers. */
rp_err waf_read_request(rp_view raw, struct rp_arena *arena, struct waf_message *ret_message);
/* Does it begin as a request does, however malformed: METHOD TARGET PROTOCOL, or GET /path? */
bool waf_is_request(const struct waf_message *message);
/* What a server would refuse in headers and body; NULL = nothing. */
const char *waf_why_malformed(const struct waf_message *message);
/* INVALID unless it begins with a status line. */
rp_err waf_read_response(rp_view raw, struct rp_arena *arena, struct waf_message *ret_message);
/* From a file; what is wrong is printed (waf_exec.c). */
enum rp_exit waf_request_file(struct cli *cli, const char *path, struct waf_message *ret_request);
/* The first header of that name; p == NULL when absent. */
rp_view waf_header_of(const struct waf_message *message, const char *name);

/* ---- waf_judge.c: one transaction through all five phases ---- */

/* response may be NULL: an empty 200. */
rp_err waf_judge(const struct rp_waf *waf, const struct rp_waf_site *site,
                 const struct waf_message *request, const struct waf_message *response,
                 struct rp_arena *arena, struct rp_waf_tx **ret_tx);
/* Memory for IP: and GLOBAL: collections as long as the arena lives. */
struct waf_memory;
struct waf_memory *waf_memory_new(struct rp_arena *arena);
struct rp_waf_memory waf_memory_interface(struct waf_memory *memory);

/* ---- the commands ---- */
enum rp_exit waf_exec(struct cli *cli);
enum rp_exit waf_explain(struct cli *cli);
enum rp_exit waf_bench(struct cli *cli);
enum rp_exit waf_test(struct cli *cli);
/* waf_living.c */
enum rp_exit waf_proposals(struct cli *cli);
enum rp_exit waf_accept(struct cli *cli);
enum rp_exit waf_reject(struct cli *cli);
enum rp_exit waf_exclusions(struct cli *cli);
enum rp_exit waf_top(struct cli *cli);
enum rp_exit waf_model(struct cli *cli);

#endif
