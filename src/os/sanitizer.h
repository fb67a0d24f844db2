/* sanitizer.h — whether this build carries a sanitizer, which needs a few calls more. */
#ifndef RP_OS_SANITIZER_H
#define RP_OS_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RP_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define RP_SANITIZED 1
#endif
#endif

#ifndef RP_SANITIZED
#define RP_SANITIZED 0
#endif

#endif
