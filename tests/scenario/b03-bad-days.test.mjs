// Bad days of the running suite: a stopped role, a sealed key service, a newer file, a full disk.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import {after, before, test} from 'node:test';
import {canaryPerson} from '../lib/canary.mjs';
import {canaries, crash, sql, tenantFile} from '../lib/sabotage.mjs';
import {Stack, run, sleep, until} from '../lib/stack.mjs';

let stack, person;
before(async () => {
  stack = await Stack.start();
  person = await stack.firstAdministrator();
  assert.equal((await person.get('/')).status, 200);
});
after(() => stack?.stop());

const operatorLog = async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout;

/*= S101 type=test */
test('a replayed one-time code is refused, and an event', async () => {
  const thief = stack.client();
  Object.assign(thief, {email: person.email, password: person.password, seed: person.seed, lastStep: person.lastStep});
  await thief.signIn();
  assert.ok(thief.cookies['__Host-rempart']);
  const used = thief.lastStep;
  const second = stack.client();
  Object.assign(second, {email: person.email, password: person.password, seed: person.seed, lastStep: used - 1});
  await second.signIn();
  assert.equal(second.cookies['__Host-rempart'], undefined);
  await until('the event', async () => (await operatorLog()).includes('totp_replayed'));
});

// Of one source twenty refusals a second become leaves, and the probes share this one: then it is done again.
const refused = (path, reason, again) => until(`the event of ${path}`, async () => {
  await again();
  return (await operatorLog()).split('\n').some(line => line.includes('gate.refused') && line.includes(`"path":"${path}","reason":"${reason}"`));
}, {every: 500});

test('a made-up cookie, two cookies, and a cookie of another installation are no session, and an event', async () => {
  for (const value of ['A'.repeat(43), 'x', '', 'Zm9v'.repeat(100)]) {
    const answer = await stack.client({cookies: {'__Host-rempart': value}}).get('/made-up');
    assert.equal(answer.status, 302);
  }
  await refused('/made-up', 'no_session', () => stack.client({cookies: {'__Host-rempart': 'A'.repeat(43)}}).get('/made-up'));
  const twice = await stack.client().get('/', {headers: {cookie: `__Host-rempart=${person.cookies['__Host-rempart']}; __Host-rempart=${'A'.repeat(43)}`}});
  assert.equal(twice.status, 302);
});

/*= S68 type=test */
test('a person of one tenant never sees another tenant\'s log', async () => {
  const {stdout} = await stack.rempart('tenant', 'create', 'Boulangerie Martin');
  const tenant = stdout.trim();
  assert.match(tenant, /^[0-9a-f]{32}$/);
  const invited = await stack.rempart('person', 'invite', 'lea@example.com', '--tenant', tenant, '--role', 'admin');
  assert.equal(invited.code, 0, invited.stderr);
  const lea = await stack.enrol(invited.stdout.trim());
  assert.equal((await lea.get('/')).status, 200);
  const hers = JSON.stringify((await lea.get('/.rempart/api/v1/audit?newest=1&limit=200')).json());
  assert.ok(!hers.includes('record.created'));
  const log = await lea.get(`/.rempart/log/${canaries(stack)[0].tenant}/checkpoint`);
  assert.notEqual(log.status, 200);
  await refused('/.rempart/id/members', 'denied', async () =>
    assert.equal((await lea.post('/.rempart/id/members', {form: 'x'.repeat(32)})).status, 403));
});

// Every role's group opens the socket, so core asks the kernel who it is.
test('another role that speaks to core as if it were the gate is not heard',
  {skip: process.getuid() !== 0 && 'without root all roles are one user'}, async () => {
    const script = `const socket = require('node:net').connect(process.argv[1]);
      socket.on('close', () => process.exit(3));
      setTimeout(() => process.exit(0), 1500);`;
    const speakAs = user => run('setpriv', ['--reuid', user, '--regid', 'rempart', '--clear-groups',
      process.execPath, '-e', script, stack.file('run/core.sock')]);
    assert.equal((await speakAs('rempart-probe')).code, 3, 'the probe is turned away');
    assert.equal((await speakAs('rempart-gate')).code, 0, 'the gate is not');
  });

test('an application of its own group opens its socket and its token, and nothing else',
  {skip: process.getuid() !== 0 && 'without root there are no groups to tell apart'}, async () => {
    const script = `const fs = require('node:fs'), net = require('node:net'), path = require('node:path');
      const [state, ...files] = process.argv.slice(1);
      const opens = file => { try { fs.closeSync(fs.openSync(path.join(state, file))); return true; } catch { return false; } };
      const socket = net.connect(path.join(state, 'run/api.sock'));
      socket.on('error', () => { console.log(JSON.stringify({socket: false})); });
      socket.on('connect', () => {
        console.log(JSON.stringify({socket: true, files: files.filter(opens)})); socket.destroy(); });`;
    const secrets = ['db/system.db', 'canary/credentials.json', 'kms/unseal.key', 'ledger/key'];
    for (const file of secrets) assert.ok(fs.existsSync(stack.file(file)), file);
    const {stdout, stderr} = await run('setpriv', ['--reuid', 'nobody', '--regid', 'rempart-app', '--clear-groups',
      process.execPath, '-e', script, stack.state, 'apps/notes.token', ...secrets]);
    assert.deepEqual(JSON.parse(stdout), {socket: true, files: ['apps/notes.token']}, stderr);
  });

const children = pid => fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();

// Who may write a shared table may also cut it short, and touching what is gone ends a process by SIGBUS.
test('shared tables that are cut short take no role down, and are made good', async () => {
  const roles = ['core', 'ledger', 'gate', 'probe', 'hunt'];
  const who = async () => [...await Promise.all(roles.map(role => stack.pid(role))), children(await stack.pid('gate'))].join(' ');
  await until('every role', async () => (await stack.status()).roles.every(role => ['ready', 'idle'].includes(role.state)));
  const before = await who();
  const sizes = {};
  for (const name of ['probe.tab', 'hunt.tab', 'seen.tab', 'limits.tab', 'ring.0']) {
    sizes[name] = fs.statSync(stack.file('run', name)).size;
    fs.truncateSync(stack.file('run', name), name === 'probe.tab' ? 4096 : 0);
  }
  const page = await stack.client().get('/trust');
  assert.equal(page.status, 200, 'the page says stale, it does not fall');
  await until('the person reaches the application', async () => (await person.get('/')).status === 200);
  await until('the table of what was seen last', () => fs.statSync(stack.file('run/seen.tab')).size === sizes['seen.tab']);
  await until('the log says that records were lost', async () => (await operatorLog()).includes('bad records'));
  for (const promise of ['hsts', 'own-keys']) await stack.probe(promise);
  await until('what the probes saw', () => fs.statSync(stack.file('run/probe.tab')).size === sizes['probe.tab'] &&
    fs.statSync(stack.file('run/hunt.tab')).size === sizes['hunt.tab'], {seconds: 60});
  assert.equal(await who(), before, 'each process is the one it was');
});

// Buffers and arenas are used again, and a process may be read by whoever gets to be its user: what is over is wiped.
function memoryHolds(pid, texts) {
  const memory = fs.openSync(`/proc/${pid}/mem`, 'r'), found = [];
  try {
    for (const [, from, to, what] of fs.readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^(\w+)-(\w+) rw\S+ \S+ \S+ \d+ *(.*)$/gm)) {
      const bytes = Buffer.alloc(Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)));
      try { fs.readSync(memory, bytes, 0, bytes.length, BigInt(`0x${from}`)); } catch { continue; } // a page that nobody may read
      found.push(...texts.filter(text => bytes.includes(text)).map(text => `${text} in ${what || 'memory'}`));
    }
  } finally {
    fs.closeSync(memory);
  }
  return found;
}
test('what people typed and read is not in core\'s memory any more', {skip: process.getuid() !== 0 && 'only root reads another process'}, async () => {
  const note = 'Kx3 a note that core forgets', password = 'Zq7 a password that core forgets';
  const page = await person.get('/');
  assert.equal((await person.submit(page, {text: note})).status, 200);
  assert.ok((await person.get('/')).text.includes(note));
  const stranger = stack.client();
  const form = await stranger.get('/.rempart/id/sign-in');
  await stranger.submit(form, {email: person.email, password}, {action: 'sign-in'});
  const notes = stack.notes.pid; // who keeps no secret: else the search itself would be in doubt
  assert.notDeepEqual(memoryHolds(notes, [note]), []);
  await until('nothing left', async () => {
    const found = memoryHolds(await stack.pid('core'), [note, password, encodeURIComponent(password).replaceAll('%20', '+')]);
    if (found.length > 0) throw new Error(found.join('; '));
    return true;
  }, {seconds: 10});
});

test('core stopped: sessions live on for a while, pages that need core say so', async () => {
  const pid = await stack.pid('core');
  process.kill(pid, 'SIGSTOP');
  try {
    // The application itself is reached by an assertion that is still fresh.
    const answer = await person.get('/.rempart/log/public/checkpoint');
    assert.equal(answer.status, 200);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until('all well', async () => (await person.get('/')).status === 200);
});

test('the key service stopped: what needs a new key is refused with a retry, nothing half-done', async () => {
  const pid = await stack.pid('kms');
  process.kill(pid, 'SIGSTOP');
  let answer;
  try {
    const {code, stderr} = await stack.rempart('tenant', 'create', 'Never');
    assert.equal(code, 3, stderr);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until('all well', async () => (answer = await person.get('/')).status === 200, {seconds: 20});
  const {stdout} = await stack.rempart('tenant', 'list');
  assert.ok(!stdout.includes('Never'), 'no half-made tenant');
});

// A core that has just begun has no assertion and no key of anybody: whoever comes needs the key service.
test('a slow key service is waited for, one that is slower than its deadline is a 503 with a retry', async () => {
  const kms = await stack.pid('kms');
  const asked = async seconds => {
    await crash(stack, 'core');
    await until('core', async () => (await stack.client().get('/trust.json')).status === 200);
    process.kill(kms, 'SIGSTOP');
    const goesOn = setTimeout(() => process.kill(kms, 'SIGCONT'), seconds * 1000);
    try {
      const [answer, page] = await Promise.all([person.get('/', {timeout: 30_000}), stack.client().get('/trust')]);
      assert.equal(page.status, 200, 'what needs no key does not wait');
      return answer;
    } finally {
      clearTimeout(goesOn);
      process.kill(kms, 'SIGCONT');
    }
  };
  assert.equal((await asked(1)).status, 200);
  const late = await asked(25);
  assert.equal(late.status, 503);
  assert.ok(Number(late.headers['retry-after']) > 0);
  await until('all well', async () => (await person.get('/')).status === 200, {seconds: 20});
});

test('the password pool full: some sign-ins are told to come again, everybody else is served', async () => {
  const page = await stack.client().get('/.rempart/id/sign-in');
  const {action, fields} = page.form('sign-in');
  const cookies = {};
  const jar = stack.client();
  jar.cookies = cookies;
  for (const line of page.headers['set-cookie'] ?? []) jar.keep(line);
  let over = false, served = 0;
  const others = (async () => { while (!over) { assert.equal((await person.get('/')).status, 200); served++; } })();
  // Two threads and 64 places: what 160 people send at the same time does not fit, and is spread over several addresses,
  // because one address may not send so much.
  const answers = await Promise.all(Array.from({length: 160}, (_, i) => stack.client({cookies}).post(new URL(action, page.url).href,
    {...fields, email: `nobody${i}@example.com`, password: 'correct horse battery staple'},
    {follow: false, timeout: 60_000, localAddress: `127.0.0.${10 + i % 8}`})));
  over = true;
  await others;
  const counts = {};
  for (const {status} of answers) counts[status] = (counts[status] ?? 0) + 1;
  assert.ok(counts[503] > 0, JSON.stringify(counts));
  assert.deepEqual(Object.keys(counts).filter(status => !['303', '503'].includes(status)), [], JSON.stringify(counts));
  for (const answer of answers) if (answer.status === 503) assert.ok(Number(answer.headers['retry-after']) > 0);
  assert.ok(served > 0);
  assert.equal((await stack.client({cookies}).post(new URL(action, page.url).href, {...fields, email: 'nobody@example.com', password: 'x y z'}, {follow: false})).status,
    answers.find(({status}) => status !== 503).status, 'there is room again');
});

test('an organisation whose outbox is full writes no more, the others do', async () => {
  const {stdout} = await stack.rempart('tenant', 'list', '--json');
  const file = tenantFile(stack, JSON.parse(stdout).tenants.find(tenant => tenant.name === 'main').id);
  const other = await canaryPerson(stack, 1);
  const write = async text => {
    const page = await person.get('/');
    assert.equal(page.status, 200, 'reading goes on');
    return (await person.submit(page, {text})).status;
  };
  assert.equal(await write('before'), 200);
  await until('the ledger has it', async () => await sql(file, 'SELECT last - acked FROM outbox_state') === '0');
  await sql(file, 'UPDATE outbox_state SET last = last + 100000');
  assert.equal(await write('one too many'), 503);
  assert.equal((await other.api('POST', 'spaces/notes', {text: 'as ever'})).status, 201);
  await sql(file, 'UPDATE outbox_state SET last = last - 100000');
  assert.equal(await write('after'), 200);
  assert.ok(!(await person.get('/')).text.includes('one too many'));
});

test('the ledger stopped: reading goes on, writing is refused in the end, and comes back', async () => {
  const pid = await stack.pid('ledger');
  process.kill(pid, 'SIGSTOP');
  try {
    assert.equal((await person.get('/trust')).status, 200);
    await until('writes refused', async () => {
      const page = await person.get('/');
      if (page.status !== 200) return page.status === 503 || page.status === 502;
      const done = await person.submit(page, {text: 'while the ledger stands still'});
      return done.status >= 500;
    }, {seconds: 30, every: 500});
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await until('writes again', async () => {
    const page = await person.get('/');
    return page.status === 200 && (await person.submit(page, {text: 'again'})).status === 200;
  }, {seconds: 30, every: 500});
});

// Debian's own shell, with the file held for itself until it is told to let go.
async function heldByAShell(file) {
  const shell = spawn('sqlite3', ['-bail', file], {stdio: ['pipe', 'pipe', 'pipe']});
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', data => { said += data; });
  shell.stdin.write(".timeout 5000\nBEGIN EXCLUSIVE;\nSELECT 'held';\n");
  await until(`the lock on ${file}`, () => said.includes('held'));
  return () => new Promise(resolve => {
    shell.on('close', resolve);
    shell.stdin.end('ROLLBACK;\n');
  });
}

test('a database that an operator\'s shell holds: reading goes on, writing is refused, and afterwards all is as before', async () => {
  const {client, api} = await canaryPerson(stack, 1);
  const {json: there} = await api('POST', 'spaces/notes', {text: 'before the lock'});
  const readingGoesOn = async () => {
    assert.equal((await api('GET', `spaces/notes/${there.id}`)).json.document.text, 'before the lock');
    assert.equal((await client.get('/trust')).status, 200);
  };
  const create = name => stack.rempart('tenant', 'create', name);

  let letGo = await heldByAShell(tenantFile(stack, canaries(stack)[1].tenant));
  try {
    const refused = await api('POST', 'spaces/notes', {text: 'nobody acknowledged this'});
    assert.equal(refused.status, 503);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    await readingGoesOn();
  } finally {
    await letGo();
  }
  await until('records again', async () => (await api('POST', 'spaces/notes', {text: 'after the lock'})).status === 201, {seconds: 30});
  assert.ok(!(await api('GET', 'spaces/notes?limit=200')).bytes.includes('nobody acknowledged this'));

  letGo = await heldByAShell(stack.file('db/system.db'));
  try {
    const {code, stderr} = await create('Held back');
    assert.equal(code, 3, stderr);
    assert.match(stderr, /busy/);
    await readingGoesOn();
    const stranger = stack.client({lang: 'fr'});
    const page = await stranger.submit(await stranger.get('/.rempart/id/sign-in'), {email: person.email, password: person.password}, {action: 'sign-in'});
    assert.deepEqual([page.status, /Rien n’a été fait à moitié\. Réessayez/.test(page.text)], [503, true], 'it says what to do');
  } finally {
    await letGo();
  }
  await until('organisations again', async () => (await create('Let go')).code === 0, {seconds: 30});
  const {stdout} = await stack.rempart('tenant', 'list');
  assert.match(stdout, /Let go/);
  assert.doesNotMatch(stdout, /Held back/);
});

test('a database file from a newer version is refused, named, and left as it is', async () => {
  const file = stack.file('db/system.db');
  await stack.down();
  const version = await sql(file, 'PRAGMA user_version');
  await sql(file, 'PRAGMA user_version = 999');
  await stack.up({expectReady: false});
  await until('the refusal', () => /db\/system\.db: written by a newer version \(999/.test(stack.output), {seconds: 20});
  await stack.down();
  assert.equal(await sql(file, 'PRAGMA user_version'), '999');
  await sql(file, `PRAGMA user_version = ${version}`);
  await stack.up();
  assert.equal((await stack.client().get('/trust')).status, 200);
  assert.match(await operatorLog(), /store\.refused.*db\/system\.db: written by a newer version/);
});

/*= S66 type=test */
test('one tenant\'s file that does not open keeps no other tenant waiting', async () => {
  const {stdout} = await stack.rempart('tenant', 'create', 'Librairie Dupuis');
  const file = tenantFile(stack, stdout.trim());
  await stack.down();
  const kind = await sql(file, 'PRAGMA application_id');
  await sql(file, 'PRAGMA application_id = 1');
  await stack.up();
  await stack.startNotes();
  await until('its trouble, said once', () => stack.output.includes(`${stdout.trim()}: its events wait`));
  await sleep(1500);
  assert.equal(stack.output.split('its events wait').length, 2);
  await until('its event', async () => (await operatorLog()).split('\n').some(line => line.includes('store.refused') && line.includes(stdout.trim())));
  const page = await person.get('/');
  assert.equal(page.status, 200);
  assert.equal((await person.submit(page, {text: 'as ever'})).status, 200);
  await until('the event', async () => {
    const audit = (await person.get('/.rempart/api/v1/audit?newest=1&limit=5')).json();
    return audit.entries.some(({event}) => event.metadata.event_code === 'record.created');
  });
  await sql(file, `PRAGMA application_id = ${kind}`);
});

test('a record altered on the disk is refused, and an event', async () => {
  await stack.startNotes();
  const page = await person.get('/');
  await person.submit(page, {text: 'to be altered'});
  const {stdout} = await stack.rempart('tenant', 'list', '--json');
  const main = JSON.parse(stdout).tenants.find(tenant => tenant.name === 'main').id;
  const file = tenantFile(stack, main);
  await sql(file, "UPDATE record SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)");
  await sleep(200);
  await person.get('/');
  await until('the event', async () => {
    const audit = await person.get('/.rempart/api/v1/audit?newest=1&limit=200');
    return audit.text.includes('record.corrupt') || (await operatorLog()).includes('record.corrupt');
  });
  await crash(stack, 'core');
});
