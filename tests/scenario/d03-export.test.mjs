// Everything that a tenant keeps, taken out, readable by tar, gzip and a JSON parser alone; and brought in elsewhere.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {canaryPerson} from '../lib/canary.mjs';
import zlib from 'node:zlib';
import {Stack, bin, run, until} from '../lib/stack.mjs';

let stack, client, api, tenants;
const records = new Map(), files = new Map();
const rempartOf = (where, ...args) => run(path.join(bin, 'rempart'), [...args, '--state', where.state], {cwd: stack.state, env: {...where.env, LANG: 'C'}});
const rempart = (...args) => rempartOf(stack, ...args);
const put = async (target, document) => {
  const {status, json} = await api('POST', target, document);
  assert.equal(status, 201);
  records.set(json.id, {label: json.label, document});
  return json.id;
};

before(async () => {
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\n`});
  tenants = JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8')).people.map(one => one.tenant);
  let whole;
  ({client, api: whole} = await canaryPerson(stack, 0));
  api = (method, target, body) => whole(method, `spaces/${target}`, body);
  for (const [name, size] of Object.entries({'vide.txt': 0, 'plan.pdf': 300001})) {
    const bytes = crypto.randomBytes(size);
    const {json} = await whole('POST', `files/d-plans?label=personal&name=${name}`, bytes, {'content-type': 'application/pdf'});
    files.set(json.id, {name, bytes});
  }
  const gone = [...files.keys()][1];
  await whole('PUT', `files/d-plans/${gone}?name=plan.pdf`, files.get(gone).bytes, {'content-type': 'application/pdf'});
  await whole('DELETE', `files/d-plans/${gone}`);
  await put('d-letters?label=personal', {to: 'Zoé', text: 'à bientôt'});
  for (let i = 0; i < 30; i++) await put('d-numbers', {i});
  const trashed = await put('d-numbers', {gone: true});
  assert.equal((await api('DELETE', `d-numbers/${trashed}`)).status, 204);
});
after(() => stack?.stop());

// Every part is what the manifest says; each record and each file is in it, with its label.
function check(folder) {
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json')));
  assert.deepEqual([manifest.format, manifest.tenant], [1, tenants[0]]);
  const found = new Map();
  for (const {name, bytes, sha256, records: count} of manifest.files) {
    const content = fs.readFileSync(path.join(folder, name));
    assert.equal(content.length, bytes);
    assert.equal(crypto.createHash('sha256').update(content).digest('hex'), sha256, name);
    if (count === undefined) continue;
    const lines = content.toString('utf8').trimEnd().split('\n').map(line => JSON.parse(line));
    assert.equal(lines.length, count);
    for (const one of lines) found.set(one.id, one);
  }
  assert.equal(found.size, manifest.records);
  for (const [id, {label, document}] of records) {
    assert.deepEqual([found.get(id)?.label, found.get(id)?.document], [label, document]);
  }
  for (const [id, {name, bytes}] of files) {
    assert.deepEqual([found.get(id).label, found.get(id).collection, found.get(id).file], ['personal', 'd-plans', {name, size: bytes.length, type: 'application/pdf'}]);
    assert.ok(fs.readFileSync(path.join(folder, `files/canary/d-plans/${id}`)).equals(bytes), name);
  }
  assert.equal(manifest.with_bytes, [...found.values()].filter(one => one.file).length);
  const ours = id => records.has(id) || files.has(id); // the probe keeps records here, too
  assert.equal([...found.values()].filter(one => ours(one.id) && one.trashed_at).length, 2);
}

async function unpack(archive, folder) {
  fs.mkdirSync(stack.file(folder));
  const {code, stderr} = await run('tar', ['-xzf', archive, '-C', folder], {cwd: stack.state});
  assert.equal(code, 0, stderr);
  return stack.file(folder);
}

test('the export holds every record and file of this tenant, with its label, and the manifest vouches for each part', async () => {
  const done = await rempart('tenant', 'export', tenants[0], 'out.tar.gz');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(fs.statSync(stack.file('out.tar.gz')).mode & 0o777, 0o600);
  check(await unpack('out.tar.gz', 'out'));
});

/*= S70, S174 type=test */
test('the tenant\'s own administrators take the same by their page', async () => {
  const page = await client.get('/.rempart/id/export');
  assert.equal(page.status, 200);
  const form = /name="form" value="([^"]+)"/.exec(page.text)[1];
  const answer = await client.request('POST', '/.rempart/id/export', {body: new URLSearchParams({form}).toString(),
    headers: {'content-type': 'application/x-www-form-urlencoded', origin: stack.origin}});
  assert.equal(answer.status, 200);
  assert.match(answer.headers['content-disposition'], /rempart-export-\d{4}-\d\d-\d\d\.tar\.gz/);
  fs.writeFileSync(stack.file('page.tar.gz'), answer.body);
  check(await unpack('page.tar.gz', 'page'));
});

test('half an export is none', async () => {
  const walk = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
    entry.isDirectory() ? walk(path.join(folder, entry.name)) : [path.join(folder, entry.name)]);
  const blobs = walk(stack.file('tenants')).filter(one => one.includes(`${tenants[0]}.files`) && fs.statSync(one).size > 300000);
  const sealed = blobs.map(one => fs.readFileSync(one));
  assert.ok(blobs.length > 0);
  for (const [i, blob] of blobs.entries()) {
    const broken = Buffer.from(sealed[i]);
    broken[200000] ^= 1;
    fs.writeFileSync(blob, broken);
  }
  const {code} = await rempart('tenant', 'export', tenants[0], 'broken.tar.gz');
  assert.notEqual(code, 0);
  assert.ok(!fs.existsSync(stack.file('broken.tar.gz')));
  for (const [i, blob] of blobs.entries()) fs.writeFileSync(blob, sealed[i]);
});

/*= S66, S68 type=test */
test('a neighbour\'s export holds nothing of it', async () => {
  const {code, stderr} = await rempart('tenant', 'export', tenants[1], 'other.tar.gz');
  assert.equal(code, 0, stderr);
  const {stdout} = await run('tar', ['-xzOf', 'other.tar.gz'], {cwd: stack.state});
  for (const id of records.keys()) assert.ok(!stdout.includes(id));
  assert.match(stdout, /"format":1/);
});

/*= S71 type=test */
test('an export stands in the tenant\'s own log, and nobody but the machine\'s owner makes one', async () => {
  await until('tenant.exported', async () => (await client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('tenant.exported'));
  assert.equal((await client.get(`/.rempart/api/v1/admin/export?tenant=${tenants[0]}`)).status, 404);
});

test('what cannot be exported leaves no file', async () => {
  for (const [id, why] of [['0'.repeat(31) + '1', /no such tenant/], ['nonsense', /not a tenant's id/]]) {
    const {code, stderr} = await rempart('tenant', 'export', id, 'none.tar.gz');
    assert.notEqual(code, 0);
    assert.match(stderr, why);
    assert.ok(!fs.existsSync(stack.file('none.tar.gz')));
  }
  const twice = await rempart('tenant', 'export', tenants[0], 'out.tar.gz');
  assert.notEqual(twice.code, 0);
  assert.match(twice.stderr, /there already/);
});

// Every line and every file of an archive, by name; what says when and whose it is stays out.
async function contents(archive) {
  const folder = await unpack(archive, `${archive}.d`);
  const {files, records, with_bytes: bytes} = JSON.parse(fs.readFileSync(path.join(folder, 'manifest.json')));
  return {files, records, bytes};
}

/*= S70 type=test */
test('on another installation the export comes in as it was: the same archive comes out again', async () => {
  const other = await Stack.start({app: null});
  try {
    const elsewhere = (...args) => rempartOf(other, ...args);
    const tenant = (await elsewhere('tenant', 'create', 'Boulangerie Martin')).stdout.trim();
    const tried = await elsewhere('tenant', 'import', tenant, 'out.tar.gz', '--dry-run', '--json');
    const count = JSON.parse(tried.stdout);
    const all = await contents('out.tar.gz');
    assert.deepEqual([tried.code, count.there, count.refused, count.files, count.imported, count.from], [0, 0, 0, all.bytes, all.records, tenants[0]]);
    const empty = await elsewhere('tenant', 'export', tenant, 'empty.tar.gz');
    assert.match(empty.stderr, /^0 records/, 'a dry run changes nothing');

    const done = await elsewhere('tenant', 'import', tenant, 'out.tar.gz');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, new RegExp(`done: ${count.imported} records brought in \\(${all.bytes} of them files\\), 0 there already`));
    assert.equal((await elsewhere('tenant', 'export', tenant, 'again.tar.gz')).code, 0);
    assert.deepEqual(await contents('again.tar.gz'), all);

    const twice = JSON.parse((await elsewhere('tenant', 'import', tenant, 'out.tar.gz', '--json')).stdout);
    assert.deepEqual([twice.imported, twice.there, twice.refused], [0, count.imported, 0], 'what is there stays');
    const log = await until('the import stands in the log', async () => {
      const {stdout} = await run('grep', ['-rlE', 'tenant.imported', other.file('ledger')], {cwd: stack.state});
      return stdout.trim();
    });
    assert.ok(log);
    for (const text of ['à bientôt', 'Zoé']) {
      assert.equal((await run('grep', ['-rlF', text, other.file('tenants')], {cwd: stack.state})).stdout, '', 'it is sealed here, too');
    }
  } finally {
    await other.stop();
  }
});

// A part of the tar with other bytes, as many, and its manifest to suit.
function rewrite(tar, name, change) {
  const sha = bytes => crypto.createHash('sha256').update(bytes).digest('hex');
  const bytes = Buffer.from(tar), head = bytes.indexOf(name);
  const size = parseInt(bytes.subarray(head + 124, head + 135).toString(), 8);
  const part = bytes.subarray(head + 512, head + 512 + size), former = sha(part);
  part.write(change(part.toString()));
  assert.notEqual(sha(part), former);
  bytes.write(sha(part), bytes.indexOf(former));
  return bytes;
}

/*= S70 type=test */
test('an application brings an export in for the administrator in front of it: its own records, and whole', async () => {
  const neighbour = await canaryPerson(stack, 1);
  const archive = fs.readFileSync(stack.file('out.tar.gz'));
  const send = (query, bytes = archive) => neighbour.api('POST', `import${query}`, bytes, {'content-type': 'application/gzip'});
  const tried = await send('?dry_run=true');
  assert.deepEqual([tried.status, tried.json.refused, tried.json.from], [200, 0, tenants[0]]);
  const [id, {document}] = [...records][0], [fileId, {bytes}] = [...files][0];
  assert.equal((await neighbour.api('GET', `spaces/d-letters/${id}`)).status, 404, 'a dry run brings nothing');
  const done = await send('');
  assert.deepEqual([done.status, done.json.imported, done.json.there], [200, tried.json.imported, 0]);
  assert.deepEqual((await neighbour.api('GET', `spaces/d-letters/${id}`)).json.document, document);
  assert.ok((await neighbour.api('GET', `files/d-plans/${fileId}`)).bytes.equals(bytes));
  assert.equal((await neighbour.api('POST', 'import?dry_run=perhaps', archive)).status, 400);
  const refused = await send('', Buffer.from('nothing of the kind'));
  assert.deepEqual([refused.status, refused.json.code, refused.headers['retry-after']], [400, 'invalid', undefined], 'to send it again would not help');
  await until('tenant.imported', async () => (await neighbour.client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('tenant.imported'));
});

test('a damaged archive changes nothing, and is told why; one with bad lines waits for --skip-bad', async () => {
  const tenant = (await rempart('tenant', 'create', 'Neuf')).stdout.trim();
  const held = async () => (await rempart('tenant', 'export', tenant, '-')).stderr;
  const tar = zlib.gunzipSync(fs.readFileSync(stack.file('out.tar.gz')));
  const spoilt = (name, change) => {
    const bytes = Buffer.from(tar);
    change(bytes);
    fs.writeFileSync(stack.file(name), zlib.gzipSync(bytes));
    return name;
  };
  const at = text => tar.indexOf(text);
  const cases = {
    'a letter of a record': [spoilt('letter.tar.gz', b => b.write('Zoe', at('Zoé'))), /not as its manifest says, at \{"bytes".*d-letters/],
    'a byte of a file': [spoilt('byte.tar.gz', b => { b[at(files.get([...files.keys()][1]).bytes.subarray(0, 64)) + 9] ^= 1; }), /not as its manifest says/],
    'another part': [spoilt('part.tar.gz', b => b.write('recordz/', at('records/'))), /tar of an export/],
    'half of it': [(fs.writeFileSync(stack.file('half.tar.gz'), fs.readFileSync(stack.file('out.tar.gz')).subarray(0, 90000)), 'half.tar.gz'), /ends too early/],
    'no gzip': [(fs.writeFileSync(stack.file('no.tar.gz'), 'hello'), 'no.tar.gz'), /not a gzip file/],
  };
  for (const [what, [file, why]] of Object.entries(cases)) {
    const {code, stderr} = await rempart('tenant', 'import', tenant, file);
    assert.notEqual(code, 0, what);
    assert.match(stderr, why, what);
  }
  assert.match(await held(), /^0 records/);
  // An archive whose manifest is right, and one of whose lines is not.
  fs.writeFileSync(stack.file('bad.tar.gz'), zlib.gzipSync(
    rewrite(tar, 'records/canary/d-letters/000001.jsonl', page => page.replace('"label":"personal"', '"label":"secretly"'))));
  const refused = await rempart('tenant', 'import', tenant, 'bad.tar.gz');
  assert.match(refused.stdout, /d-letters\/000001.jsonl, line 1: an unknown label[^]*nothing changed[^]*1 refused[^]*--skip-bad/);
  assert.equal(refused.code, 1);
  assert.match(await held(), /^0 records/);
  const rest = await rempart('tenant', 'import', tenant, 'bad.tar.gz', '--skip-bad', '--json');
  assert.equal(JSON.parse(rest.stdout).refused, 1);
  assert.match(await held(), new RegExp(`^${JSON.parse(rest.stdout).imported} records`));
});
