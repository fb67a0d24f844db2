/* body_json.h — inside the JSON reader: its state, shared by structure and texts. */
#ifndef RP_SHIELD_BODY_JSON_H
#define RP_SHIELD_BODY_JSON_H

#include "shield/body_parts.h"

enum json_token { JSON_NONE, JSON_STRING, JSON_NUMBER, JSON_WORD };

struct json_level {
    uint32_t path_n;   /* of the path outside it */
    uint32_t elements; /* of an array, so far */
    bool array;
};

struct json_text { /* a token on its way */
    struct rp_body_text bytes;
    uint64_t at;      /* where it began in the body */
    unsigned step;    /* of an escape; of a number; of a word */
    uint32_t unit;    /* of \uXXXX */
    uint32_t high;    /* a high surrogate that waits for its other half; 0: none */
    unsigned tail;    /* bytes of a UTF-8 sequence still to come */
    const char *word; /* true, false, null */
};

struct json {
    uint8_t expect; /* enum expect in body_json.c */
    uint8_t token;  /* enum json_token */
    bool key;       /* the string is a member's name */
    struct json_text text;
    rp_view member; /* the last name read */
    struct rp_body_text path;
    struct json_level *levels;
    size_t depth, levels_room;
    uint8_t *names; /* room for names, cut from larger pieces */
    size_t names_left;
};

/* Each reads from at on; where it stops, and in *ret_done whether the token is whole. An error of
 * the body stops them as well. */
const uint8_t *rp_body_json_string(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                   const uint8_t *end, bool *ret_done);
const uint8_t *rp_body_json_number(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                   const uint8_t *end, bool *ret_done);
const uint8_t *rp_body_json_word(struct rp_body *body, struct json_text *text, const uint8_t *at,
                                 const uint8_t *end, bool *ret_done);
/* The body ends within a number: whether it is one. */
bool rp_body_json_number_ends(struct rp_body *body, const struct json_text *text);

#endif
