#include "os/filter.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/sanitizer.h"

/* Memory, time, chance, threads' locks, signals to oneself. */
static const int process_calls[] = {
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(msync),
    SCMP_SYS(mlock),
    SCMP_SYS(mlock2),
    SCMP_SYS(munlock),
    SCMP_SYS(memfd_create),
    SCMP_SYS(memfd_secret),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getrandom),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getgroups),
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_setattr), /* a thread gives way to others; more needs CAP_SYS_NICE */
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getrlimit),
};

/* Files: which ones is Landlock's part. */
static const int file_calls[] = {
    SCMP_SYS(read),       SCMP_SYS(write),      SCMP_SYS(readv),
    SCMP_SYS(writev),     SCMP_SYS(pread64),    SCMP_SYS(pwrite64),
    SCMP_SYS(preadv),     SCMP_SYS(pwritev),    SCMP_SYS(lseek),
    SCMP_SYS(close),      SCMP_SYS(fstat),      SCMP_SYS(newfstatat),
    SCMP_SYS(stat),       SCMP_SYS(lstat),      SCMP_SYS(statx),
    SCMP_SYS(open),       SCMP_SYS(openat),     SCMP_SYS(access),
    SCMP_SYS(faccessat),  SCMP_SYS(faccessat2), SCMP_SYS(readlink),
    SCMP_SYS(readlinkat), SCMP_SYS(getdents64), SCMP_SYS(getcwd),
    SCMP_SYS(fcntl),      SCMP_SYS(flock),      SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),  SCMP_SYS(syncfs),     SCMP_SYS(ftruncate),
    SCMP_SYS(fallocate),  SCMP_SYS(fadvise64),  SCMP_SYS(sync_file_range),
    SCMP_SYS(unlink),     SCMP_SYS(unlinkat),   SCMP_SYS(rename),
    SCMP_SYS(renameat),   SCMP_SYS(renameat2),  SCMP_SYS(link),
    SCMP_SYS(linkat),     SCMP_SYS(mkdir),      SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),      SCMP_SYS(chmod),      SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),   SCMP_SYS(umask),      SCMP_SYS(utimensat),
    SCMP_SYS(statfs),     SCMP_SYS(fstatfs),    SCMP_SYS(pipe),
    SCMP_SYS(pipe2),      SCMP_SYS(dup),        SCMP_SYS(copy_file_range),
};

/* Waiting, and local sockets from the server's side. */
static const int loop_calls[] = {
    SCMP_SYS(epoll_create1),   SCMP_SYS(epoll_ctl),      SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),     SCMP_SYS(epoll_pwait2),   SCMP_SYS(eventfd2),
    SCMP_SYS(signalfd4),       SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(poll),           SCMP_SYS(ppoll),
    SCMP_SYS(select),          SCMP_SYS(pselect6),       SCMP_SYS(bind),
    SCMP_SYS(listen),          SCMP_SYS(accept),         SCMP_SYS(accept4),
    SCMP_SYS(getsockopt),      SCMP_SYS(setsockopt),     SCMP_SYS(getsockname),
    SCMP_SYS(getpeername),     SCMP_SYS(recvmsg),        SCMP_SYS(recvfrom),
    SCMP_SYS(shutdown),
};

/* The resolver sends its two questions at once. */
static const int resolver_calls[] = {SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg)};

/* What it takes to start a program and to wait for it, and what a program calls at its own start.
 * Which programs is Landlock's part; they inherit these walls and gain no rights. */
static const int program_calls[] = {
    SCMP_SYS(execve),          SCMP_SYS(vfork),       SCMP_SYS(wait4),   SCMP_SYS(waitid),
    SCMP_SYS(arch_prctl),      SCMP_SYS(dup2),        SCMP_SYS(dup3),    SCMP_SYS(setpgid),
    SCMP_SYS(set_tid_address), SCMP_SYS(close_range), SCMP_SYS(kill),    SCMP_SYS(tgkill),
    SCMP_SYS(getpgrp),         SCMP_SYS(chdir),       SCMP_SYS(mincore),
};

/* What the sanitizers' own runtime calls, at start, in reports and when it looks for leaks. */
static const int sanitizer_calls[] = {
    SCMP_SYS(clone),
    SCMP_SYS(ptrace),
    SCMP_SYS(wait4),
    SCMP_SYS(arch_prctl),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(personality),
    SCMP_SYS(mincore),
    SCMP_SYS(getpgrp),
    SCMP_SYS(kill),
    SCMP_SYS(tgkill),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(getdents),
    SCMP_SYS(setrlimit),
};

/* Calls that libraries try out of habit, with the answer that sends them another way. */
static const struct {
    int call;
    int answer;
} soft_denials[] = {
    {SCMP_SYS(clone3), ENOSYS},  /* glibc then takes clone, whose flags a filter can see */
    {SCMP_SYS(openat2), ENOSYS}, /* its flags lie in memory, out of a filter's sight */
    {SCMP_SYS(chown), EPERM},    {SCMP_SYS(fchown), EPERM},        {SCMP_SYS(fchownat), EPERM},
    {SCMP_SYS(lchown), EPERM},   {SCMP_SYS(symlink), EPERM},       {SCMP_SYS(symlinkat), EPERM},
    {SCMP_SYS(mknod), EPERM},    {SCMP_SYS(mknodat), EPERM},       {SCMP_SYS(getxattr), ENOTSUP},
    {SCMP_SYS(mlockall), EPERM}, {SCMP_SYS(get_mempolicy), EPERM},
};

static rp_err from_negative(int result) {
    return result == 0 ? RP_OK : rp_err_from_errno(-result);
}

static rp_err allow_all(scmp_filter_ctx filter, const int *calls, size_t count) {
    for (size_t i = 0; i < count; i++) {
        RP_TRY(from_negative(seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0)));
    }
    return RP_OK;
}

static rp_err allow_if(scmp_filter_ctx filter, int call, struct scmp_arg_cmp condition) {
    return from_negative(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &condition));
}

/* Refuses with an errno where the condition holds. The kernel's filters act per rule, so the
 * allowed case is written as its own rule by the caller. */
static rp_err refuse_if(scmp_filter_ctx filter, int answer, int call,
                        struct scmp_arg_cmp condition) {
    return from_negative(
        seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint16_t)answer), call, 1, &condition));
}

static rp_err deny_softly(scmp_filter_ctx filter) {
    for (size_t i = 0; i < RP_COUNT_OF(soft_denials); i++) {
        uint32_t action = SCMP_ACT_ERRNO((uint16_t)soft_denials[i].answer);
        RP_TRY(from_negative(seccomp_rule_add(filter, action, soft_denials[i].call, 0)));
    }
    return RP_OK;
}

/* Memory is written or run, never both, and after entry nothing new is run, but by programs. */
static rp_err fence_memory(scmp_filter_ctx filter, bool programs) {
    static const int calls[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
    enum { BOTH = PROT_EXEC | PROT_WRITE };
    for (size_t i = 0; i < RP_COUNT_OF(calls); i++) {
        struct scmp_arg_cmp plain = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
        struct scmp_arg_cmp runs = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
        struct scmp_arg_cmp only_runs = SCMP_A2(SCMP_CMP_MASKED_EQ, BOTH, PROT_EXEC);
        struct scmp_arg_cmp both = SCMP_A2(SCMP_CMP_MASKED_EQ, BOTH, BOTH);
        RP_TRY(allow_if(filter, calls[i], plain));
        if (programs) { /* their libraries are mapped */
            RP_TRY(allow_if(filter, calls[i], only_runs));
        }
        RP_TRY(refuse_if(filter, EACCES, calls[i], programs ? both : runs));
    }
    return RP_OK;
}

/* Local sockets that need a connect to reach anybody: a datagram finds its way by sendto alone. */
static rp_err allow_local(scmp_filter_ctx filter, int call) {
    enum { KIND = 0xf /* the rest are flags */ };
    static const scmp_datum_t kinds[] = {SOCK_STREAM, SOCK_SEQPACKET};
    for (size_t i = 0; i < RP_COUNT_OF(kinds); i++) {
        const struct scmp_arg_cmp both[] = {SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
                                            SCMP_A1(SCMP_CMP_MASKED_EQ, KIND, kinds[i])};
        RP_TRY(from_negative(
            seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, RP_COUNT_OF(both), both)));
    }
    return RP_OK;
}

/* TCP and nothing that would pass for it: Multipath TCP would go round Landlock's ports. */
static rp_err allow_tcp(scmp_filter_ctx filter, scmp_datum_t family) {
    enum { KIND = 0xf };
    static const scmp_datum_t protocols[] = {0, IPPROTO_TCP};
    for (size_t i = 0; i < RP_COUNT_OF(protocols); i++) {
        const struct scmp_arg_cmp all[] = {SCMP_A0(SCMP_CMP_EQ, family),
                                           SCMP_A1(SCMP_CMP_MASKED_EQ, KIND, SOCK_STREAM),
                                           SCMP_A2(SCMP_CMP_EQ, protocols[i])};
        RP_TRY(from_negative(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket),
                                                    RP_COUNT_OF(all), all)));
    }
    return RP_OK;
}

static rp_err fence_udp(scmp_filter_ctx filter, scmp_datum_t family, bool allowed) {
    enum { KIND = 0xf };
    const struct scmp_arg_cmp both[] = {SCMP_A0(SCMP_CMP_EQ, family),
                                        SCMP_A1(SCMP_CMP_MASKED_EQ, KIND, SOCK_DGRAM)};
    return from_negative(seccomp_rule_add_array(filter,
                                                allowed ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
                                                SCMP_SYS(socket), RP_COUNT_OF(both), both));
}

/* TCP Fast Open connects within a send. */
static rp_err fence_sends(scmp_filter_ctx filter) {
    const struct scmp_arg_cmp to = SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
    const struct scmp_arg_cmp message = SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
    RP_TRY(allow_if(filter, SCMP_SYS(sendto), to));
    return allow_if(filter, SCMP_SYS(sendmsg), message);
}

static rp_err fence_sockets(scmp_filter_ctx filter, const struct rp_role *role) {
    static const scmp_datum_t families[] = {AF_INET, AF_INET6};
    const enum rp_connect connect = role->connect;
    RP_TRY(fence_sends(filter));
    RP_TRY(allow_local(filter, SCMP_SYS(socket)));
    RP_TRY(allow_local(filter, SCMP_SYS(socketpair)));
    if (connect != RP_CONNECT_NEVER) {
        RP_TRY(from_negative(seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0)));
    }
    /*= S37: a role that needs no network opens no port. */
    if (connect != RP_CONNECT_INET) {
        return refuse_if(filter, EACCES, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_NE, AF_UNIX));
    }
    for (size_t i = 0; i < RP_COUNT_OF(families); i++) {
        RP_TRY(allow_tcp(filter, families[i]));
        RP_TRY(fence_udp(filter, families[i], role->datagrams));
    }
    /* The resolver looks at the interfaces; without that it takes the order it gets. */
    RP_TRY(refuse_if(filter, EACCES, SCMP_SYS(socket), SCMP_A0(SCMP_CMP_GT, AF_INET6)));
    return role->datagrams ? allow_all(filter, resolver_calls, RP_COUNT_OF(resolver_calls)) : RP_OK;
}

/* Children, but no new namespace. */
static rp_err allow_programs(scmp_filter_ctx filter) {
    const scmp_datum_t spaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
                                CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    RP_TRY(allow_if(filter, SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, spaces, 0)));
    RP_TRY(allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_PDEATHSIG)));
    return allow_all(filter, program_calls, RP_COUNT_OF(program_calls));
}

/* Threads, but no child process: clone must say CLONE_THREAD. */
static rp_err fence_threads(scmp_filter_ctx filter, bool threads) {
    if (!threads) {
        return RP_OK;
    }
    return allow_if(filter, SCMP_SYS(clone),
                    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
}

/* abort and raise name our own process; nobody else's may be named. */
static rp_err fence_signals(scmp_filter_ctx filter) {
    scmp_datum_t self = (scmp_datum_t)getpid();
    RP_TRY(allow_if(filter, SCMP_SYS(kill), SCMP_A0(SCMP_CMP_EQ, self)));
    return allow_if(filter, SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, self));
}

/* Calls with many meanings, of which only the harmless stay. */
static rp_err fence_controls(scmp_filter_ctx filter) {
    static const unsigned long names[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        RP_TRY(allow_if(filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, names[i])));
    }
    static const unsigned long requests[] = {FIONREAD, FIONBIO};
    for (size_t i = 0; i < RP_COUNT_OF(requests); i++) {
        RP_TRY(allow_if(filter, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, requests[i])));
    }
    /* stdio asks whether its output is a terminal. */
    RP_TRY(refuse_if(filter, ENOTTY, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TCGETS)));
    /* Limits may be read, not set. */
    RP_TRY(allow_if(filter, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0)));
    return refuse_if(filter, EPERM, SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_NE, 0));
}

static rp_err add_rules(scmp_filter_ctx filter, const struct rp_role *role) {
    RP_TRY(allow_all(filter, process_calls, RP_COUNT_OF(process_calls)));
    RP_TRY(allow_all(filter, file_calls, RP_COUNT_OF(file_calls)));
    RP_TRY(allow_all(filter, loop_calls, RP_COUNT_OF(loop_calls)));
    RP_TRY(fence_memory(filter, role->programs));
    RP_TRY(fence_sockets(filter, role));
    if (RP_SANITIZED) {
        RP_TRY(allow_all(filter, sanitizer_calls, RP_COUNT_OF(sanitizer_calls)));
    } else {
        RP_TRY(fence_threads(filter, role->threads && !role->programs));
        RP_TRY(role->programs ? allow_programs(filter) : fence_signals(filter));
    }
    RP_TRY(fence_controls(filter));
    return deny_softly(filter);
}

#ifdef RP_DEBUG
/* Names the call in debug builds; a signal handler may only use what is safe there. */
static void name_the_call(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    char text[64];
    int n = snprintf(text, sizeof text, "seccomp: call %d is not allowed\n", info->si_syscall);
    ssize_t written = write(STDERR_FILENO, text, n > 0 ? (size_t)n : 0);
    (void)written;
    _exit(128 + SIGSYS);
}

static uint32_t default_action(void) {
    if (getenv("REMPART_SECCOMP_LOG")) {
        return SCMP_ACT_LOG;
    }
    struct sigaction action = {.sa_sigaction = name_the_call, .sa_flags = SA_SIGINFO};
    (void)sigaction(SIGSYS, &action, NULL);
    return SCMP_ACT_TRAP;
}
#else
static uint32_t default_action(void) {
    return SCMP_ACT_KILL_PROCESS;
}
#endif

static void release(scmp_filter_ctx *filter) {
    if (*filter) {
        seccomp_release(*filter);
    }
}

rp_err rp_filter_enter(const struct rp_role *role) {
    RP_ASSERT(role != NULL);
    _cleanup_(release) scmp_filter_ctx filter = seccomp_init(default_action());
    if (!filter) {
        return RP_ERR(NO_MEMORY);
    }
    /* Another architecture's numbers mean other calls. */
    RP_TRY(from_negative(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)));
    RP_TRY(from_negative(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1)));
    RP_TRY(from_negative(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)));
    RP_TRY(add_rules(filter, role));
    return from_negative(seccomp_load(filter));
}
