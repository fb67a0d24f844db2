// Sentences that the registers' own state proves, one row each: what must be there, how whoever can
// write the database file breaks it, and that the page turns red and good again.
//
// The records come from the example company. Its records prove nothing (the first test shows that),
// so they are first taken for real ones by altering the file, which only core, with its key, sees:
// that it does is the last test.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {partNow, sql} from '../lib/sabotage.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack;
const good = ['proven', 'declared'];
const file = () => stack.file('db/system.db');

async function becomes(promise, probe, statuses) {
  await until(`${promise}/${probe} ${statuses}`, async () => {
    const part = await partNow(stack, promise, probe);
    if (!statuses.includes(part.status)) throw new Error(`${part.status}: ${part.detail}`);
    return true;
  }, {seconds: 30, every: 300});
}

async function pick(register, condition) {
  const id = await sql(file(), `SELECT lower(hex(id)) FROM register_record WHERE register = '${register}' AND ${condition} ORDER BY number LIMIT 1`);
  assert.match(id, /^[0-9a-f]{32}$/, `${register}: no record where ${condition}`);
  return id;
}

// A record's own row altered; back as it was.
const row = (register, set, condition) => async () => {
  const id = await pick(register, condition);
  const columns = 'state, body, created_ms';
  await sql(file(), `CREATE TABLE kept AS SELECT ${columns} FROM register_record WHERE id = x'${id}'`);
  await sql(file(), `UPDATE register_record SET ${set} WHERE id = x'${id}'`);
  return () => sql(file(), `UPDATE register_record SET (${columns}) = (SELECT ${columns} FROM kept) WHERE id = x'${id}'; DROP TABLE kept`);
};

// A deadline that passed while nobody looked.
const clock = (register, name, condition) => async () => {
  const id = await pick(register, condition);
  const where = `subject = x'${id}' AND name = '${name}'`;
  const due = await sql(file(), `SELECT due_ms FROM clock WHERE ${where}`);
  assert.match(due, /^\d+$/);
  await sql(file(), `UPDATE clock SET due_ms = ${Date.now() - 86400e3}, next_ms = NULL WHERE ${where}`);
  return () => sql(file(), `UPDATE clock SET due_ms = ${due} WHERE ${where}`);
};

const rows = [
  /*= S4 type=test */
  ['security-management-system', 'compliance.isms_complete', row('controls', `body = json_remove(body, '$.owner')`, `1`)],
  /*= S5 type=test */
  ['policies', 'compliance.policies_acknowledged', row('documents', `body = json_set(body, '$.theme', 'security')`, `body ->> '$.theme' = 'integrity'`)],
  /*= S7 type=test */
  ['background-agencies', 'people.agency_contract', row('suppliers', `body = json_set(body, '$.contract_end', '2020-01-01')`, `body ->> '$.name' = 'Vérif & Fils'`)],
  /*= S8 type=test */
  ['background-items', 'people.background_items', row('background-checks', `body = json_remove(body, '$.education_on')`, `state = 'cleared'`)],
  /*= S10 type=test */
  ['onboarding-gate', 'people.onboarding_overdue', clock('persons', 'onboard', "state = 'onboarding'")],
  /*= S12 type=test */
  ['role-training', 'training.role_tracks', row('training', `state = 'failed'`, `body ->> '$.track' = 'security'`)],
  /*= S16 type=test */
  ['team-duties', 'teams.alert_acknowledgement', row('alerts', `body = json_set(body, '$.severity', 'critical', '$.raised_at', '2020-01-01T00:00:00Z')`, `body ->> '$.kind' = 'alert'`)],
  /*= S19 type=test */
  ['audits', 'compliance.audits', row('controls', `body = json_set(body, '$.audited_on', '2020-01-01')`, `state = 'operating'`)],
  /*= S19 type=test */
  ['audits', 'compliance.audit_reports', row('audits', `body = json_remove(body, '$.report')`, `1`)],
  /*= S23 type=test */
  ['workstations-secure', 'endpoint.disk_encrypted', row('workstations', `body = json_set(body, '$.disk_encrypted', json('false'))`, `state = 'compliant'`)],
  /*= S23 type=test */
  ['workstations-secure', 'endpoint.password_and_lock', row('workstations', `body = json_set(body, '$.lock_minutes', 30)`, `state = 'compliant'`)],
  /*= S27 type=test */
  ['purposes-by-hr', 'premises.purposes_reviewed', row('purposes', `body = json_set(body, '$.reviewed_on', '2020-01-01')`, `state = 'in_force'`)],
  /*= S29 type=test */
  ['colocation', 'datacentre.contract', row('suppliers', `body = json_set(body, '$.certificate_end', '2020-01-01')`, `body ->> '$.name' = 'Hébergement Rhône'`)],
  /*= S30 type=test */
  ['datacentre-group', 'datacentre.group_size', row('teams', `body = json_set(body, '$.ceiling', 0)`, `body ->> '$.field' = 'datacentre'`)],
  /*= S30 type=test */
  ['datacentre-group', 'datacentre.group_reviewed', row('access-reviews', `state = 'revoke'`, `body ->> '$.right_name' = 'Administration de la base'`)],
  /*= S31 type=test */
  ['datacentre-tickets', 'datacentre.entries_covered', row('dc-tickets', `body = json_set(body, '$.entered_at', '2020-01-01T00:00:00Z')`, `state = 'closed'`)],
  /*= S32 type=test */
  ['datacentre-factors', 'datacentre.factors', row('dc-tickets', `body = json_set(body, '$.factors', json('["card","code"]'))`, `state = 'closed'`)],
  /*= S32 type=test */
  ['datacentre-factors', 'datacentre.factors_attested', row('suppliers', `body = json_set(body, '$.lock_attestation_end', '2020-01-01')`, `body ->> '$.name' = 'Hébergement Rhône'`)],
  /*= S33 type=test */
  ['incident-records', 'premises.extraction_drill', row('footage', `created_ms = created_ms - 999999999`, `state = 'handed_over'`)],
  /*= S34 type=test */
  ['cameras', 'premises.cameras_alive', row('cameras', `body = json_set(body, '$.last_image', '2020-01-01T00:00:00Z')`, `1`)],
  /*= S34 type=test */
  ['cameras', 'premises.cameras_lawful', row('cameras', `body = json_set(body, '$.signposted', json('false'))`, `1`)],
  /*= S35 type=test */
  ['footage-retention', 'premises.footage_age', row('cameras', `body = json_set(body, '$.last_purge', '2020-01-01')`, `1`)],
  /*= S42 type=test */
  ['firewall-quarterly-review', 'network.rules_unused', row('firewall-rules', `body = json_set(body, '$.hits', 0)`, `state = 'in_force'`)],
  /*= S43 type=test */
  ['operations-centre', 'teams.operations_drill', row('alerts', `body = json_set(body, '$.raised_at', strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-5 days'))`, `body ->> '$.kind' = 'synthetic'`)],
  /*= S45 type=test */
  ['redundancy', 'continuity.no_single_point', row('redundancy', `state = 'degraded'`, `1`)],
  /*= S46, S47 type=test */
  ['server-failure', 'continuity.kill_one', row('redundancy', `body = json_set(body, '$.failure_lost_writes', 3)`, `body ->> '$.kind' = 'server'`)],
  /*= S48, S49 type=test */
  ['network-redundancy', 'network.link_state', row('redundancy', `body = json_set(body, '$.link_state', 'degraded')`, `body ->> '$.kind' = 'switch'`)],
  /*= S48, S49 type=test */
  ['network-redundancy', 'network.link_down_drill', row('redundancy', `body = json_set(body, '$.link_drill_seconds', 40)`, `body ->> '$.kind' = 'gateway'`)],
  /*= S50 type=test */
  ['ddos-providers', 'ddos.contract', row('ddos', `body = json_set(body, '$.contract_end', '2020-01-01')`, `body ->> '$.kind' = 'contract'`)],
  /*= S59, S60 type=test */
  ['upstream-scrubbing', 'ddos.scrubbing_attested', row('ddos', `body = json_remove(body, '$.supplier')`, `body ->> '$.kind' = 'contract'`)],
  /*= S59, S60 type=test */
  ['upstream-scrubbing', 'ddos.report_delay', row('ddos', `body = json_set(body, '$.started_at', '2020-01-01T00:00:00Z')`, `state = 'mitigated'`)],
  /*= S69 type=test */
  ['data-location', 'data.hosts_listed', row('assets', `body = json_remove(body, '$.site')`, `body ->> '$.kind' = 'server'`)],
  /*= S69 type=test */
  ['data-location', 'data.hosts_attested', row('suppliers', `body = json_remove(body, '$.country')`, `body ->> '$.name' = 'Hébergement Rhône'`)],
  /*= S71 type=test */
  ['no-sharing', 'tenant.disclosures_consented', row('disclosures', `body = json_remove(body, '$.consent')`, `1`)],
  /*= S92 type=test */
  ['idle-accounts', 'retention.idle_notices', row('account-ends', `body = json_remove(body, '$.export_offered_on')`, `body ->> '$.why' = 'idle'`)],
  /*= S93, S94 type=test */
  ['disposal-agent', 'media.agent_authorised', row('media-disposal', `body = json_remove(body, '$.agent')`, `1`)],
  /*= S93, S94 type=test */
  ['disposal-agent', 'media.store_zone', row('media-disposal', `body = json_remove(body, '$.zone')`, `1`)],
  /*= S95 type=test */
  ['disposal-format', 'media.erasure_verified', row('media-disposal', `body = json_remove(body, '$.verifier')`, `1`)],
  /*= S96 type=test */
  ['disposal-disks', 'media.disks_destroyed', row('media-disposal', `body = json_set(body, '$.method', 'overwrite')`, `body ->> '$.media' = 'hdd'`)],
  /*= S96 type=test */
  ['disposal-disks', 'media.disks_certificate', row('media-disposal', `body = json_remove(body, '$.certificate')`, `body ->> '$.media' = 'hdd'`)],
  /*= S97 type=test */
  ['disposal-ssd', 'media.ssd_destroyed', row('media-disposal', `body = json_set(body, '$.method', 'overwrite')`, `body ->> '$.media' = 'ssd'`)],
  /*= S97 type=test */
  ['disposal-ssd', 'media.ssd_certificate', row('media-disposal', `body = json_remove(body, '$.certificate')`, `body ->> '$.media' = 'ssd'`)],
  /*= S105 type=test */
  ['least-privilege', 'admin.roles_checked', row('persons', `state = 'suspended'`, `body ->> '$.roles' LIKE '%security%'`)],
  /*= S105 type=test */
  ['least-privilege', 'admin.roles_reviewed', row('access-reviews', `state = 'revoke'`, `body ->> '$.right_name' = 'Administration de la base'`)],
  /*= S116 type=test */
  ['vulnerability-scanning', 'vuln.scans_recent', row('pentests', `body = json_remove(body, '$.report')`, `body ->> '$.kind' = 'automated'`)],
  /*= S116 type=test */
  ['vulnerability-scanning', 'vuln.pentest_report', row('pentests', `body = json_remove(body, '$.report')`, `body ->> '$.kind' = 'manual'`)],
  /*= S119 type=test */
  ['vulnerability-closure', 'vuln.in_time', clock('vulnerabilities', 'triage', "state = 'new'")],
  /*= S119 type=test */
  ['vulnerability-closure', 'vuln.closed_absent', row('vulnerabilities', `body = json_remove(body, '$.rescan')`, `state = 'verified'`)],
  /*= S145, S146 type=test */
  ['utilities', 'continuity.utilities', row('redundancy', `body = json_set(body, '$.tested_on', '2020-01-01')`, `body ->> '$.kind' = 'ups'`)],
  /*= S145, S146 type=test */
  ['utilities', 'continuity.utilities_reports', row('redundancy', `body = json_remove(body, '$.report')`, `body ->> '$.kind' = 'ups'`)],
  /*= S147 type=test */
  ['continuity-plan', 'continuity.plan_approved', row('continuity', `state = 'draft'`, `body ->> '$.field' = 'support'`)],
  /*= S147 type=test */
  ['continuity-plan', 'continuity.plan_exercised', row('continuity', `body = json_set(body, '$.measured_rto', 99)`, `body ->> '$.field' = 'support'`)],
  /*= S149 type=test */
  ['incident-team', 'incident.pager_drill', row('teams', `body = json_set(body, '$.pager_tested_on', '2020-01-01')`, `body ->> '$.field' = 'incident'`)],
  /*= S150 type=test */
  ['incident-notice', 'incident.notices', row('incidents', `body = json_remove(body, '$.notice')`, `1`)],
  /*= S151 type=test */
  ['incident-closure', 'incident.corrected', row('findings', `state = 'open'`, `body ->> '$.summary' = 'Rotation du journal à surveiller'`)],
  /*= S152 type=test */
  ['incident-evidence', 'incident.evidence_package', row('evidence-packages', `body = json_remove(body, '$.proof')`, `1`)],
  /*= S153 type=test */
  ['incident-recurrence', 'incident.recurrence_probes', row('findings', `body = json_remove(body, '$.probe')`, `body ->> '$.summary' = 'Rotation du journal à surveiller'`)],
  /*= S156 type=test */
  ['targeted-notice', 'incident.receipts', row('communications', `body = json_set(body, '$.receipts', 0)`, `body ->> '$.audience' = 'targeted'`)],
  /*= S158 type=test */
  ['authority-notification', 'breach.in_time', row('breaches', `body = json_set(body, '$.aware_at', '2020-01-01T00:00:00Z')`, `body ->> '$.role' = 'controller'`)],
  /*= S158 type=test */
  ['authority-notification', 'breach.dossier_drill', row('breaches', `body = json_remove(body, '$.dossier')`, `body ->> '$.role' = 'controller'`)],
  /*= S159 type=test */
  ['customer-notification', 'breach.decisions', row('breaches', `body = json_set(body, '$.high_risk', json('true'))`, `body ->> '$.role' = 'controller'`)],
  /*= S160 type=test */
  ['processor-notification', 'breach.controllers', row('breaches', `body = json_set(body, '$.aware_at', '2020-01-01T00:00:00Z')`, `body ->> '$.role' = 'processor'`)],
  /*= S161 type=test */
  ['bounty-programme', 'disclosure.bounty_figures', row('bounty', `state = 'new'`, `1`)],
  /*= S162 type=test */
  ['report-handling', 'disclosure.stages', row('bounty', `body = json_set(body, '$.reproduced', json('false'))`, `1`)],
  /*= S166 type=test */
  ['supplier-onboarding', 'supplier.onboarded', row('suppliers', `body = json_remove(body, '$.risk')`, `state = 'active'`)],
  /*= S167 type=test */
  ['supplier-agreements', 'supplier.clauses', row('suppliers', `body = json_set(body, '$.clause_integrity', json('false'))`, `state = 'active'`)],
  /*= S167 type=test */
  ['supplier-agreements', 'supplier.contracts', row('suppliers', `body = json_remove(body, '$.contract')`, `state = 'active'`)],
  /*= S168 type=test */
  ['supplier-review', 'supplier.reviewed', row('suppliers', `state = 'review_due'`, `state = 'active'`)],
];

before(async () => {
  stack = await Stack.start({app: null});
  const {code, stderr} = await stack.rempart('register', 'example', 'load');
  assert.equal(code, 0, stderr);
});
after(() => stack?.stop());

test('the example alone makes no sentence good', async () => {
  for (const [promise, probe] of rows) await becomes(promise, probe, ['not-met']);
});

test('taken for real, it does', async () => {
  await until('the deadlines that are past', async () => (await sql(file(), `SELECT count(*) FROM clock WHERE next_ms < ${Date.now()}`)) === '0');
  const real = {
    // What the company shows as not in order is put in order.
    acknowledgements: [`state = 'signed'`, `state = 'overdue' OR state = 'due' AND json_extract(body, '$.kind') = 'policy'`],
    training: [`state = 'passed'`, `state = 'remedial'`],
    workstations: [`state = 'retired'`, `state = 'non_compliant'`],
    'firewall-rules': [`state = 'removed'`, `state = 'unreviewed'`],
    certificates: [`state = 'withdrawn'`, `state = 'expired'`],
    suppliers: [`state = 'active', body = json_set(body, '$.assessed_on', date('now', '-20 days'))`, `state = 'review_due'`],
  };
  for (const [register, [set, condition]] of Object.entries(real)) {
    await sql(file(), `UPDATE register_record SET ${set} WHERE register = '${register}' AND (${condition})`);
  }
  await sql(file(), 'UPDATE register_record SET example = 0');
  for (const [promise, probe] of rows) await becomes(promise, probe, good);
});

for (const [promise, probe, sabotage] of rows) {
  test(`${promise}: ${probe} turns red, and good again`, async () => {
    const mend = await sabotage();
    try {
      await becomes(promise, probe, ['failing']);
    } finally {
      await mend();
    }
    await becomes(promise, probe, good);
  });
}

test('core, which holds the key, reads none of the altered rows', async () => {
  const id = await pick('isms', '1');
  assert.notEqual((await stack.rempart('register', 'show', 'isms', id)).code, 0);
});
