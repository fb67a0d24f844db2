/* gates_table.c — what the canary tries at each gate, word for word. */
#include "gates.h"

#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"

const struct gate probe_gates[PROBE_GATES] = {
    [GATE_RISK] = {"persons",
                   "{\"name\":\"canary\",\"kind\":\"employee\",\"start\":\"2026-01-01\"}",
                   {NULL},
                   "S9",
                   {{"PUT", "/$", "{\"roles\":[\"operations\"]}"},
                    {"PUT", "/$", "{\"roles\":[\"communication\",\"security\"]}"},
                    {"POST", "",
                     "{\"name\":\"canary\",\"kind\":\"employee\","
                     "\"start\":\"2026-01-01\",\"roles\":[\"support\"]}"},
                    {"POST", "/$/move",
                     "{\"move\":\"begin\",\"fields\":{\"roles\":"
                     "[\"engineering\"]}}"},
                    {"POST", "/bulk", "{\"ids\":[\"$\"],\"fields\":{\"roles\":[\"datacentre\"]}}"},
                    {"POST", "/import", "id,roles\n$,operations\n"},
                    {"POST", "/import",
                     "name,kind,start,roles\n"
                     "canary,employee,2026-01-01,security\n"}}},
    [GATE_ONBOARDING] = {"persons",
                         "{\"name\":\"canary\",\"kind\":\"employee\",\"start\":\"2026-01-01\"}",
                         {"{\"move\":\"begin\"}"},
                         "S10",
                         {{"POST", "/$/move", "{\"move\":\"activate\"}"},
                          {"POST", "/bulk", "{\"ids\":[\"$\"],\"move\":\"activate\"}"},
                          {"POST", "/import", "id,state\n$,active\n"}}},
    [GATE_ENTRY] = {"dc-tickets",
                    "{\"person\":\"@\",\"site\":\"canary\",\"purpose\":\"canary\",\"window_from\":"
                    "\"2026-01-01T00:00:00Z\",\"window_to\":\"2099-01-01T00:00:00Z\"}",
                    {NULL},
                    "S31",
                    {{"POST", "/$/move",
                      "{\"move\":\"enter\",\"fields\":{\"factors\":"
                      "[\"card\",\"code\",\"iris\"]}}"},
                     {"POST", "/$/move",
                      "{\"move\":\"enter\",\"fields\":{\"approved_by\":\"@\","
                      "\"factors\":[\"card\"]}}"},
                     {"POST", "/$/move", "{\"move\":\"approve\"}"},
                     {"POST", "/bulk",
                      "{\"ids\":[\"$\"],\"move\":\"enter\",\"fields\":"
                      "{\"factors\":[\"card\"]}}"},
                     {"POST", "/import", "id,approved_by\n$,@\n"},
                     {"POST", "/import", "id,state\n$,entered\n"}}},
    [GATE_APPROVAL] = {"changes",
                       "{\"summary\":\"canary\",\"kind\":\"normal\",\"risk\":\"low\",\"commit\":"
                       "\"0\",\"tests\":\"none\",\"rollback\":\"none\"}",
                       {"{\"move\":\"submit\"}"},
                       "four eyes",
                       {{"POST", "/$/move", "{\"move\":\"approve\"}"},
                        {"POST", "/$/move",
                         "{\"move\":\"approve\",\"fields\":{\"approved_by\":"
                         "\"@\"}}"},
                        {"POST", "/$/move", "{\"move\":\"deploy\"}"},
                        {"POST", "/bulk", "{\"ids\":[\"$\"],\"move\":\"approve\"}"},
                        {"POST", "/import", "id,approved_by\n$,@\n"},
                        {"POST", "/import", "id,state\n$,approved\n"}}},
    [GATE_SUPPLIER] = {"suppliers",
                       "{\"name\":\"canary #\",\"tier\":\"one\",\"service\":\"canary\"}",
                       {NULL},
                       NULL,
                       {{"POST", "/$/move",
                         "{\"move\":\"activate\",\"fields\":{\"contract\":"
                         "\"" DIGEST "\",\"clause_confidentiality\":true,"
                         "\"clause_availability\":true,"
                         "\"clause_integrity\":true}}"},
                        {"POST", "/$/move", "{\"move\":\"approve\",\"fields\":{\"score\":100}}"},
                        {"POST", "/bulk", "{\"ids\":[\"$\"],\"move\":\"activate\"}"},
                        {"POST", "/import", "id,assessed_on,assessed_by\n$,2026-01-01,@\n"},
                        {"POST", "/import", "name,tier,service,state\ncanary #,one,x,active\n"}}},
    [GATE_PURPOSE] =
        {"purposes",
         NULL,
         {NULL},
         "role: hr",
         {{"PUT", "/$", "{\"zones\":[\"lobby\",\"datacentre\"]}"},
          {"POST", "/$/move", "{\"move\":\"adopt\",\"fields\":{\"why\":\"canary\"}}"},
          {"POST", "/$/move", "{\"move\":\"withdraw\",\"reason\":\"canary\"}"},
          {"POST", "",
           "{\"name\":\"canary #\",\"role\":\"canary\",\"holders\":[\"visitor\"],"
           "\"zones\":[\"datacentre\"]}"},
          {"POST", "/bulk", "{\"ids\":[\"$\"],\"fields\":{\"zones\":[\"datacentre\"]}}"},
          {"POST", "/import", "id,zones\n$,datacentre\n"},
          {"POST", "/import", "name,role,holders,zones\ncanary #,canary,visitor,datacentre\n"}}},
};
