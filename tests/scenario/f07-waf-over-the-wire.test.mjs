// The Core Rule Set's test format over the wire: bytes as they are to nginx with our module, what matched out of its log, a back
// end that answers as it is told.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import {after, before, test} from 'node:test';
import {bin, freePort, root, run, until} from '../lib/stack.mjs';

const own = name => path.join(root, 'tests/scenario/waf', name);
const marker = `SecRule REQUEST_HEADERS:X-CRS-Test "@rx ^" "id:999999,phase:1,pass,log,msg:'X-CRS-Test %{MATCHED_VAR}',ctl:ruleRemoveById=1-999999"
SecRule ARGS:long "@rx ^" "id:120,phase:1,pass,log,msg:'from %{ARGS.long} to its end'"\n`;
let folder, nginx, app, port;
const waf = (...args) => run(path.join(bin, 'rempart'), ['waf', ...args], {env: {...process.env, LANG: 'C.UTF-8'}, seconds: 60});
const file = (name, text) => { fs.writeFileSync(path.join(folder, name), text); return path.join(folder, name); };
const wire = (...tests) => waf('test', '--url', `http://127.0.0.1:${port}`, '--log', `${folder}/error.log`, '--tests', ...tests);

// POST /reflect with {"status", "headers", "body" or "encodedBody"}: exactly that.
function reflect(request, response) {
  const parts = [];
  request.on('data', part => parts.push(part)).on('end', () => {
    const wish = request.url.startsWith('/reflect') ? JSON.parse(Buffer.concat(parts)) : {};
    response.writeHead(wish.status ?? 200, wish.headers ?? {'content-type': 'text/plain'});
    response.end(wish.encodedBody ? Buffer.from(wish.encodedBody, 'base64') : wish.body ?? 'as sent');
  });
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-wire-'));
  fs.chmodSync(folder, 0o755);
  app = http.createServer(reflect);
  await new Promise(resolve => app.listen(0, '127.0.0.1', resolve));
  port = await freePort();
  const made = await waf('compile', '--rules', file('marker.conf', marker), own('own.conf'), '-o', `${folder}/own.waf`);
  assert.equal(made.code, 0, made.stderr);
  fs.mkdirSync(`${folder}/tmp`);
  file('nginx.conf', `load_module ${path.resolve(bin)}/ngx_http_rempart_module.so;
pid ${folder}/pid; error_log ${folder}/error.log notice; worker_processes 1; events {}
http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/tmp;`).join(' ')}
 rempart_waf ${folder}/own.waf detect; rempart_waf_log full;
 server { listen 127.0.0.1:${port}; location / { proxy_set_header Host $http_host; proxy_pass http://127.0.0.1:${app.address().port}; } } }`);
  nginx = spawn('/usr/sbin/nginx', ['-c', `${folder}/nginx.conf`, '-g', 'daemon off;'], {stdio: 'ignore'});
  await until('nginx', () => new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
  }));
});
after(async () => {
  nginx?.kill('SIGTERM');
  await new Promise(resolve => (nginx ? nginx.on('close', resolve) : resolve()));
  app?.closeAllConnections?.();
  await new Promise(resolve => (app ? app.close(resolve) : resolve()));
  fs.rmSync(folder, {recursive: true, force: true});
});

/*= S58 type=test */
test('requests as they are, answers as told, what nginx itself refuses', async () => {
  const b64 = text => Buffer.from(text).toString('base64');
  const twice = 'GET /?q=hay HTTP/1.1\r\nHost: a\r\n\r\nGET /?q=needle HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
  const stage = (input, output) => `    stages:\n      - input: ${JSON.stringify(input)}\n        output: ${JSON.stringify(output)}\n`;
  const Host = 'a';
  const tests = [
    [{uri: '/?q=needle', headers: {Host}}, {status: 200, isolated: true, log: {expect_ids: [100], match_regex: 'msg "a needle"'}}],
    [{uri: '/?q=hay', headers: {Host, X_Odd: 'needle'}}, {log: {no_expect_ids: [100]}, response_contains: 'as sent'}],
    [{encoded_request: b64(twice)}, {status: 200, log: {expect_ids: [100]}}],
    [{method: 'POST', uri: '/reflect', headers: {Host, 'Content-Type': 'application/json'},
      data: JSON.stringify({status: 500, headers: {'Content-Type': 'text/html'}, encodedBody: b64('ORA-00942: x')})}, {status: 500, log: {expect_ids: [103]}}],
    [{method: 'POST', uri: '/reflect', headers: {Host, 'Content-Type': 'application/json'},
      data: JSON.stringify({headers: {'Content-Type': 'text/html', 'Content-Encoding': 'gzip'}, encodedBody: zlib.gzipSync('ORA-00942: x').toString('base64')})},
    {status: 200, log: {expect_ids: [103]}}],
    [{headers: {Host, 'Content-Length': 'some'}, autocomplete_headers: false}, {status: 400}],
    [{method: '\tGET', headers: {Host}}, {status: 400}],
    [{headers: {Host}, method: 'HEAD', uri: '/?e='}, {status: 200, log: {expect_ids: [107]}}],
    [{method: 'POST', headers: {Host, 'Content-Type': 'application/x-www-form-urlencoded', 'Transfer-Encoding': 'chunked'},
      data: '8\r\nq=needle\r\n0\r\n\r\n', autocomplete_headers: false}, {status: 200, retry_once: true, log: {expect_ids: [100]}}],
    [{uri: `/?long=${'y'.repeat(400)}`, headers: {Host}, virtual_host_mode: true}, {log: {match_regex: 'msg "from y{400} to its end"'}}],
    [{uri: '/?q=hay', headers: {Host}}, {status: 200, log: {expect_ids: [100]}}],
  ];
  const text = tests.map(([input, output], i) => `  - test_id: ${i + 1}\n${stage(input, output)}`).join('');
  const {code, stdout, stderr} = await wire(file('wire.yaml', `rule_id: 7\ntests:\n${text}`));
  assert.match(stdout, /^10 passed, 1 failed, 0 skipped$/m, stdout + stderr);
  assert.match(stdout, /^not ok 7-11 .*100 did not match/m);
  assert.equal(code, 1);
});

test('a stage goes where the one before was sent', async () => {
  const headers = {Host: 'a', 'Content-Type': 'application/json'};
  const stages = [[{method: 'POST', uri: '/reflect', headers, data: JSON.stringify({status: 303, headers: {Location: '/?q=needle'}})}, {status: 303}],
    [{uri: '/', headers: {Host: 'a'}, follow_redirect: true}, {status: 200, log: {expect_ids: [100]}}],
    [{uri: '/', headers: {Host: 'a'}, follow_redirect: true}, {status: 200}]];
  const text = stages.map(([input, output]) => `      - input: ${JSON.stringify(input)}\n        output: ${JSON.stringify(output)}\n`).join('');
  const {stdout} = await wire(file('sent.yaml', `rule_id: 8\ntests:\n  - test_id: 1\n    stages:\n${text}`));
  assert.match(stdout, /^not ok 8-1 \(line 9\): the stage before was not sent elsewhere/m, stdout);
});

test('no server there, and a log that is not its own, are told', async () => {
  const none = await waf('test', '--url', `http://127.0.0.1:${await freePort()}`, '--log', `${folder}/error.log`, '--tests', own('own.yaml'));
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /127\.0\.0\.1/);
  const tls = await waf('test', '--url', 'https://127.0.0.1', '--log', `${folder}/error.log`, '--tests', own('own.yaml'));
  assert.equal(tls.code, 2);
  assert.match(tls.stderr, /http:\/\/ADDRESS:PORT/);
});
