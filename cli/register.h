/* register.h — what the files of `rempart register` share. */
#ifndef RP_CLI_REGISTER_H
#define RP_CLI_REGISTER_H

#include "cli.h"

/* One question to core below /.rempart/api/; what refuses is said on stderr. body may be NULL. */
enum rp_exit cli_register_ask(struct cli *cli, const char *method, const char *path,
                              const struct rp_json *body, struct rp_json **ret_answer);
enum rp_exit cli_register_example(struct cli *cli);

#endif
