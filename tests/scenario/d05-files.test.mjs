// Files through the gate: streamed, ranges, resumed uploads, versions, trash, limits; and what lies on the disk.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack, sleep, until} from '../lib/stack.mjs';

let stack;
const people = [];
const MiB = 1024 * 1024;

const blobs = folder => fs.existsSync(folder) ? fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
  entry.isDirectory() ? blobs(path.join(folder, entry.name)) :
    /\.files\//.test(path.join(folder, entry.name)) ? [path.join(folder, entry.name)] : []) : [];

before(async () => {
  const config = port => `host: localhost\ngate:\n  listen: ${port}\nspaces:\n  mib_max: 64\n`;
  stack = await Stack.start({app: null, config});
  people.push(await canaryPerson(stack, 0), await canaryPerson(stack, 1));
});
after(() => stack?.stop());

test('a file goes in and comes out, whatever its size, with its name, type and label', async () => {
  const [{api}] = people;
  for (const size of [0, 1, 65535, 65536, 65537, 131072, 262144, 262145, 1000003]) {
    const bytes = crypto.randomBytes(size);
    const made = await api('POST', 'files/sizes?name=plan%20%C3%A9t%C3%A9.pdf&label=personal', bytes, {'content-type': 'application/pdf'});
    assert.equal(made.status, 201, `${size}: ${made.bytes}`);
    assert.deepEqual([made.json.name, made.json.type, made.json.size, made.json.label, made.headers.etag],
      ['plan été.pdf', 'application/pdf', size, 'personal', '"1"']);
    const read = await api('GET', `files/sizes/${made.json.id}`);
    assert.equal(read.status, 200);
    assert.equal(read.headers['content-length'], String(size));
    assert.match(read.headers['content-disposition'], /^attachment; filename="plan __t__.pdf"; filename\*=UTF-8''plan%20%C3%A9t%C3%A9.pdf$/);
    assert.ok(read.bytes.equals(bytes), `${size} bytes come back as they were`);
  }
  const list = await api('GET', 'files/sizes?limit=4');
  assert.equal(list.json.files.length, 4);
  assert.equal((await api('GET', `files/sizes?after=${list.json.next}`)).json.files.length, 5);
  assert.ok(!list.bytes.includes('blob'), 'where the bytes lie is nobody\'s business');
});

test('a body of unknown length is a file too, and a head is not a body', async () => {
  const [{api}] = people;
  const bytes = crypto.randomBytes(300000);
  const made = await api('POST', 'files/chunked?name=x', request => {
    request.write(bytes.subarray(0, 70000));
    setTimeout(() => request.end(bytes.subarray(70000)), 50);
  }, {'transfer-encoding': 'chunked'});
  assert.equal(made.status, 201);
  assert.equal(made.json.type, 'application/octet-stream');
  const head = await api('HEAD', `files/chunked/${made.json.id}`);
  assert.deepEqual([head.status, head.headers['content-length'], head.bytes.length], [200, '300000', 0]);
  assert.ok((await api('GET', `files/chunked/${made.json.id}`)).bytes.equals(bytes));
});

test('parts are read as RFC 9110 has it', async () => {
  const [{api}] = people;
  const bytes = crypto.randomBytes(200000);
  const {json: {id}, headers: {etag}} = await api('POST', 'files/ranges?name=x', bytes);
  const at = `files/ranges/${id}`;
  for (const [range, first, end] of [['bytes=0-0', 0, 1], ['bytes=65535-65536', 65535, 65537], ['bytes=199999-', 199999, 200000],
    ['bytes=-7', 199993, 200000], ['bytes=100-999999', 100, 200000], ['bytes=-999999', 0, 200000]]) {
    const part = await api('GET', at, undefined, {range});
    assert.equal(part.status, 206, range);
    assert.equal(part.headers['content-range'], `bytes ${first}-${end - 1}/200000`);
    assert.ok(part.bytes.equals(bytes.subarray(first, end)), range);
  }
  for (const range of ['bytes=200000-', 'bytes=-0']) {
    const none = await api('GET', at, undefined, {range});
    assert.deepEqual([none.status, none.headers['content-range']], [416, 'bytes */200000'], range);
  }
  for (const range of ['bytes=5-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=a-b']) {
    assert.equal((await api('GET', at, undefined, {range})).status, 200, range);
  }
  assert.equal((await api('GET', at, undefined, {range: 'bytes=0-1', 'if-range': etag})).status, 206);
  assert.equal((await api('GET', at, undefined, {range: 'bytes=0-1', 'if-range': '"7"'})).status, 200);
  assert.equal((await api('GET', at, undefined, {'if-none-match': etag})).status, 304);
});

/*= S89, S174 type=test */
test('a file has versions, a trash and a label as a record has', async () => {
  const [{api}, neighbour] = people;
  const one = crypto.randomBytes(1000), two = crypto.randomBytes(90000);
  const {json: {id}} = await api('POST', 'files/docs?name=a.txt', one);
  const at = `files/docs/${id}`;
  assert.equal((await api('PUT', at, two, {'if-match': '"9"'})).status, 412);
  assert.equal((await api('PUT', `${at}?label=sensitive`, two, {'if-match': '"1"'})).json.version, 2);
  assert.equal((await api('PATCH', `${at}?name=b.txt`)).json.version, 3);
  assert.equal((await api('PATCH', at)).status, 400, 'nothing to change');
  assert.ok((await api('GET', at)).bytes.equals(two));
  assert.ok((await api('GET', `${at}?version=1`)).bytes.equals(one));
  assert.equal((await api('DELETE', at)).status, 204);
  assert.equal((await api('GET', at)).status, 404);
  assert.equal((await api('GET', 'files/docs?trash=1')).json.files[0].name, 'b.txt');
  for (const [method, target] of [['GET', at], ['GET', `${at}?version=1`], ['GET', `${at}/versions`], ['GET', `${at}/facts`],
    ['POST', `${at}/restore`], ['DELETE', at], ['PATCH', `${at}?name=stolen`]]) {
    assert.equal((await neighbour.api(method, target)).status, 404, `${method} ${target}`);
  }
  assert.equal((await neighbour.api('PUT', at, one)).status, 404);
  const back = await api('POST', `${at}/restore?version=1`);
  assert.deepEqual([back.json.name, back.json.size, back.json.label, back.json.version], ['a.txt', 1000, 'internal', 5]);
  assert.ok((await api('GET', at)).bytes.equals(one));
  assert.deepEqual((await api('GET', `${at}/versions`)).json.versions.map(v => v.version), [5, 4, 3, 2, 1]);
  assert.equal((await api('GET', `spaces/@docs/${id}`)).status, 404, 'a file is no record that one could write');
  assert.equal((await api('GET', `spaces/@docs/${id}?version=1`)).status, 404);
  assert.equal((await api('POST', 'spaces/@docs', Buffer.from('{}'))).status, 400);
});

test('an upload goes on where it was cut', async () => {
  const [{api}, neighbour] = people;
  const tus = {'tus-resumable': '1.0.0'}, type = {'content-type': 'application/offset+octet-stream'};
  const bytes = crypto.randomBytes(5 * MiB + 123);
  const metadata = `filename ${Buffer.from('film.mp4').toString('base64')},filetype ${Buffer.from('video/mp4').toString('base64')}`;
  const begun = await api('POST', 'files/films', undefined, {...tus, 'upload-length': bytes.length, 'upload-metadata': metadata});
  assert.equal(begun.status, 201);
  const at = begun.headers.location.replace('/.rempart/api/v1/', '');
  assert.equal((await api('HEAD', at, undefined, tus)).headers['upload-offset'], '0');
  const first = await api('PATCH', at, bytes.subarray(0, 100000), {...tus, ...type, 'upload-offset': 0});
  assert.deepEqual([first.status, first.headers['upload-offset']], [204, '100000']);
  const wrong = await api('PATCH', at, bytes.subarray(5), {...tus, ...type, 'upload-offset': 5});
  assert.deepEqual([wrong.status, wrong.headers['upload-offset']], [409, '100000']);
  assert.equal((await api('PATCH', at, bytes, {...tus, 'upload-offset': 100000})).status, 415);
  assert.equal((await neighbour.api('HEAD', at, undefined, tus)).status, 404);
  await assert.rejects(api('PATCH', at, request => { // the line breaks in the midst of it
    request.write(bytes.subarray(100000, 3 * MiB));
    setTimeout(() => request.destroy(new Error('cut')), 300);
  }, {...tus, ...type, 'upload-offset': 100000, 'content-length': bytes.length - 100000}));
  const kept = await until('what came to be kept', async () => {
    const offset = Number((await api('HEAD', at, undefined, tus)).headers['upload-offset']);
    return offset > 100000 && offset;
  });
  assert.ok(kept <= 3 * MiB);
  const last = await api('PATCH', at, bytes.subarray(kept), {...tus, ...type, 'upload-offset': kept});
  assert.deepEqual([last.status, last.headers['upload-offset']], [204, String(bytes.length)]);
  const read = await api('GET', last.headers['content-location'].replace('/.rempart/api/v1/', ''));
  assert.ok(read.bytes.equals(bytes), 'not one byte is missing, none stands twice');
  assert.match(read.headers['content-disposition'], /film\.mp4/);
  assert.equal(read.headers['content-type'], 'video/mp4');
  assert.equal((await api('HEAD', at, undefined, tus)).status, 404, 'an upload that ended is a file');
  const other = await api('POST', 'files/films?name=x', undefined, {...tus, 'upload-length': 10});
  const there = other.headers.location.replace('/.rempart/api/v1/', '');
  assert.equal((await api('PATCH', there, Buffer.alloc(11), {...tus, ...type, 'upload-offset': 0})).status, 413);
  assert.equal((await api('DELETE', there, undefined, tus)).status, 204);
  assert.equal((await api('DELETE', there, undefined, tus)).status, 404);
});

test('what is refused leaves nothing behind', async () => {
  const [{api}] = people;
  const before = blobs(stack.file('tenants')).length;
  const {json: used} = await api('GET', 'usage');
  for (const [target, body, status] of [['files/Docs?name=x', Buffer.alloc(9), 400], ['files/docs', Buffer.alloc(9), 400],
    ['files/docs?name=a/b', Buffer.alloc(9), 400], ['files/docs?name=..', Buffer.alloc(9), 400],
    ['files/docs?name=an%E2%80%AEfdp.exe', Buffer.alloc(9), 400], // shown as "anexe.pdf"
    ['files/docs?name=x&label=secret', Buffer.alloc(9), 400], ['files/docs?name=big', Buffer.alloc(70 * MiB), 413]]) {
    const answer = await api('POST', target, body).catch(error => ({status: 413, error})); // nginx may hang up on a refused body
    assert.equal(answer.status, status, `${target}: ${answer.bytes}`);
  }
  assert.equal((await api('POST', 'files/docs?name=x', Buffer.alloc(9), {'content-type': 'text/<b>html'})).status, 400);
  const over = await api('POST', 'files/docs?name=x', undefined, {'tus-resumable': '1.0.0', 'upload-length': 2 ** 30 + 1});
  assert.deepEqual([over.status, over.json.code], [413, 'too_large']);
  await assert.rejects(api('POST', 'files/docs?name=x', request => {
    request.write(Buffer.alloc(MiB));
    setTimeout(() => request.destroy(new Error('cut')), 200);
  }, {'content-length': 10 * MiB}));
  await until('the broken upload to be gone', () => blobs(stack.file('tenants')).length === before);
  assert.ok((await api('GET', 'usage')).json.bytes < used.bytes + MiB, 'the broken upload is not counted; a probe writes a little here, too');
  const unknown = await api('POST', 'files/docs?name=x', request => {
    const more = () => { for (let i = 0; i < 70; i++) request.write(Buffer.alloc(MiB)); request.end(); };
    more();
  }, {'transfer-encoding': 'chunked'}).catch(error => ({status: 413, error}));
  assert.equal(unknown.status, 413);
  await until('nothing of it to be left', () => blobs(stack.file('tenants')).length === before);
});

/*= S67, S82 type=test */
test('on the disk a file is sealed, and a changed, cut or swapped one does not open', async () => {
  const [{api}] = people;
  const marker = crypto.randomBytes(16).toString('hex');
  const plain = Buffer.concat([Buffer.from(marker), crypto.randomBytes(200000)]);
  const had = new Set(blobs(stack.file('tenants')));
  const {json: {id}} = await api('POST', 'files/sealed?name=secret-name.txt', plain);
  const [file] = blobs(stack.file('tenants')).filter(one => !had.has(one));
  const sealed = fs.readFileSync(file);
  const walk = folder => fs.readdirSync(folder, {withFileTypes: true}).flatMap(entry =>
    entry.isDirectory() ? walk(path.join(folder, entry.name)) : entry.isFile() ? [path.join(folder, entry.name)] : []);
  const read = one => { try { return fs.readFileSync(one); } catch (error) { assert.equal(error.code, 'ENOENT'); return null; } };
  for (const one of ['db', 'tenants', 'ledger', 'gate'].flatMap(folder => walk(stack.file(folder)))) {
    const bytes = read(one);
    if (!bytes) continue; // a file that was being written has its own name now
    assert.ok(!bytes.includes(marker) && !bytes.includes('secret-name'), `plaintext in ${one}`);
  }
  const chunk = 65536 + 32;
  const flip = at => { const b = Buffer.from(sealed); b[at] ^= 1; return b; };
  const swapped = Buffer.concat([sealed.subarray(chunk, 2 * chunk), sealed.subarray(0, chunk), sealed.subarray(2 * chunk)]);
  for (const [what, bytes] of [['the first chunk altered', flip(100)], ['two chunks swapped', swapped],
    ['cut after a chunk', sealed.subarray(0, 2 * chunk)], ['cut in a chunk', sealed.subarray(0, 1000)],
    ['prolonged', Buffer.concat([sealed, sealed.subarray(0, 99)])], ['nothing', Buffer.alloc(0)]]) {
    fs.writeFileSync(file, bytes);
    const read = await api('GET', `files/sealed/${id}`);
    assert.equal(read.status, 503, what);
    assert.equal(read.json.code, 'corrupt', what);
  }
  fs.writeFileSync(file, flip(2 * chunk + 5)); // the part that is whole may be read
  assert.equal((await api('GET', `files/sealed/${id}`, undefined, {range: 'bytes=0-65535'})).status, 206);
  assert.equal((await api('GET', `files/sealed/${id}`, undefined, {range: 'bytes=131072-131073'})).status, 503);
  fs.writeFileSync(file, sealed);
  assert.ok((await api('GET', `files/sealed/${id}`)).bytes.equals(plain));
  await until('the event in the organisation\'s own log', async () =>
    (await people[0].client.get('/.rempart/api/v1/audit?newest=1&limit=50')).text.includes('record.corrupt'));
});

test('one organisation’s slow uploads leave room for the others’', async () => {
  const [{api}, other] = people;
  const slow = [], refused = [];
  for (let i = 0; i < 20; i++) {
    api('POST', `files/many?name=slow-${i}`, request => {
      slow.push(request);
      request.on('error', () => {}); // it is cut below
      request.write(crypto.randomBytes(1000));
    }, {'content-type': 'text/plain', 'content-length': 100000}).then(answer => refused.push(answer), () => {});
  }
  await until('twenty asked, four were refused', () => slow.length === 20 && refused.length >= 4);
  assert.deepEqual(refused.map(({status}) => status), [429, 429, 429, 429]);
  assert.equal((await other.api('POST', 'files/many?name=quick', Buffer.from('x'), {'content-type': 'text/plain'})).status, 201);
  for (const request of slow) request.destroy();
  await until('room again', async () => (await api('POST', 'files/many?name=again', Buffer.from('x'), {'content-type': 'text/plain'})).status === 201);
});

test('a reader that stops reading stops nobody, and a stopped core is no half file', async () => {
  const [{api}] = people;
  const bytes = crypto.randomBytes(8 * MiB);
  const {json: {id}} = await api('POST', 'files/slow?name=x', bytes);
  const lazy = await Promise.all([...Array(10)].map(() => new Promise(resolve => {
    api('GET', `files/slow/${id}`, request => {
      request.removeAllListeners('response');
      request.on('response', answer => { answer.pause(); answer.on('error', () => {}); resolve({request, answer}); });
      request.end();
    }).catch(() => {});
  })));
  assert.ok((await api('GET', `files/slow/${id}`)).bytes.equals(bytes));
  for (const {request} of lazy) request.destroy();
  await sleep(100);
  assert.ok((await api('GET', `files/slow/${id}`)).bytes.equals(bytes));
});
