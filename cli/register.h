/* register.h — what the files of `rempart register` share. */
#ifndef RP_CLI_REGISTER_H
#define RP_CLI_REGISTER_H

#include "cli.h"

/* name=value … from the given place on; NULL: not of that form. */
struct rp_json *cli_register_fields(struct cli *cli, size_t first);
/* base with these as filters, "view" apart; NULL when it grows too long. */
const char *cli_register_filters(struct cli *cli, const char *base, const struct rp_json *fields);
/* Registers or records, a line each, or as JSON. */
void cli_register_print(const struct cli *cli, const struct rp_json *list);
enum rp_exit cli_register_describe(struct cli *cli);
enum rp_exit cli_register_search(struct cli *cli);
enum rp_exit cli_register_export(struct cli *cli);
enum rp_exit cli_register_import(struct cli *cli);
enum rp_exit cli_register_view(struct cli *cli);
enum rp_exit cli_register_token(struct cli *cli);
enum rp_exit cli_register_attach(struct cli *cli);
enum rp_exit cli_register_example(struct cli *cli);
enum rp_exit cli_register_retention(struct cli *cli);

#endif
