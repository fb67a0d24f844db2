/* register.h — what the files of `rempart register` share. */
#ifndef RP_CLI_REGISTER_H
#define RP_CLI_REGISTER_H

#include "cli.h"

/* name=value … from the given place on, as the fields of this register (NULL: of any) take them;
 * NULL: not of that form. */
struct rp_json *cli_register_fields(struct cli *cli, const struct rp_json *reg, size_t first);
/* base with these as filters, "view" apart; NULL when it grows too long. */
const char *cli_register_filters(struct cli *cli, const char *base, const struct rp_json *fields);
/* /.rempart/api/v1/registers/A/B/C, as far as given; B is a record's id, its number, or both as
 * lists print it: "changes-4". */
const char *cli_register_address(struct cli *cli, const char *a, const char *b, const char *rest);
/* All registers, described; NULL when core does not answer, which is told. */
struct rp_json *cli_register_all(struct cli *cli);
const struct rp_json *cli_register_find(const struct rp_json *registers, rp_view id);
/* {"fr":…,"en":…} in the reader's language; the first of a list, NULL when it is empty. */
rp_view cli_register_words(const struct cli *cli, const struct rp_json *json, const char *key);
const struct rp_json *cli_register_first(const struct rp_json *json, const char *key);

/* Registers or records, a line each, or as JSON. */
void cli_register_print(struct cli *cli, const struct rp_json *list);
void cli_register_print_one(struct cli *cli, const struct rp_json *record);
/* A move with who may make it and what it needs. */
void cli_register_print_move(const struct cli *cli, const struct rp_json *move);
enum rp_exit cli_register_show(struct cli *cli);
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
