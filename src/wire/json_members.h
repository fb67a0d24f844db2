/* json_members.h — the order of an object's members, shared by reader, builder and printer.
 *
 * Members are always kept in the order in which they are printed (RFC 8785 section 3.2.3): by the
 * UTF-16 code units of their keys. So equal keys are neighbours, and printing is one walk.
 */
#ifndef RP_WIRE_JSON_MEMBERS_H
#define RP_WIRE_JSON_MEMBERS_H

#include "wire/json.h"

/* Both are well-formed UTF-8; <0, 0, >0. */
int rp_json_key_compare(rp_view a, rp_view b);

/* Appends at the end, whatever the key. */
void rp_json_append(struct rp_json *parent, struct rp_json *child);

/* Puts an object's members in order; a stable merge sort of the list. */
void rp_json_sort(struct rp_json *object);

#endif
