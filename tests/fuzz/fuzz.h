/* fuzz.h — what every fuzzer starts with.
 *
 * A fuzzer is one function on bytes. It calls a parser, and where the parser accepts it checks a
 * property: what is printed again reads back as the same. FUZZ_CHECK ends the process when not.
 */
#ifndef RP_TESTS_FUZZ_H
#define RP_TESTS_FUZZ_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

#define FUZZ_CHECK(condition) RP_ASSERT(condition)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
