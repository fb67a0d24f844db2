// The registers' gates, as the canary tries them: green as shipped. Then whoever runs the machine weakens
// the registers' files, or takes the canary's own row away: each sentence turns red, and good again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

// A tree of its own, whose registers may be edited: the program finds them beside its folder.
const source = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-tree-'));
for (const folder of ['promises', 'registers', 'examples', 'VERSION']) {
  fs.cpSync(path.join(source, folder), path.join(tree, folder), {recursive: true});
}
fs.cpSync(path.resolve(process.env.REMPART_BIN || path.join(source, 'build/bin')), path.join(tree, 'build/bin'), {recursive: true});
process.env.REMPART_BIN = path.join(tree, 'build/bin');
const {crash, partNow, sql} = await import('../lib/sabotage.mjs');
const {Staff} = await import('../lib/staff.mjs');
const {Stack, until} = await import('../lib/stack.mjs');

let stack;
const gates = {
  /*= S9 type=test */
  S9: ['no-risk-before-check', 'people.risk_role_refused'],
  /*= S10 type=test */
  S10: ['onboarding-gate', 'people.unsigned_refused'],
  /*= S27 type=test */
  S27: ['purposes-by-hr', 'premises.purpose_edit_refused'],
  /*= S31 type=test */
  S31: ['datacentre-tickets', 'datacentre.entry_refused'],
  /*= S62 type=test */
  S62: ['change-control', 'change.self_approval_refused'],
  /*= S62 type=test */
  'S62 deployment': ['change-control', 'change.unapproved_refused'],
  /*= S165 type=test */
  S165: ['supplier-evaluation', 'supplier.unassessed_refused'],
};

async function becomes(gate, status) {
  return until(`${gate} ${status}`, async () => {
    const part = await partNow(stack, ...gates[gate]);
    if (part.status !== status) throw new Error(`${part.status}: ${part.detail}`);
    return part;
  }, {seconds: 100, every: 500});
}

// What an operator might change in a register's file, one word at a time.
function edit(register, from, to) {
  const file = path.join(tree, 'registers', `${register}.yaml`);
  const text = fs.readFileSync(file, 'utf8');
  assert.ok(text.includes(from), `${register}: ${from}`);
  fs.writeFileSync(file, text.replace(from, to));
}

async function restart() {
  await stack.down();
  await stack.up();
}

before(async () => { stack = await Stack.start({app: null}); });
after(async () => {
  await stack?.stop();
  fs.rmSync(tree, {recursive: true, force: true});
});

test('as shipped, each gate refuses the canary', async () => {
  for (const gate of Object.keys(gates)) await becomes(gate, 'proven');
});

test('what the canary writes is in no list, no search, no deadline', async () => {
  const {stdout} = await stack.rempart('register', 'list', 'persons', '--json');
  assert.deepEqual(JSON.parse(stdout), []);
  assert.notEqual((await stack.rempart('register', 'search', 'canary')).code, 0);
  const file = stack.file('db/system.db');
  assert.ok(Number(await sql(file, "SELECT count(*) FROM register_record WHERE register LIKE '~%'")) > 5);
  assert.equal(await sql(file, 'SELECT count(*) FROM clock'), '0');
});

test('S10: an account whose record somebody took away goes in, and the page is red', async () => {
  const file = stack.file('db/system.db');
  const where = "register = '~persons' AND json_extract(body, '$.account') IS NOT NULL";
  await sql(file, `CREATE TABLE kept AS SELECT * FROM register_record WHERE ${where}`);
  await sql(file, `DELETE FROM register_record WHERE ${where}`);
  await becomes('S10', 'failing');
  await sql(file, 'INSERT INTO register_record SELECT * FROM kept; DROP TABLE kept');
  await becomes('S10', 'proven');
});

/*= S62 type=test */
test('S62: what runs is approved by its digest; a program exchanged without approval is red', async () => {
  const becomesRunning = async status => until(`running ${status}`, async () => {
    const part = await partNow(stack, 'change-control', 'change.running_approved');
    if (part.status !== status) throw new Error(`${part.status}: ${part.detail}`);
    return part.detail;
  }, {seconds: 30, every: 300});
  assert.match(await becomesRunning('not-met'), /rempart change propose/);
  const staff = new Staff(stack);
  const ann = await staff.first('Ann');
  const made = await stack.rempart('change', 'propose', '--json');
  assert.equal(made.code, 0, made.stderr);
  const {id, artefacts} = JSON.parse(made.stdout);
  for (const name of ['rempartd', 'rempart-core', 'nginx', 'ngx_http_rempart_module.so']) {
    assert.ok(artefacts.some(one => one.startsWith(`${name}@sha256:`)), `${name} in ${artefacts}`);
  }
  await staff.ownerMoves('changes', id, 'submit', {tests: 'all', rollback: 'the former release'});
  await becomesRunning('not-met');
  await staff.moves(ann, 'changes', id, 'approve');
  await becomesRunning('proven');
  const program = path.join(tree, 'build/bin/rempart-courier');
  fs.renameSync(program, `${program}.former`); // what runs keeps its file
  fs.copyFileSync(`${program}.former`, program);
  fs.appendFileSync(program, 'x');
  await becomesRunning('proven');
  await crash(stack, 'courier');
  assert.match(await becomesRunning('failing'), /1 of \d+ programs run without an approved change, first rempart-courier/);
  const {code, stdout} = await stack.rempart('change', 'running');
  assert.equal(code, 1);
  assert.match(stdout, /^refused +rempart-courier .*no change lists it/m);
  fs.renameSync(`${program}.former`, program);
  await crash(stack, 'courier');
  await becomesRunning('proven');
});

test('registers that were weakened by hand turn their sentences red, and good again', async () => {
  const kept = path.join(tree, 'kept');
  fs.cpSync(path.join(tree, 'registers'), kept, {recursive: true});
  // A role is no risk any more; who approved, who assessed, may be written by hand.
  edit('persons', '"Operations", risk]', '"Operations"]');
  edit('purposes', 'strict: true', 'strict: false');
  edit('dc-tickets', 'label: ["Approuvé par", "Approved by"], fixed: true', 'label: ["Approuvé par", "Approved by"]');
  edit('changes', 'label: ["Approuvé par", "Approved by"], fixed: true', 'label: ["Approuvé par", "Approved by"]');
  // Whoever wrote a change approves it, and writes down who did.
  edit('changes', 'not_by: [author], sign: true, needs: [commit], set: {approved_by: actor, approved_at: now}',
    'sign: true, needs: [commit], set: {approved_at: now}');
  edit('suppliers', 'label: ["Évalué par", "Assessed by"], fixed: true', 'label: ["Évalué par", "Assessed by"]');
  edit('suppliers', 'label: ["Évalué le", "Assessed on"], fixed: true', 'label: ["Évalué le", "Assessed on"]');
  await restart();
  for (const gate of ['S9', 'S27', 'S31', 'S62', 'S62 deployment', 'S165']) await becomes(gate, 'failing');
  fs.cpSync(kept, path.join(tree, 'registers'), {recursive: true, force: true});
  await restart();
  for (const gate of ['S9', 'S27', 'S31', 'S62', 'S62 deployment', 'S165']) await becomes(gate, 'proven');
});
