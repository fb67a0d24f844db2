// The snippets of docs/operations/plug-in-your-app.md, run as they stand there on a really signed assertion.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {canaryPerson} from '../lib/canary.mjs';
import {Stack, root, run, sleep} from '../lib/stack.mjs';

const text = fs.readFileSync(path.join(root, 'docs/operations/plug-in-your-app.md'), 'utf8');
const is = (program, args) => spawnSync(program, args, {stdio: 'ignore'}).status === 0;
const go = ['go', '/usr/lib/go-1.19/bin/go'].find(one => is(one, ['version']));
const languages = [
  {fence: 'js', file: 'check.mjs', command: [process.execPath], there: true},
  {fence: 'python', file: 'check.py', command: ['python3'], there: is('python3', ['-c', 'import cryptography'])},
  {fence: 'php', file: 'check.php', command: ['php'], there: is('php', ['-r', 'exit(extension_loaded("openssl") ? 0 : 1);'])},
  {fence: 'go', file: 'check.go', command: ['./check-go'], build: [go, 'build', '-o', 'check-go', 'check.go'], there: Boolean(go)},
  {fence: 'java', file: 'Check.java', command: ['java', '-cp', '.', 'Check'], build: ['javac', 'Check.java'], there: is('javac', ['--version'])},
];

let stack, folder, client, assertion, signedAt;
before(async () => {
  stack = await Stack.start({app: null, config: port => `host: localhost\ngate:\n  listen: ${port}\n`});
  folder = stack.file('snippets');
  fs.mkdirSync(folder);
  ({client} = await canaryPerson(stack, 0));
  fs.writeFileSync(path.join(folder, 'keys.json'), (await client.get('/.rempart/jwks.json')).body);
  for (const {fence, file, there, build} of languages) {
    const found = text.match(new RegExp(`\`\`\`${fence}\n([\\s\\S]*?)\`\`\``));
    assert.ok(found, `the document has a snippet in ${fence}`);
    fs.writeFileSync(path.join(folder, file), found[1]);
    if (!there || !build) continue;
    const {code, stderr} = await run(build[0], build.slice(1), {...settings(), seconds: 120});
    assert.equal(code, 0, stderr);
  }
});
after(() => stack?.stop());

const settings = () => ({cwd: folder, env: {...process.env, HOME: folder, GO111MODULE: 'off', GOCACHE: path.join(folder, 'go')}});
const check = ({command: [program, ...args], build, file}, token, audience = 'canary') =>
  run(program, [...args, ...(build ? [] : [file]), 'keys.json', audience], {...settings(), input: `${token}\n`});

// Good for a minute at least half of which is left.
async function freshAssertion() {
  assertion = (await client.get('/.rempart/canary/')).json().assertion;
  signedAt = Date.now();
}

function altered(token, change) {
  const [head, claims, signature] = token.split('.');
  const edit = (part, values) => Buffer.from(JSON.stringify({...JSON.parse(Buffer.from(part, 'base64url')), ...values})).toString('base64url');
  return change({head, claims, signature, edit});
}
const bad = {
  'altered claims': token => altered(token, ({head, claims, signature, edit}) => `${head}.${edit(claims, {roles: ['operator']})}.${signature}`),
  'an altered signature': token => altered(token, ({head, claims, signature}) =>
    `${head}.${claims}.${signature.slice(0, 9)}${signature[9] === 'A' ? 'B' : 'A'}${signature.slice(10)}`),
  'algorithm none': token => altered(token, ({head, claims, edit}) => `${edit(head, {alg: 'none'})}.${claims}.`),
  'a key that does not exist': token => altered(token, ({head, claims, signature, edit}) => `${edit(head, {kid: 'other'})}.${claims}.${signature}`),
  'two parts': token => token.split('.').slice(0, 2).join('.'),
};

for (const language of languages) {
  test(`${language.fence}: a good assertion is taken, others are refused`,
    {skip: !language.there && `${language.command[0] ?? language.fence} or its cryptography is not on this machine`}, async () => {
      await freshAssertion();
      const good = await check(language, assertion);
      assert.equal(good.code, 0, good.stderr);
      const person = JSON.parse(Buffer.from(assertion.split('.')[1], 'base64url'));
      assert.equal(JSON.parse(good.stdout).sub, person.sub);
      const other = await check(language, assertion, 'notes');
      assert.equal(other.code, 1, 'for another application');
      assert.match(other.stderr, /another application/);
      for (const [name, change] of Object.entries(bad)) {
        const answer = await check(language, change(assertion));
        assert.equal(answer.code, 1, `${name}: ${answer.stdout}${answer.stderr}`);
        assert.equal(answer.stdout, '', name);
      }
    });
}

test('a minute later nobody takes it any more', async () => {
  await freshAssertion();
  const {exp} = JSON.parse(Buffer.from(assertion.split('.')[1], 'base64url'));
  assert.ok(exp * 1000 - signedAt <= 61000);
  await sleep(Math.max(0, exp * 1000 - Date.now() + 1100));
  for (const language of languages.filter(one => one.there)) {
    const answer = await check(language, assertion);
    assert.equal(answer.code, 1, language.fence);
    assert.match(answer.stderr, /expired/, language.fence);
  }
});
