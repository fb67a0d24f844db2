// Evidence that somebody alters, or takes out of the database file, turns its sentence red; a copy where
// only a digest may be turns S8 red.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {partNow, sql} from '../lib/sabotage.mjs';
import {Stack, until} from '../lib/stack.mjs';

let stack, person, audit;
const file = () => stack.file('db/system.db');
const report = crypto.randomBytes(700_000); // three pieces
const digest = crypto.createHash('sha256').update(report).digest('hex');
const date = days => new Date(Date.now() + days * 86400e3).toISOString().slice(0, 10);

async function register(...args) {
  const {code, stdout, stderr} = await stack.rempart('register', ...args, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function becomes(promise, probe, statuses) {
  await until(`${promise}/${probe} ${statuses}`, async () => {
    const part = await partNow(stack, promise, probe);
    if (!statuses.includes(part.status)) throw new Error(`${part.status}: ${part.detail}`);
    return true;
  }, {seconds: 30, every: 300});
}

before(async () => {
  stack = await Stack.start({app: null});
  fs.writeFileSync(stack.file('report.pdf'), report);
  person = (await register('new', 'persons', 'name=Ann', 'kind=employee', `start=${date(-9)}`)).id;
  audit = (await register('new', 'audits', 'scope=all', 'kind=independent', 'auditor=X', `planned_on=${date(3)}`)).id;
  await register('move', 'audits', audit, 'start');
  await register('move', 'audits', audit, 'report', `report=${digest} report.pdf`);
});
after(() => stack?.stop());

/*= S19 type=test */
test('a report that is altered or taken away turns S19 red', async () => {
  const attached = await stack.rempart('register', 'attach', 'audits', audit, 'report', stack.file('report.pdf'));
  assert.equal(attached.code, 0, attached.stderr);
  const again = await stack.rempart('register', 'attach', 'audits', audit, 'report', stack.file('report.pdf'));
  assert.equal(again.code, 0, 'the same file again changes nothing');
  assert.equal(await sql(file(), 'SELECT count(*) FROM register_piece'), '3');
  const {changes} = JSON.parse((await stack.rempart('register', 'show', 'audits', audit, '--summary')).stdout);
  assert.deepEqual(changes.at(-1).filed, {bytes: report.length, pieces: 3, sha256: digest});
  const ann = await stack.firstAdministrator();
  const read = await ann.get(`/.rempart/api/v1/registers/audits/${audit}/files?sha256=${digest}`);
  assert.equal(read.status, 200);
  assert.equal(read.headers['content-disposition'], 'attachment');
  await becomes('audits', 'compliance.audit_reports', ['declared']);
  await sql(file(), `CREATE TABLE kept AS SELECT * FROM register_piece`);
  await sql(file(), `UPDATE register_piece SET sealed = zeroblob(length(sealed)) WHERE piece = 1`);
  await becomes('audits', 'compliance.audit_reports', ['failing']);
  assert.notEqual((await ann.get(`/.rempart/api/v1/registers/audits/${audit}/files?sha256=${digest}`)).status, 200);
  await sql(file(), 'DELETE FROM register_piece; INSERT INTO register_piece SELECT * FROM kept');
  await becomes('audits', 'compliance.audit_reports', ['declared']);
  await sql(file(), 'DELETE FROM register_piece WHERE piece = 2');
  await becomes('audits', 'compliance.audit_reports', ['failing']);
  await sql(file(), 'DELETE FROM register_piece; INSERT INTO register_piece SELECT * FROM kept');
  await becomes('audits', 'compliance.audit_reports', ['declared']);
});

test('what no field names, what is another, and what is too large is refused', async () => {
  const ann = await stack.firstAdministrator().catch(() => null);
  assert.equal(ann, null, 'the link works once');
  fs.writeFileSync(stack.file('other.pdf'), 'x');
  fs.writeFileSync(stack.file('large.pdf'), Buffer.alloc(16 * 1024 * 1024 + 1));
  assert.notEqual((await stack.rempart('register', 'attach', 'audits', audit, 'scope', stack.file('other.pdf'))).code, 0);
  assert.notEqual((await stack.rempart('register', 'attach', 'audits', audit, 'report', stack.file('large.pdf'))).code, 0);
});

/*= S8 type=test */
test('a copy with a background check is refused, and turns S8 red where somebody puts one', async () => {
  await becomes('background-items', 'people.no_record_copy', ['not-met']);
  const check = (await register('new', 'background-checks', `person=${person}`)).id;
  await becomes('background-items', 'people.no_record_copy', ['proven']);
  const refused = await stack.rempart('register', 'attach', 'background-checks', check, 'report_sha256', stack.file('report.pdf'));
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /digest only/);
  const row = await sql(file(), `SELECT row FROM register_record WHERE id = x'${check}'`);
  await sql(file(), `INSERT INTO register_piece VALUES (${row}, zeroblob(32), 0, x'636f7079', zeroblob(32))`);
  await becomes('background-items', 'people.no_record_copy', ['failing']);
  await sql(file(), `DELETE FROM register_piece WHERE record = ${row}`);
  await becomes('background-items', 'people.no_record_copy', ['proven']);
});

/*= S83 type=test */
test('a sealed field that somebody writes open turns S83 red', async () => {
  const {components} = (await stack.client().get('/.rempart/api/openapi.json')).json();
  assert.equal(components.schemas.persons.properties.name['x-sealed'], true, 'the map is public');
  await becomes('encrypted-fields', 'data.field_map', ['proven']);
  await sql(file(), `UPDATE register_record SET body = json_set(body, '$.name', 'Ann') WHERE id = x'${person}'`);
  await becomes('encrypted-fields', 'data.field_map', ['failing']);
  await sql(file(), `UPDATE register_record SET body = json_remove(body, '$.name') WHERE id = x'${person}'`);
  await becomes('encrypted-fields', 'data.field_map', ['proven']);
});

/*= S171 type=test */
test('somebody without the second factor that is demanded turns S171 red', async () => {
  await becomes('customer-mfa', 'customer.mfa_share', ['proven']);
  await sql(file(), `CREATE TABLE factors AS SELECT id, totp_sealed FROM person`);
  await sql(file(), `UPDATE person SET totp_sealed = NULL WHERE id = (SELECT id FROM person ORDER BY id DESC LIMIT 1)`);
  await becomes('customer-mfa', 'customer.mfa_share', ['failing']);
  await sql(file(), `UPDATE person SET totp_sealed = (SELECT totp_sealed FROM factors WHERE factors.id = person.id)`);
  await becomes('customer-mfa', 'customer.mfa_share', ['proven']);
});
