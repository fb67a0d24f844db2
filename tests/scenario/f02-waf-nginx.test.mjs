// The firewall alone in an nginx of the operator's own: the example of the documentation, word by word.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import {after, before, test} from 'node:test';
import {bin, freePort, root, run, sleep, until} from '../lib/stack.mjs';

let folder, nginx, app, port, appPort, seen = [];
const agent = new http.Agent({keepAlive: false});

// A back end that echoes what it got, and has one page that leaks.
function answer(request, response) {
  const parts = [];
  request.on('data', part => parts.push(part)).on('end', () => {
    seen.push({url: request.url, bytes: Buffer.concat(parts).length, headers: request.headers});
    response.setHeader('content-type', request.url.includes('/plain') ? 'application/octet-stream' : 'text/html');
    const packed = /packed=(\w+)/.exec(request.url)?.[1];
    if (packed) {
      const page = Buffer.from(request.url.includes('/leak') ? '<p>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</p>' :
        request.url.includes('/huge') ? '<p>a line</p>\n'.repeat(400000) : '<p>hello, packed</p>');
      response.setHeader('content-encoding', packed === 'raw' ? 'deflate' : packed);
      return response.end({gzip: zlib.gzipSync, deflate: zlib.deflateSync, raw: zlib.deflateRawSync, br: zlib.brotliCompressSync}[packed](page));
    }
    if (request.url.includes('/leak')) return response.end('<p>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</p>');
    if (request.url.includes('/long')) { for (let i = 0; i < 40; i++) response.write('<p>a line of a long page</p>\n'.repeat(1000)); return response.end('the end'); }
    response.end(`<p>hello ${request.method}</p>`);
  });
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-alone-'));
  fs.chmodSync(folder, 0o755);
  appPort = await freePort();
  app = http.createServer(answer).listen(appPort, '127.0.0.1');
  port = await freePort();
  const [, example] = /## The firewall alone[\s\S]*?```\n(load_module[\s\S]*?)```/.exec(fs.readFileSync(path.join(root, 'docs/operations/the-gate.md'), 'utf8'));
  const image = path.join(folder, 'crs.waf');
  const made = await run(path.join(bin, 'rempart'), ['waf', 'compile', '-o', image,
    '--rules', '/etc/modsecurity/crs/crs-setup.conf', '/usr/share/modsecurity-crs/rules/*.conf']);
  assert.equal(made.code, 0, made.stderr);
  const text = example.replace('/usr/lib/nginx/modules', bin).replaceAll('/etc/nginx/crs.waf', image)
    .replace('127.0.0.1:8080', `127.0.0.1:${port}`).replaceAll('127.0.0.1:3000', `127.0.0.1:${appPort}`)
    .replace('http {', `http {\n access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/tmp;`).join(' ')}`);
  fs.writeFileSync(path.join(folder, 'nginx.conf'), `pid ${folder}/pid;\nerror_log ${folder}/error.log warn;\nworker_processes 1;\n${text}`);
  nginx = spawn('/usr/sbin/nginx', ['-c', path.join(folder, 'nginx.conf'), '-g', 'daemon off;'], {stdio: 'ignore'});
  await until('nginx', async () => (await get('/')).status === 200);
});
after(async () => {
  nginx?.kill('SIGTERM');
  await new Promise(resolve => (nginx ? nginx.on('close', resolve) : resolve()));
  app?.close();
  fs.rmSync(folder, {recursive: true, force: true});
});

function send(target, {method = 'GET', headers = {}, body} = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({agent, host: '127.0.0.1', port, path: target, method,
      headers: {host: 'shop.example.com', 'user-agent': 'Mozilla/5.0', accept: 'text/html', 'accept-language': 'en', ...headers}}, response => {
      const parts = [];
      response.on('data', part => parts.push(part)).on('error', reject)
        .on('end', () => resolve({status: response.statusCode, headers: response.headers, bytes: Buffer.concat(parts), text: Buffer.concat(parts).toString()}));
    });
    request.on('error', reject);
    request.end(body);
  });
}
const get = (target, options) => send(target, options);
const log = () => fs.readFileSync(path.join(folder, 'error.log'), 'utf8');
const attack = '/?q=%27%20or%201%3D1--';

// The threads of the only worker, which makes those that judge at the first judgement that takes long.
function threads() {
  const workers = fs.readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ');
  assert.equal(workers.length, 1);
  return fs.readdirSync(`/proc/${workers[0]}/task`).length;
}

/*= S64 type=test */
test('a head that takes long is judged beside the loop, to the same verdict', async () => {
  assert.equal((await get('/?page=2')).status, 200);
  assert.equal(threads(), 1, 'what an honest request takes is done in the loop');
  const long = Array.from({length: 150}, (_, i) => `f${i}=union+select+${i}`).join('&');
  const answers = await Promise.all([get(`/?${long}`), get('/?page=3'), get(`/?page=4`, {headers: {cookie: long.replaceAll('&', '; ')}})]);
  assert.deepEqual(answers.map(answer => answer.status), [403, 200, 403]);
  assert.equal(threads(), 3);
  assert.equal((await get(`/?text=${'word+'.repeat(1200)}`)).status, 200, 'long and harmless');
  const left = http.request({agent, host: '127.0.0.1', port, path: `/?${long}`, headers: {host: 'shop.example.com'}}).on('error', () => {});
  left.end();
  await new Promise(resolve => setImmediate(resolve));
  left.destroy(); // a visitor who does not wait
  assert.equal((await get('/?page=5')).status, 200);
});

/*= S58, S64 type=test */
test('an attack in the query is refused, with a number that the log has too', async () => {
  const before = seen.length;
  const refused = await get(attack);
  assert.equal(refused.status, 403);
  assert.match(refused.text, /<html lang="en">[\s\S]*Request refused/);
  const [incident] = /[0-9a-f]{32}/.exec(refused.text);
  const line = new RegExp(`refused, incident ${incident}, status 403, rule 949110`);
  await until('the incident in the log, which is written after the answer', () => line.test(log()));
  assert.ok(!log().includes('1%3D1--,'), 'no value of the request is written by the rules');
  assert.equal(seen.length, before, 'the application never saw it');
});

test('in French for who reads French, as a problem document for a program', async () => {
  assert.match((await get(attack, {headers: {'accept-language': 'fr'}})).text, /<html lang="fr">[\s\S]*Requête refusée/);
  const problem = await get(attack, {headers: {accept: 'application/json'}});
  assert.equal(problem.headers['content-type'], 'application/problem+json');
  assert.equal(JSON.parse(problem.text).code, 'rule');
});

/*= S58, S64 type=test */
test('attacks in forms, JSON, headers and cookies are refused; what people write is not', async () => {
  const form = {'content-type': 'application/x-www-form-urlencoded'}, json = {'content-type': 'application/json'};
  const bad = [
    ['/', {method: 'POST', headers: form, body: 'comment=%3Cscript%3Ealert(1)%3C%2Fscript%3E'}],
    ['/', {method: 'POST', headers: json, body: JSON.stringify({a: [{b: "1' UNION SELECT password FROM users--"}]})}],
    ['/', {headers: {'user-agent': 'sqlmap/1.7'}}],
    ['/', {headers: {cookie: 'a=<script>alert(1)</script>'}}],
    ['/?file=../../../../etc/passwd', {}],
  ];
  for (const [target, options] of bad) assert.equal((await send(target, options)).status, 403, `${target} ${JSON.stringify(options)}`);
  const good = [
    ['/catalogue?page=2&sort=price', {}],
    ['/', {method: 'POST', headers: form, body: new URLSearchParams({name: "Jean d'Arcy", note: 'Rendez-vous à 10 h, d’accord ? 50 % de moins !'}).toString()}],
    ['/', {method: 'POST', headers: json, body: JSON.stringify({title: 'Select the best union of colours', price: 12.5, tags: ['new', null, true]})}],
  ];
  for (const [target, options] of good) assert.equal((await send(target, options)).status, 200, `${target} ${JSON.stringify(options)}`);
});

test('a body over the limit is refused before it is read; where bodies stream it passes', async () => {
  const body = 'b'.repeat(200 * 1024), headers = {'content-type': 'application/json', 'content-length': body.length};
  const refused = await send('/', {method: 'POST', headers, body});
  assert.equal(refused.status, 413);
  assert.match(refused.text, /Too large/);
  assert.equal((await send('/uploads/', {method: 'POST', headers, body})).status, 200);
  assert.equal(seen.at(-1).bytes, body.length);
  assert.equal((await send('/uploads/?q=%27%20or%201%3D1--', {method: 'POST', headers, body})).status, 403, 'its address is judged all the same');
});

test('a body that goes to a file is judged too, and reaches the application whole', async () => {
  const body = 'text=' + 'word+'.repeat(12000);
  const headers = {'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length};
  assert.equal((await send('/', {method: 'POST', headers, body})).status, 200);
  assert.equal(seen.at(-1).bytes, body.length);
  const bad = body + '&x=%3Cscript%3Ealert(1)%3C%2Fscript%3E';
  assert.equal((await send('/', {method: 'POST', headers: {...headers, 'content-length': bad.length}, body: bad})).status, 403);
});

/*= S58 type=test */
test('an answer that leaks is stopped; a long one comes whole; other types are not held', async () => {
  const leak = await get('/leak');
  assert.equal(leak.status, 403);
  assert.ok(!leak.text.includes('MySQL'));
  const long = await get('/long');
  assert.ok(long.text.endsWith('the end'), `${long.text.length}`);
  assert.equal((await get('/plain')).status, 200);
});

/*= S58 type=test */
test('a compressed answer is read and passes as it came; codings that cannot be read are not asked for', async () => {
  const accept = {'accept-encoding': 'gzip, deflate, br'};
  for (const packed of ['gzip', 'deflate', 'raw']) {
    const leak = await send(`/leak?packed=${packed}`, {headers: accept});
    assert.equal(leak.status, 403, packed);
    assert.equal(leak.headers['content-encoding'], undefined);
    const good = await send(`/?packed=${packed}`, {headers: accept});
    assert.deepEqual([good.status, good.headers['content-encoding']], [200, packed === 'raw' ? 'deflate' : packed]);
    assert.equal((packed === 'gzip' ? zlib.gunzipSync : packed === 'deflate' ? zlib.inflateSync : zlib.inflateRawSync)(good.bytes).toString(), '<p>hello, packed</p>');
    assert.equal(seen.at(-1).headers['accept-encoding'], 'gzip,deflate');
  }
  const huge = await send('/huge?packed=gzip', {headers: accept});
  assert.equal(zlib.gunzipSync(huge.bytes).length, 400000 * 14, 'what unfolds beyond the limit passes as it came');
  assert.equal((await send('/?packed=br', {headers: accept})).status, 200);
  await send('/', {headers: {'accept-encoding': 'br'}});
  assert.equal(seen.at(-1).headers['accept-encoding'], 'identity');
});

test('detect lets pass what it would refuse, and says so', async () => {
  assert.equal((await get(`/trial${attack}`)).status, 200);
  await until('what would have been refused, in the log', () => /would be refused/.test(log()));
});

test('a broken image stops the configuration in words; a reload changes the rules', async () => {
  const conf = path.join(folder, 'nginx.conf'), image = path.join(folder, 'crs.waf'), good = fs.readFileSync(image);
  const bytes = Buffer.from(good);
  bytes[bytes.length >> 1] ^= 1;
  fs.writeFileSync(`${image}.new`, bytes);
  fs.renameSync(`${image}.new`, image);
  const refused = await run('/usr/sbin/nginx', ['-t', '-c', conf]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /is no image of this version/);
  assert.equal((await get(attack)).status, 403, 'the running rules are untouched');
  const rules = path.join(folder, 'own.conf');
  fs.writeFileSync(rules, 'SecRule ARGS:q "@contains or" "id:1,phase:1,deny,status:418"\n');
  const made = await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', rules, '-o', image]);
  assert.equal(made.code, 0, made.stderr);
  process.kill(nginx.pid, 'SIGHUP');
  await until('the new rules', async () => (await get(attack)).status === 418);
  await sleep(100);
  assert.equal((await get('/?q=and')).status, 200);
});
