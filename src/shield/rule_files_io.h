/* rule_files_io.h — rule files from a disk to one image: for whoever compiles, not for who judges.
 *
 * A path is a file, a pattern, or a folder: a rule set as it is published (crs-setup.conf or its
 * example, then rules/, with its plugins around them), or the .conf files in it, or those in its
 * rules/. A text may stand
 * before them all; it bears the name RP_WAF_SETUP_NAME in messages. Fails: NOT_FOUND, TOO_LARGE,
 * and what reading and compiling give, with the place.
 */
#ifndef RP_SHIELD_RULE_FILES_IO_H
#define RP_SHIELD_RULE_FILES_IO_H

#include "shield/shield.h"

#define RP_WAF_SETUP_NAME "rempart:setup"
enum { RP_WAF_FILES_MAX = 1024, RP_WAF_IMAGE_MAX = 256 << 20 };

struct rp_waf_rule_files {
    rp_view setup;
    rp_view paths[RP_WAF_FILES_MAX];
    size_t count;
};

/* Engine on, bodies looked at; forms, JSON and XML taken apart by their types. Rules behind it may
 * say otherwise. */
rp_view rp_waf_ready_text(void);
rp_err rp_waf_rule_files_add(struct rp_waf_rule_files *files, const char *path,
                             struct rp_arena *arena);
rp_err rp_waf_rule_files_compile(struct rp_waf_rule_files *files, struct rp_arena *arena,
                                 struct rp_buf *ret_image, struct rp_waf_ruleset *ret_rules,
                                 struct rp_waf_place *ret_place, struct rp_diag *diag);

#endif
