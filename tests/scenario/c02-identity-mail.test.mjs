// A person is invited by mail: without a mail server it waits, with one it goes out once, and only
// to a server that proves who it is.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import crypto from 'node:crypto';
import https from 'node:https';
import {after, before, test} from 'node:test';
import fs from 'node:fs';
import path from 'node:path';
import {crash, sql} from '../lib/sabotage.mjs';
import {readMail, Smtp} from '../lib/smtp.mjs';
import {freePort, run, sleep, Stack, until} from '../lib/stack.mjs';

let stack, tenant, server, sink;
const openssl = (...args) => run('openssl', args, {cwd: stack.state});

before(async () => {
  stack = await Stack.start({app: 'none'});
  await stack.firstAdministrator();
  tenant = (await stack.rempart('tenant', 'create', 'Société Étoile')).stdout.trim();
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'mail-ca.key', '-out', 'mail-ca.pem',
    '-days', '30', '-subj', '/CN=Mail CA', '-addext', 'basicConstraints=critical,CA:TRUE');
  await openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'mail.key', '-out', 'mail.csr', '-subj', '/CN=mail');
  fs.writeFileSync(stack.file('mail.ext'), 'subjectAltName=IP:127.0.0.1\n');
  const leaf = await openssl('x509', '-req', '-in', 'mail.csr', '-CA', 'mail-ca.pem', '-CAkey', 'mail-ca.key', '-CAcreateserial', '-days', '30',
    '-extfile', 'mail.ext', '-out', 'mail.pem');
  assert.equal(leaf.code, 0, leaf.stderr);
  fs.writeFileSync(stack.file('mail-account'), 'robot\nthe password of the robot\n', {mode: 0o600});
  server = await Smtp.start({user: 'robot', password: 'the password of the robot',
    tls: {key: fs.readFileSync(stack.file('mail.key')), cert: fs.readFileSync(stack.file('mail.pem'))}});
});
after(async () => {
  sink?.kill('SIGKILL');
  await server?.stop();
  await stack?.stop();
});

const notices = async () => JSON.parse((await stack.rempart('notify', 'list', '--json')).stdout);
const invite = async email => {
  const {code, stdout, stderr} = await stack.rempart('person', 'invite', email, '--tenant', tenant);
  assert.equal(code, 0, stderr);
  return stdout.trim();
};
const configure = async (lines, section = 'smtp') => {
  const file = stack.file('rempart.yaml');
  fs.writeFileSync(file, `${stack.defaultConfig()}${section}:\n` + lines.map(line => `  ${line}\n`).join(''));
  await stack.down();
  await stack.up();
};
const account = () => ['from: rempart@example.com', `credentials: ${stack.file('mail-account')}`];

test('without a mail server the link is printed and the mail waits in plain sight', async () => {
  const link = await invite('wait@example.com');
  assert.match(link, /^https:\/\/localhost:\d+\/\.rempart\/id\/enrol\?token=/);
  const {mail_server: configured, notices: [one]} = await notices();
  assert.equal(configured, false);
  assert.equal(one.state, 'waiting');
  assert.match((await stack.rempart('notify', 'list')).stdout, /invitation[\s\S]*No mail server/);
  const token = new URL(link).searchParams.get('token');
  for (const name of fs.readdirSync(stack.file('db'))) {
    assert.ok(!fs.readFileSync(stack.file('db', name)).includes(token), `${name}: the link lies in no file`);
  }
});

test('a server whose certificate is not of the named authority gets nothing', async () => {
  const other = await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'o.key', '-out', 'other-ca.pem',
    '-days', '30', '-subj', '/CN=Other');
  assert.equal(other.code, 0);
  await configure([`url: smtp://127.0.0.1:${server.port}`, ...account(), `authority: ${stack.file('other-ca.pem')}`]);
  const one = await until('a try', async () => (await notices()).notices.find(notice => notice.tries > 0 && notice.state === 'waiting'));
  assert.match(one.problem, /certificate|SSL/i);
  assert.equal(server.mails.length, 0);
  assert.ok(!server.commands.includes('AUTH'), 'nor the password');
});

test('with its server the waiting mail goes out once, by TLS and with the account', async () => {
  await configure([`url: smtp://127.0.0.1:${server.port}`, ...account(), `authority: ${stack.file('mail-ca.pem')}`]);
  const [{id}] = (await notices()).notices;
  await stack.rempart('notify', 'retry', id);
  await until('the mail', () => server.mails.length > 0);
  const [mail] = server.mails;
  assert.deepEqual([mail.from, mail.to, mail.tls, mail.user], ['rempart@example.com', ['wait@example.com'], true, 'robot']);
  const {heads, body} = readMail(mail.text);
  assert.equal(heads['message-id'], `<${id}@example.com>`);
  assert.equal(heads['auto-submitted'], 'auto-generated');
  assert.match(body, /Société Étoile/);
  assert.match(heads.subject, /^=\?UTF-8\?B\?/);
  await until('it is known as sent', async () => (await notices()).notices[0].state === 'sent'); // the server knew first
  const person = await stack.enrol(body.match(/https:\S+/)[0]);
  assert.equal(person.email, 'wait@example.com');
});

test('a busy server is tried again, and a person who is not there is not', async () => {
  server.refuse = 'busy';
  await invite('busy@example.com');
  const busy = await until('a try', async () => (await notices()).notices.find(one => one.tries > 0 && one.state === 'waiting'));
  assert.match(busy.problem, /451/);
  server.refuse = null;
  assert.equal((await stack.rempart('notify', 'retry', busy.id)).code, 0);
  await until('the mail', () => server.mails.some(mail => mail.to.includes('busy@example.com')));
  server.refuse = 'RCPT';
  await invite('nobody@example.com');
  const gone = await until('refused', async () => (await notices()).notices.find(one => one.state === 'refused'));
  assert.match(gone.problem, /550/);
  server.refuse = null;
});

test('core dies after the courier sent it and before it heard so: the mail does not go out twice', async () => {
  const count = server.mails.length;
  server.slow = 2000;
  await invite('once@example.com');
  await until('the mail', () => server.mails.length > count);
  await crash(stack, 'core'); // the server has not answered the courier yet
  server.slow = 0;
  const [one] = (await until('core', notices)).notices;
  assert.equal(one.state, 'sending');
  await until('the courier notes it', () => fs.readFileSync(stack.file('courier/sent')).includes(Buffer.from(one.id, 'hex')));
  await crash(stack, 'courier'); // what it knows lies on the disk
  await sql(stack.file('db/system.db'), `UPDATE notice SET next_ms = 0 WHERE state = 'sending'`);
  await until('sent', async () => (await notices()).notices[0].state === 'sent');
  assert.equal(server.mails.length, count + 1);
});

test('a server elsewhere must offer TLS, and the real smtp-sink on this machine need not', async () => {
  const port = await freePort();
  const folder = stack.file('sink');
  fs.mkdirSync(folder);
  fs.chmodSync(folder, 0o777);
  sink = spawn('/usr/sbin/smtp-sink', ['-u', process.getuid() === 0 ? 'nobody' : '', '-d', path.join(folder, '%M%S.'), `127.0.0.1:${port}`, '10']
    .filter((arg, at, all) => arg !== '' && !(arg === '-u' && all[at + 1] === '')), {stdio: 'ignore', cwd: folder});
  await sleep(300);
  // 0.0.0.0 reaches the loopback too, but says nothing about this machine.
  await configure([`url: smtp://0.0.0.0:${port}`, 'from: rempart@example.com']);
  await invite('sink@example.com');
  const one = await until('a try', async () => (await notices()).notices.find(notice => notice.tries > 0 && notice.state === 'waiting'));
  assert.match(one.problem, /STARTTLS|SSL|TLS/i);
  assert.deepEqual(fs.readdirSync(folder), []);
  await configure([`url: smtp://127.0.0.1:${port}`, 'from: rempart@example.com']);
  await stack.rempart('notify', 'retry', one.id);
  const file = await until('a file of the sink', () => fs.readdirSync(folder)[0]);
  await sleep(200);
  assert.match(fs.readFileSync(path.join(folder, file), 'latin1'), /X-Rcpt-Args: <sink@example\.com>/);
});

test('webhooks: each event to whoever wants it, in order, signed, verified, kept from private addresses, never twice, never lost', async () => {
  const secrets = {ops: crypto.randomBytes(32), all: crypto.randomBytes(32)};
  const calls = [], answers = [];
  const receiver = https.createServer({key: fs.readFileSync(stack.file('mail.key')), cert: fs.readFileSync(stack.file('mail.pem'))}, (request, response) => {
    let body = '';
    request.on('data', part => { body += part; }).on('end', () => {
      const status = (request.url === '/ops' && answers.shift()) || 204;
      calls.push({to: request.url.slice(1), status, headers: request.headers, body, ...JSON.parse(body)});
      response.writeHead(status, status === 302 ? {location: '/elsewhere'} : {}).end();
    });
  });
  await new Promise(resolve => receiver.listen(0, '127.0.0.1', resolve));
  const file = stack.file('db/system.db');
  const hook = (name, events, ...more) => [`  - name: ${name}`, ...[`endpoint: https://127.0.0.1:${receiver.address().port}/${name}`,
    `secret: ${stack.file(`${name}-secret`)}`, `events: ${events}`, ...more].map(line => `    ${line}`)];
  const settings = async (...lines) => {
    fs.writeFileSync(stack.file('rempart.yaml'), `${stack.defaultConfig()}webhooks:\n${lines.flat().join('\n')}\n`);
    await stack.down();
    await stack.up();
  };
  const hooks = async () => JSON.parse((await stack.rempart('notify', 'webhooks', '--json')).stdout).webhooks;
  const ops = async () => (await hooks()).find(one => one.name === 'ops');
  const failing = problem => until(problem, async () => problem.test((await ops()).problem) && (await ops()).state === 'failing');
  const again = async () => assert.equal((await stack.rempart('notify', 'resume', 'ops')).code, 0);
  const late = async () => {
    const made = await stack.rempart('register', 'new', 'alerts', 'rule=late', 'kind=alert', 'severity=high',
      `raised_at=${new Date(Date.now() - 7200e3).toISOString().slice(0, 19)}Z`, '--json');
    assert.equal(made.code, 0, made.stderr);
    return JSON.parse(made.stdout).id;
  };
  try {
    for (const [name, secret] of Object.entries(secrets)) fs.writeFileSync(stack.file(`${name}-secret`), `whsec_${secret.toString('base64')}\n`, {mode: 0o600});
    await settings(hook('ops', '[register.due]', `authority: ${stack.file('mail-ca.pem')}`));
    await until('its place in the log', async () => (await ops()).at > 0);
    const first = await late();
    await failing(/private or local/);
    assert.equal((await stack.rempart('notify', 'webhooks')).code, 1, 'what fails is a finding');
    // Allowed, but of an authority that nobody named.
    await settings(hook('ops', '[register.due]', 'private: "true"'));
    await again();
    await failing(/certificate|SSL/i);
    assert.equal(calls.length, 0);
    answers.push(503, 302);
    const good = ['private: "true"', `authority: ${stack.file('mail-ca.pem')}`];
    await settings(hook('ops', '[register.due]', ...good), hook('all', '["register.*", alerts.none]', ...good));
    await until('the other begins', async () => (await hooks()).find(one => one.name === 'all').at > 0);
    for (const problem of [/answered 503/, /302; redirects/]) { await again(); await failing(problem); }
    const second = await late();
    await again();
    const of = (name, record, type) => calls.filter(one => one.to === name && one.status === 204 && one.type === type && one.data.unmapped.record === record);
    await until('both are told', () => of('ops', second, 'register.due').length > 0 && of('all', second, 'register.due').length > 0);
    await until('what the other wants too', () => of('all', second, 'register.created').length === 1);
    assert.ok(calls.every(one => ['ops', 'all'].includes(one.to)), 'no redirect is followed');
    assert.equal(of('all', first, 'register.created').length, 0, 'it begins with what happens from then on');
    for (const {to, headers, body} of calls) {
      const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      assert.equal(headers['webhook-signature'], `v1,${crypto.createHmac('sha256', secrets[to]).update(text).digest('base64')}`);
      assert.ok(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 120);
    }
    const mine = calls.filter(one => one.to === 'ops');
    assert.ok(mine.every(one => one.type === 'register.due'));
    assert.deepEqual(mine.map(one => one.index), mine.map(one => one.index).sort((a, b) => a - b), 'in their order');
    const tries = mine.filter(one => one.index === mine[0].index);
    assert.equal(tries.length, 3);
    assert.equal(new Set(tries.map(one => one.headers['webhook-id'] + one.body)).size, 1, 'the same bytes under the same id');
    assert.deepEqual([mine[0].data.unmapped.register, mine[0].data.unmapped.record], ['alerts', first]);
    // The log says the same, at that place.
    const entries = (await stack.rempart('ledger', 'tail', 'operator', '-n', '100000', '--json')).stdout.trim().split('\n').map(line => JSON.parse(line));
    assert.deepEqual(entries.find(one => one.index === mine[0].index).entry, mine[0].data);
    // A test goes out at once and says what came of it; what is unknown is named.
    assert.equal((await stack.rempart('notify', 'test', 'ops')).code, 0);
    assert.ok(calls.some(one => one.to === 'ops' && one.type === 'test'));
    answers.push(500);
    const tested = await stack.rempart('notify', 'test', 'ops');
    assert.equal(tested.code, 1);
    assert.match(tested.stdout, /answered 500/);
    assert.match((await stack.rempart('notify', 'test', 'nobody')).stderr, /nobody/);
    // Core forgets how far it was, as a power cut makes it: the courier knows, and calls nobody.
    await until('quiet', async () => (await hooks()).every(one => one.state === 'running'));
    await stack.down();
    await sql(file, `UPDATE webhook SET at = ${mine[0].index}`);
    await stack.up();
    await until('it is as far again', async () => (await hooks()).every(one => one.at > mine.at(-1).index));
    const taken = calls.filter(one => one.status === 204).map(one => one.headers['webhook-id']);
    assert.equal(new Set(taken).size, taken.length);
    // Three days of failures: paused, told, an event; and it goes on where it was.
    await stack.down();
    await sql(file, "UPDATE webhook SET failing_ms = 1, tries = 9, next_ms = 0 WHERE name = 'ops'");
    answers.push(503);
    await stack.up();
    const third = await late();
    await until('paused', async () => (await ops()).state === 'paused');
    await until('the event', async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout.includes('webhook.paused'));
    assert.ok(Number(await sql(file, "SELECT count(*) FROM notice WHERE kind = 'webhook_paused'")) >= 1);
    await again();
    await until('it is told', () => of('ops', third, 'register.due').length > 0);
    // A secret that leaked is exchanged in its file: from the reload on the new one signs.
    secrets.ops = crypto.randomBytes(32);
    fs.writeFileSync(stack.file('ops-secret'), `whsec_${secrets.ops.toString('base64')}\n`);
    assert.equal((await stack.rempart('reload')).code, 0);
    await until('signed by the new secret', async () => {
      await stack.rempart('notify', 'test', 'ops');
      const {headers, body} = calls.findLast(one => one.to === 'ops');
      const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      return headers['webhook-signature'] === `v1,${crypto.createHmac('sha256', secrets.ops).update(text).digest('base64')}`;
    });
  } finally {
    receiver.closeAllConnections();
    receiver.close();
  }
});
