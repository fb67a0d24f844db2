/* assert.h — bugs are not errors.
 *
 * RP_ASSERT stays on in release: it says what and where, and ends the process; the
 * supervisor restarts one small role. Input never reaches an assertion: what a peer or a
 * caller can get wrong is an rp_err. RP_DEBUG_ASSERT is for per-byte loops.
 */
#ifndef RP_BASE_ASSERT_H
#define RP_BASE_ASSERT_H

__attribute__((noreturn, cold)) void rp_assert_failed(const char *what, const char *file, int line);

#define RP_ASSERT(condition)                                                                       \
    ((condition) ? (void)0 : rp_assert_failed(#condition, __FILE__, __LINE__))

#ifdef RP_DEBUG
#define RP_DEBUG_ASSERT(condition) RP_ASSERT(condition)
#else
#define RP_DEBUG_ASSERT(condition) ((void)0)
#endif

#define RP_UNREACHABLE() rp_assert_failed("unreachable", __FILE__, __LINE__)

#endif
