/* value.h — a field's value: from JSON, checked against its type; and as expressions see it. */
#ifndef RP_REGISTER_VALUE_H
#define RP_REGISTER_VALUE_H

#include "register/schema.h"

/* INVALID with what was expected, in this language. References are not followed here. */
rp_err rp_value_check(const struct rp_field *field, const struct rp_json *json, enum rp_lang lang,
                      struct rp_diag *diag);
/* What a name of an expression stands for in this record. */
rp_err rp_facts_value(const struct rp_facts *facts, rp_view name, const struct rp_asking *asking,
                      struct rp_value *ret_value);
struct rp_value rp_value_of_json(const struct rp_field *field, const struct rp_json *json);

#endif
