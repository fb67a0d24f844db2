// rempart waf: rules compiled, a request judged, the Core Rule Set's own tests passed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {bin, root, run} from '../lib/stack.mjs';

const debian = ['/etc/modsecurity/crs/crs-setup.conf', '/usr/share/modsecurity-crs/rules/*.conf'];
const corpora = process.env.REMPART_CORPORA ?? path.join(root, '../shared/corpora');
const own = name => path.join(root, 'tests/scenario/waf', name);
let folder;
const waf = (...args) => run(path.join(bin, 'rempart'), ['waf', ...args], {env: {...process.env, LANG: 'C.UTF-8'}, seconds: 120});
const file = (name, text) => { fs.writeFileSync(path.join(folder, name), text); return path.join(folder, name); };
before(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-waf-')); });
after(() => fs.rmSync(folder, {recursive: true, force: true}));

const attack = 'POST /login?user=%27%20OR%201%3D1-- HTTP/1.1\r\nHost: example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n' +
  'Content-Type: application/json\r\nContent-Length: 45\r\n\r\n{"a":["<script>alert(1)</script>"],"b":{"c":1}}';
const plain = 'GET /shoes?page=2&sort=price HTTP/1.1\nHost: example.com\nUser-Agent: Mozilla/5.0\nAccept: text/html\n\n';

/*= S58, S64 type=test */
test('an attack is refused, with what matched and the score; a plain request passes', async () => {
  const bad = await waf('exec', '--rules', ...debian, '--request', file('attack.http', attack), '--json');
  assert.equal(bad.code, 1, bad.stderr);
  const seen = JSON.parse(bad.stdout);
  assert.equal(seen.status, 403);
  assert.equal(seen.intervention, true);
  const ids = seen.matched.map(one => one.id);
  for (const id of [941100, 942100, 949110]) assert.ok(ids.includes(id), `${id} in ${ids}`);
  const sql = seen.matched.find(one => one.id === 942100);
  assert.equal(sql.variable, 'ARGS:user');
  assert.equal(Buffer.from(sql.value_base64, 'base64').toString(), sql.value);
  assert.ok(sql.tags.includes('attack-sqli') && sql.severity === 2 && sql.phase === 2);
  assert.ok(Number(seen.tx.anomaly_score) >= 15);
  const good = await waf('exec', '--rules', ...debian, '--request', file('plain.http', plain));
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /^passes$/m);
});

test('a response is judged too, and bytes that are no text come back exactly', async () => {
  const rules = file('r.conf', 'SecRule RESPONSE_BODY "@rx ORA-\\d{5}" "id:1,phase:4,deny,status:502,msg:\'leak\'"\n' +
    'SecRule ARGS:x "@rx ." "id:2,phase:1,pass,msg:\'seen\'"\n');
  const {code, stdout} = await waf('exec', '--json', '--rules', rules, '--request', file('q.http', 'GET /?x=%ff%00a HTTP/1.1\nHost: a\n\n'),
    '--response', file('a.http', 'HTTP/1.1 200 OK\nContent-Type: text/html\n\n<p>ORA-00942'));
  const seen = JSON.parse(stdout);
  assert.deepEqual([code, seen.status, seen.rule], [1, 502, 1]);
  assert.equal(seen.matched[0].value_base64, Buffer.from([0xff, 0, 0x61]).toString('base64'));
});

test('compiled once, the image judges alike, explains its rules and is measured', async () => {
  const image = path.join(folder, 'crs.waf');
  const made = await waf('compile', '--rules', ...debian, '-o', image);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /OWASP_CRS\/3\.3\.\d: \d+ rules/);
  assert.match(made.stderr, /:\d+: note: @rbl: never matches; nobody is asked while a request waits$/m, 'what has no effect is told');
  const noted = await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', file('noted.conf', 'SecTmpDir /x\nSecRule ARGS "@eq x" "id:1,skipAfter:Z"\n'), '-o', path.join(folder, 'noted.waf')],
    {env: {...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'}});
  assert.match(noted.stderr, /^.*noted\.conf:1: à noter\u00a0: SecTmpDir\u00a0: les corps ne sont pas écrits dans des fichiers$/m);
  assert.match(noted.stderr, /:2: à noter\u00a0: «\u00a0x\u00a0» n’est pas un nombre que @eq connaisse\u00a0: il vaut 0$/m);
  assert.match(noted.stderr, /:2: à noter\u00a0: skipAfter:Z\u00a0: aucun SecMarker/m);
  assert.equal((await waf('exec', '--image', image, '--request', path.join(folder, 'attack.http'))).code, 1);
  const explained = await waf('explain', '942100', '--image', image);
  const french = await run(path.join(bin, 'rempart'), ['waf', 'explain', '942100', '--image', image], {env: {...process.env, LANG: 'fr_FR.UTF-8'}});
  const unknown = await waf('explain', '7', '--image', image);
  assert.deepEqual([unknown.code, unknown.stdout], [2, '']);
  assert.match(unknown.stderr, /^rempart: 7: not found: none of these rules has that id$/m);
  assert.equal((await waf('explain', '942100', '--image', image, '--json')).code, 2, 'nobody may believe that it was heeded');
  const told = JSON.parse((await waf('bench', '--image', image, '--request', path.join(folder, 'plain.http'), '--seconds', '1', '--json')).stdout);
  assert.ok(told.ns > 0 && told.ns_from <= told.ns && told.ns <= told.ns_to && told.rounds === 21);
  assert.match(french.stdout, /^règle 942100, phase 2.*\n.*\n  regarde      .*\n  après .*\n  demande      detectSQLi[^]*\n  coût         \d+ pas/);
  assert.match(explained.stdout, /asks +detectSQLi[^]*prefilter +none: every value is asked[^]*cost +[1-9]\d* of the \d+ steps that an ordinary request takes/);
  const scanners = await waf('explain', '913100', '--image', image);
  assert.match(scanners.stdout, /prefilter .*sqlmap.* and \d+ more\n[^]*cost +nothing: of an ordinary request it is not asked/);
  const scanner = file('scanner.http', 'GET / HTTP/1.1\nHost: a\nUser-Agent: sqlmap/1.8\n\n');
  assert.match((await waf('explain', '913100', '--image', image, '--request', scanner)).stdout, /cost +[1-9]\d* of the \d+ steps that this request takes/);
  fs.mkdirSync(path.join(folder, 'state', 'gate'), {recursive: true});
  fs.copyFileSync(image, path.join(folder, 'state', 'gate', 'rules.waf'));
  assert.equal((await waf('explain', '913100', '--state', path.join(folder, 'state'))).stdout, scanners.stdout, 'without rules, those that run');
  const measured = await waf('bench', '--image', image, '--request', path.join(folder, 'plain.http'), '--seconds', '1');
  assert.match(measured.stdout, /µs of processor a request/);
  fs.truncateSync(image, 5000);
  const broken = await waf('exec', '--image', image, '--request', path.join(folder, 'attack.http'));
  assert.equal(broken.code, 2);
});

test('a mistake in the rules is told with file, line and column', async () => {
  const {code, stderr} = await waf('compile', '--rules', file('bad.conf', '# first\nSecRule ARGS "@rxx a" "id:1"\n'), '-o', path.join(folder, 'x'));
  assert.equal(code, 2);
  assert.match(stderr, /bad\.conf.*line 2, column 16.*unknown operator "@rxx"/);
  const told = await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', path.join(folder, 'bad.conf'), '-o', path.join(folder, 'x')],
    {env: {...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'}});
  assert.match(told.stderr, /bad\.conf.*ligne 2, colonne 16.*opérateur «\u00a0@rxx\u00a0» inconnu/);
  assert.ok(!fs.existsSync(path.join(folder, 'x')));
  const french = await run(path.join(bin, 'rempart'), ['waf', 'exec', '--rules', path.join(folder, 'none'), '--request', path.join(folder, 'plain.http')],
    {env: {...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'}});
  assert.equal(french.code, 2);
  assert.match(french.stderr, /introuvable/);
});

test('what is no HTTP request is said to be none, in both languages, and no verdict is given', async () => {
  const rules = file('any.conf', 'SecAction "id:1,phase:1,pass,log"\n');
  const french = {...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: 'fr_FR.UTF-8'};
  for (const text of ['', 'Dear Sir, / and Madam\n', 'hello world\n', '\x7fELF\x02\x01\n', 'GET\n\n', '{"a": 1}\n', 'HTTP/1.1 200 OK\n\n']) {
    const none = ['--rules', rules, '--request', file('none.http', text)];
    for (const word of ['exec', 'bench']) {
      const {code, stdout, stderr} = await waf(word, ...none);
      assert.deepEqual([code, stdout], [2, ''], `${word} ${JSON.stringify(text)}`);
      assert.match(stderr, /none\.http.*line 1.*no HTTP request; expected a line such as "GET \/path HTTP\/1\.1"/);
    }
    const told = await run(path.join(bin, 'rempart'), ['waf', 'exec', ...none], {env: french});
    assert.match(told.stderr, /none\.http.*ligne 1.*ce n’est pas une requête HTTP\u00a0; attendu une ligne/);
  }
  /* what is malformed, but a request, is judged: that is what rules are for */
  for (const text of ['GET /\n\n', 'get /a b HTTP/1.1\n\n', 'GET /a HTTP/1.1\nno header\n\n', 'OPTIONS * HTTP/1.1\n\n', 'GET /a JUNK/1\n\n', '\r\n\r\nGET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1'])
    assert.equal((await waf('exec', '--rules', rules, '--request', file('odd.http', text))).code, 0, text);
  const answer = await waf('exec', '--rules', rules, '--request', file('plain.http', plain), '--response', file('no.http', 'hello\n'));
  assert.equal(answer.code, 2);
  assert.match(answer.stderr, /no\.http.*no HTTP response; expected a line such as "HTTP\/1\.1 200 OK"/);
});

test('a body over its limit is 413, in JSON too', async () => {
  const rules = file('small.conf', 'SecRequestBodyLimit 8\n');
  const big = file('big.http', 'POST / HTTP/1.1\nHost: a\nContent-Length: 12\n\nabcdefghijkl');
  const {code, stdout, stderr} = await waf('exec', '--rules', rules, '--request', big, '--json');
  assert.equal(code, 1);
  assert.match(stderr, /request over the limits: 413/);
  assert.deepEqual(JSON.parse(stdout), {status: 413, intervention: true, action: 'deny', over_limit: true, matched: [], tx: {}});
});

test('a rule set is taken as it is published: its set-up, its rules, plugins around them or none', async () => {
  const set = path.join(folder, 'set'), image = path.join(folder, 'set.waf');
  const put = (name, text) => { fs.mkdirSync(path.dirname(path.join(set, name)), {recursive: true}); fs.writeFileSync(path.join(set, name), text); };
  const rule = id => `SecAction "id:${id},phase:1,pass,nolog,setvar:'tx.order=%{tx.order} ${id}'"\r\n`;
  const order = async () => {
    const made = await waf('compile', '--rules', set, '-o', image);
    assert.equal(made.code, 0, made.stderr);
    const {stdout} = await waf('exec', '--image', image, '--request', path.join(folder, 'plain.http'), '--json');
    return JSON.parse(stdout).tx.order;
  };
  put('crs-setup.conf.example', `\ufeff# by example, with the bytes of an editor for Windows\r\n${rule(1)}`);
  put('rules/REQUEST-901.conf', rule(3) + rule(4));
  put('rules/REQUEST-900.conf.example', 'no rule\n');
  put('rules/words.data', '# no rule\n');
  assert.equal(await order(), ' 1 3 4', 'without plugins');
  put('plugins/README.md', 'none');
  assert.equal(await order(), ' 1 3 4', 'an empty folder of them');
  put('plugins/own-after.conf', rule(5));
  put('plugins/own-before.conf', rule(2));
  put('plugins/own-config.conf', '');
  assert.equal(await order(), ' 1 2 3 4 5');
  fs.rmSync(path.join(set, 'rules'), {recursive: true});
  const none = await waf('compile', '--rules', set, '-o', image);
  assert.equal(none.code, 2, 'a rule set without rules');
  assert.match(none.stderr, /no \.conf file in this folder, nor in its rules\//);
  fs.rmSync(path.join(set, 'crs-setup.conf.example'));
  put('rules/REQUEST-901.conf', rule(3));
  assert.equal(await order(), ' 2 3 5', 'rules below, and no set-up');
  put('all.conf', rule(7));
  assert.equal(await order(), ' 7', 'files beside each other');
});

test('our own cases, in the format of the Core Rule Set', async () => {
  const {code, stdout, stderr} = await waf('test', '--rules', own('own.conf'), '--tests', own('own.yaml'));
  assert.match(stdout, /^15 passed, 0 failed, 1 skipped$/m, stdout + stderr);
  assert.equal(code, 0);
  fs.mkdirSync(path.join(folder, 'tests/REQUEST-1.2-X'), {recursive: true});
  fs.copyFileSync(own('own.yaml'), path.join(folder, 'tests/REQUEST-1.2-X/one.yaml'));
  fs.writeFileSync(path.join(folder, 'tests/REQUEST-1.2-X/README'), 'no test');
  fs.writeFileSync(path.join(folder, 'tests/one.ra'), 'no test');
  const below = await waf('test', '--rules', own('own.conf'), '--tests', path.join(folder, 'tests'));
  assert.match(below.stdout, /^15 passed, 0 failed, 1 skipped$/m, below.stderr);
  const wrong = await waf('test', '--json', '--rules', own('own.conf'), '--tests', file('wrong.yaml',
    'rule_id: 100\ntests:\n  - test_id: 7\n    stages:\n      - input: {uri: "/?q=hay"}\n        output: {log: {expect_ids: [100]}}\n' +
    '  - test_id: 8\n    stages:\n      - input: {uri: "/?q=needle&e="}\n        output: {isolated: true, log: {expect_ids: [100]}}\n'));
  assert.equal(wrong.code, 1);
  assert.deepEqual(JSON.parse(wrong.stdout).failures.map(one => one.test), ['100-7', '100-8']);
  const good = '  - test_id: 2\n    stages:\n      - input: {uri: "/?q=needle"}\n        output: {log: {expect_ids: [100]}}\n';
  const bad = [['  - test_id: 1\n    stages:\n      - input: {urj: /}\n        output: {}\n', '1-1 \\(line 3\\): 5:17: "urj"'],
    ['  - test_id: 1\n    stages:\n      - input: {uri: /}\n        output:\n          log: {expect_id: [1]}\n', '1-1 \\(line 3\\): 7:17: "expect_id"'],
    ['  - test_id: 1\n    stages:\n      - input: {uri: /, save_cookie: true}\n        output: {}\n', '1-1 \\(line 3\\): 5:38'],
    ['  - test_id: 1\n    stages:\n      - input: {uri: /, encoded_data: "%"}\n        output: {}\n', '1-1 \\(line 3\\): 5:39: .*Base64']];
  for (const [text, why] of bad) {
    const refused = await waf('test', '--rules', own('own.conf'), '--tests', file('bad.yaml', `rule_id: 1\ntests:\n${text}${good}`));
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, new RegExp(`^not ok ${why}`, 'm'));
    assert.match(refused.stdout, /^1 passed, 1 failed, 0 skipped$/m, 'the other test is run all the same');
  }
  const nameless = await waf('test', '--rules', own('own.conf'), '--tests', file('bad.yaml', 'rule_id: 1\ntests:\n  - stages: []\n'), own('own.yaml'));
  assert.equal(nameless.code, 1);
  assert.match(nameless.stderr, /bad\.yaml.*line 3, column 5.*test_id/);
  assert.match(nameless.stdout, /^15 passed, 1 failed, 1 skipped$/m, 'the other file is run all the same');
});

test('what go-ftw takes is taken: expectations beside the log, an error as the only one, lines of release 4', async () => {
  const stage = (id, input, output) => `  - test_id: ${id}\n    stages:\n      - input: ${JSON.stringify(input)}\n        output: ${JSON.stringify(output)}\n`;
  const Host = 'a', form = 'multipart/form-data; boundary=z';
  const part = end => ['--z', 'Content-Disposition: form-data; name="q"', '', 'needle', '--z--', ''].join(end);
  const text = [
    stage(1, {uri: '/?q=needle', headers: {Host}}, {expect_ids: [100], status: 200}),
    stage(2, {uri: '/?q=hay', headers: {Host}}, {no_expect_ids: [100], no_match_regex: 'a needle'}),
    stage(3, {uri: '/', headers: {Host}, version: ''}, {expect_error: true, expect_ids: [100], status: 299}),
    stage(4, {uri: '/?q=hay', headers: {Host}, virtual_host_mode: true, autocomplete_headers: true}, {expect_error: false}),
    stage(5, {method: 'POST', headers: {Host, 'Content-Type': form}, data: part('\n')}, {log: {expect_ids: [100]}}),
    stage(6, {method: 'POST', ordered_headers: [{name: 'Host', value: 'a'}, {name: 'Content-Type', value: 'text/plain'}, {name: 'Content-Type', value: form}],
      data: part('\n')}, {status: 200}),
    stage(7, {uri: '/?q=a needle', headers: {Host}}, {log: {expect_ids: [100]}}),
    stage(8, {uri: '\\', headers: {Host}}, {status: 400}),
    stage(9, {method: 'OPTIONS', uri: '*', headers: {Host}}, {status: 200}),
  ].join('');
  const {code, stdout, stderr} = await waf('test', '--rules', own('own.conf'), '--tests', file('ftw.yaml', `meta:\n  author: us\n  annotations: [odd]\nrule_id: 9\ntests:\n${text}`));
  assert.match(stdout, /^9 passed, 0 failed, 0 skipped$/m, stdout + stderr);
  assert.equal(code, 0);
  const sent = location => `  - test_id: 1\n    stages:\n` +
    [[{uri: '/deep/a?x=1', headers: {Host}, response: {status: 302, headers: {Location: location}}}, {status: 302}],
      [{uri: '/deep/a?x=1', headers: {Host}, follow_redirect: true}, {log: {expect_ids: [100]}}]]
      .map(([input, output]) => `      - input: ${JSON.stringify(input)}\n        output: ${JSON.stringify(output)}\n`).join('');
  for (const [location, passed] of [['/b?q=needle', 1], ['b?q=needle#c', 1], ['http://elsewhere:81/b?q=needle', 1], ['http://needle', 0], ['/b?q=hay', 0], ['', 0]]) {
    const {stdout} = await waf('test', '--rules', own('own.conf'), '--tests', file('sent.yaml', `rule_id: 9\ntests:\n${sent(location)}`));
    assert.match(stdout, new RegExp(`^${passed} passed, ${1 - passed} failed, 0 skipped$`, 'm'), `${location}: ${stdout}`);
  }
  const twice = await waf('test', '--rules', own('own.conf'), '--tests', file('ftw.yaml',
    `rule_id: 9\ntests:\n${stage(1, {uri: '/?q=hay', headers: {Host}}, {expect_ids: [100]})}${stage(2, {uri: '/?q=needle', headers: {Host}}, {expect_error: true})}`));
  assert.match(twice.stdout, /^0 passed, 2 failed, 0 skipped$/m, twice.stdout);
});

test('no test is no success, a file that cannot be read is told in JSON, and overrides of one server are no tests', async () => {
  const tests = path.join(folder, 'no-tests');
  fs.mkdirSync(tests);
  const run = (...more) => waf('test', '--rules', own('own.conf'), '--tests', tests, ...more);
  const none = await run();
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(none.stderr, /no test in the \.yaml files there/);
  fs.writeFileSync(path.join(tests, 'nginx-overrides.yaml'), 'version: "v1.0.0"\nmeta:\n  engine: nginx\ntest_overrides:\n  - rule_id: 1\n    test_ids: [1]\n    reason: x\n');
  assert.equal((await run()).code, 2, 'overrides alone');
  fs.writeFileSync(path.join(tests, 'a.yaml'), 'rule_id: 9\ntests:\n  - test_id: 1\n    stages:\n      - input: {uri: "/?q=needle", headers: {Host: a}}\n        output: {log: {expect_ids: [100]}}\n');
  assert.match((await run()).stdout, /^1 passed, 0 failed, 0 skipped$/m);
  fs.writeFileSync(path.join(tests, 'a.yaml'), `\ufeff${fs.readFileSync(path.join(tests, 'a.yaml'), 'utf8').replaceAll('\n', '\r\n')}`);
  assert.match((await run()).stdout, /^1 passed, 0 failed, 0 skipped$/m, 'as an editor for Windows leaves it');
  fs.writeFileSync(path.join(tests, 'b.yaml'), 'rule_id: 9\nteste: []\n');
  const bad = await run('--json');
  assert.equal(bad.code, 1);
  const {passed, failed, failures} = JSON.parse(bad.stdout);
  assert.deepEqual([passed, failed], [1, 1]);
  assert.match(failures[0].test, /b\.yaml$/);
  assert.deepEqual([failures[0].line, failures[0].why], [2, '"teste"; expected one such as meta']);
});

/*= S58, S64 type=test */
test('every test that came with CRS 3.3.4 passes on Debian\'s rules',
  {skip: !fs.existsSync(path.join(corpora, 'crs-3.3.4/tests')) && 'the corpora are not there (REMPART_CORPORA)'}, async () => {
    const {code, stdout} = await waf('test', '--rules', ...debian, '--tests', path.join(corpora, 'crs-3.3.4/tests'));
    assert.match(stdout, /^23\d\d passed, 0 failed, \d skipped$/m, stdout);
    assert.equal(code, 0);
  });
