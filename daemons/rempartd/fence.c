/* fence.c — the roles that dial by themselves reach the places that the configuration names for
 * them: the gate its applications, the link its machines, the probe the gate.
 *
 * Without root, on a kernel that cannot, or for an application whose upstream is a name (its
 * address is what a server answers), a role stands outside; the page shows it, and S71 is not met.
 */
#include "os/fence.h"
#include "base/assert.h"
#include "base/checked.h"
#include "config/ways.h"
#include "os/file.h"
#include "os/landlock.h"
#include "supervisor.h"
#include "wire/ip.h"

/* From this version on Landlock keeps each role to its ports, also on the loopback. */
enum { FENCED = 3, LANDLOCK_PORTS = 4 };
static const enum rp_role_id fenced[FENCED] = {RP_ROLE_GATE, RP_ROLE_LINK, RP_ROLE_PROBE};

struct drawing {
    uid_t uid; /* of the role at hand */
    struct rp_fence_way ways[RP_FENCE_RULES_MAX];
    size_t count;
};

/* False when there are too many. */
static bool add(struct drawing *drawing, struct rp_fence_way way) {
    if (drawing->count == RP_COUNT_OF(drawing->ways)) {
        return false;
    }
    way.uid = drawing->uid;
    drawing->ways[drawing->count++] = way;
    return true;
}

/* A name is no address: nothing is drawn for its role. */
static bool draw_way(void *ctx, rp_view host, uint16_t port) {
    struct drawing *drawing = ctx;
    struct rp_ip ip;
    struct rp_fence_way way = {.here = host.n == 0, .port = port};
    if (!way.here) {
        if (!rp_ok(rp_ip_parse(host, &ip))) {
            return false;
        }
        way.six = !rp_ip_is_v4(&ip);
        memcpy(way.address, way.six ? ip.b : ip.b + 12, way.six ? 16 : 4);
    }
    return add(drawing, way);
}

/* The roles whose ways are all known, as a set; their users in `users`. */
static unsigned draw(const struct supervisor *supervisor, struct drawing *drawing,
                     uid_t users[static FENCED], size_t *ret_count) {
    const struct rp_config *config = &supervisor->daemon.config;
    unsigned roles = 0;
    size_t count = 0;
    for (size_t i = 0; i < FENCED; i++) {
        gid_t gid;
        size_t before = drawing->count;
        bool own = supervisor_wants(supervisor, fenced[i]) &&
                   rp_ok(rp_role_uid(fenced[i], &drawing->uid, &gid)) && drawing->uid != 0;
        if (own && rp_config_ways(config, fenced[i], draw_way, drawing)) {
            roles |= RP_ROLE_BIT(fenced[i]);
            users[count++] = drawing->uid;
        } else {
            drawing->count = before;
        }
    }
    *ret_count = count;
    return roles;
}

/*= S71, S105 */
void supervisor_draw_fence(struct supervisor *supervisor) {
    struct drawing drawing = {.count = 0};
    uid_t users[FENCED];
    size_t count = 0;
    unsigned roles = supervisor->users[0] == '\0' ? 0 : draw(supervisor, &drawing, users, &count);
    int fd = -1;
    const struct rp_fence fence = {.users = users,
                                   .user_count = count,
                                   .ways = drawing.ways,
                                   .way_count = drawing.count,
                                   .loopback = rp_landlock_abi() < LANDLOCK_PORTS};
    if (roles != 0 && !rp_ok(rp_fence_new(&fence, ++supervisor->fence.number, &fd))) {
        roles = 0;
    }
    /* The new one stands before the old one goes. */
    rp_fd_done(&supervisor->fence.fd);
    supervisor->fence.fd = fd;
    supervisor->fence.roles = roles;
}
