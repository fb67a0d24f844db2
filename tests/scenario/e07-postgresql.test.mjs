// The databases in a PostgreSQL of the test's own: rows apart, a server that goes and comes back, a role that is refused;
// and the unit tests that have a half for a server.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {canaryPerson} from '../lib/canary.mjs';
import {Postgres, hasPostgres} from '../lib/postgres.mjs';
import {Stack, root, run, until} from '../lib/stack.mjs';

const skip = !hasPostgres && 'postgresql-15 is not installed';
let server, stack, person;

before(async () => {
  if (skip) return;
  server = await Postgres.start();
  stack = await Stack.start({app: null, store: server.url()});
  const {client, token} = await canaryPerson(stack, 0);
  const {assertion} = (await client.get('/.rempart/canary/')).json();
  person = async (method, target, body) => {
    const answer = await client.request(method, `/.rempart/api/v1/${target}`, {body: body && JSON.stringify(body), timeout: 8000,
      headers: {accept: 'application/json', authorization: `Bearer ${token}`, 'rempart-assertion': assertion,
        ...(body && {'content-type': 'application/json'})}});
    return {status: answer.status, json: answer.body.length ? answer.json() : null};
  };
});
after(async () => {
  await stack?.stop();
  await server?.stop();
});

const tenants = text => server.sql(text, {schema: 'rempart_tenants'});

/*= S66 type=test */
test('the owner of the tables sees the rows of the tenant that was said, and without one an error', {skip}, async () => {
  assert.equal((await person('POST', 'spaces/e-pg', {text: 'été'})).status, 201);
  const [one, other] = (await server.sql('SELECT encode(tenant, \'hex\') FROM rempart_tenants.owner', {user: 'postgres'})).split('\n');
  assert.ok(one && other, 'the canaries have two');
  await assert.rejects(tenants('SELECT count(*) FROM record'), /rempart\.tenant/);
  const sees = async tenant => (await tenants(`SET rempart.tenant = '${tenant}'; SELECT DISTINCT encode(tenant, 'hex') FROM tenant_key`));
  assert.deepEqual([await sees(one), await sees(other)], [one, other]);
  await assert.rejects(tenants(`SET rempart.tenant = '${one}'; UPDATE tenant_key SET tenant = decode('${other}', 'hex')`), /row-level security/);
});

test('a server that is stopped is 503 at once, nothing is half-done, and core goes on when it is back', {skip}, async () => {
  const core = await stack.pid('core');
  const count = () => server.sql('SELECT count(*) FROM rempart_tenants.record WHERE collection = \'e-pg\'', {user: 'postgres'});
  const rows = await count();
  for (const signal of ['SIGINT', 'SIGQUIT']) {
    await server.halt(signal);
    assert.equal((await person('POST', 'spaces/e-pg', {text: 'lost'})).status, 503);
    assert.equal((await person('GET', 'spaces/e-pg')).status, 503);
    await server.go();
    const back = Date.now();
    await until('a reading is answered', async () => (await person('GET', 'spaces/e-pg')).status === 200);
    assert.ok(Date.now() - back < 2000, `${Date.now() - back} ms`);
    assert.equal(await count(), rows);
  }
  assert.equal((await person('POST', 'spaces/e-pg', {text: 'kept'})).status, 201);
  assert.equal(await count(), String(Number(rows) + 1));
  assert.equal(await stack.pid('core'), core);
});

/*= S67 type=test */
test('a superuser as the role is refused at the start, with what to do', {skip}, async () => {
  const refused = await Stack.start({app: null, store: server.url({user: 'postgres', schema: 'other'}), expectReady: false});
  try {
    await until('it is said', async () => /superuser or has BYPASSRLS.*name a role without both/.test(refused.log));
  } finally { await refused.stop(); }
});

// What holds with files holds here: the same tests, each world of theirs in a schema of its own.
const rooms = ['store', 'clock', 'notify', 'identity', 'spaces', 'register'];
const filesOnly = /(sqlite|upgrade|checkpoint)_test$/;

test('the units that keep anything hold with a server', {skip}, async () => {
  const programs = rooms.flatMap(room => fs.readdirSync(path.join(root, 'build/tests/unit', room))
    .filter(name => name.endsWith('_test') && !filesOnly.test(name)).map(name => path.join(root, 'build/tests/unit', room, name)));
  assert.ok(programs.length > 30, `${programs.length}`);
  const env = {...process.env, REMPART_SOURCE: root, REMPART_KMS: path.join(root, 'build/daemons/kms/rempart-kms'),
    REMPART_LEDGER: path.join(root, 'build/daemons/ledger/rempart-ledger'), REMPART_STORE: server.url(),
    REMPART_STORE_SUPERUSER: server.url({user: 'postgres', schema: 'super'})};
  const one = async program => {
    const {code, stdout, stderr} = await run(program, [], {env, seconds: 120});
    assert.equal(code, 0, `${path.basename(program)}: ${stdout}${stderr}`.slice(-4000));
  };
  for (const half of [0, 1].map(n => programs.filter((_, at) => at % 2 === n)).map(async list => { for (const program of list) await one(program); })) await half;
});

test('the registers’ stories hold with a server, and the saboteurs of rows turn the page red there, too', {skip}, async () => {
  const {NODE_TEST_CONTEXT, ...env} = process.env; // this file's own runner
  for (const name of ['scenario/e01-registers', 'scenario/e02-register-stories', 'sabotage/data', 'sabotage/registers', 'sabotage/evidence']) {
    const {code, stdout} = await run(process.execPath, ['--test', '--test-reporter=tap', path.join(root, `tests/${name}.test.mjs`)],
      {env: {...env, REMPART_TEST_STORE: server.url()}, seconds: 240});
    assert.equal(code, 0, `${name}: ${stdout.split('\n').filter(line => /not ok|error:/.test(line)).join('\n')}`);
  }
});
