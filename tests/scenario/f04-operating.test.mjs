// What an operator finds beside the programs: completion that knows what the help knows, units that
// systemd accepts, users and folders, and a sample for each common set-up.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {bin, root, run} from '../lib/stack.mjs';

const rempart = path.join(bin, 'rempart');
const has = async name => (await run('sh', ['-c', `command -v ${name}`])).code === 0;
async function inFolder(work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-operating-'));
  try { return await work(folder); } finally { fs.rmSync(folder, {recursive: true, force: true}); }
}

// The words that bash would offer after this line.
async function offered(line) {
  const words = line.split(' ');
  const script = `source <("${rempart}" completion bash); COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _rempart; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const {code, stdout, stderr} = await run('bash', ['-c', script], {cwd: root});
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter(Boolean);
}

test('help on one word of a command tells of that word alone; on a word that is none, of all', async () => {
  const help = async (...words) => (await run(rempart, [...words, '--help'], {env: {...process.env, LANG: 'C'}})).stdout;
  const [exec, all] = [await help('waf', 'exec'), await help('waf', 'nothing')];
  assert.match(exec, /^rempart waf exec \[--rules [^\n]*\n\n/);
  assert.doesNotMatch(exec, /waf compile/);
  assert.match(all, /^rempart waf compile [^\n]*\nrempart waf exec /);
  assert.equal(all, await help('waf'));
  const french = await run(rempart, ['gate', 'remove'], {env: {...process.env, LANG: 'fr_FR.UTF-8', REMPART_STATE: '/nowhere'}});
  assert.match(french.stderr, /^usage\u00a0: rempart gate remove ID\|RÉSEAU$/m, 'what is typed is named in French');
});

test('bash completes every command of the help, their words and options, and else files', async () => {
  const help = (await run(rempart, ['--help'], {env: {...process.env, LANG: 'C'}})).stdout;
  const commands = [...help.matchAll(/^ {2}([a-z]+) +\S/gm)].map(([, name]) => name);
  assert.ok(commands.length >= 15, help);
  const first = await offered('rempart ');
  for (const name of commands) assert.ok(first.includes(name), name);
  assert.deepEqual(await offered('rempart ba'), ['backup']);
  assert.deepEqual(await offered('rempart backup ver'), ['verify']);
  assert.deepEqual(await offered('rempart backup restore x --keep'), ['--keep-ledger']);
  assert.deepEqual(await offered('rempart verify LICEN'), ['LICENSE']);
  assert.deepEqual(await offered('rempart person remp'), []);
});

// What is said by whom: exit code 2, the option or word by its name, and nothing was done.
test('what a command would not look at is refused, above all a dry run that it does not know', async () => {
  await inFolder(async folder => {
    for (const [line, named] of [
      ['tenant create Dry --dry-run', '--dry-run'], ['tenant close Dry --confirm Dry --dry-run', '--dry-run'],
      ['person remove a@example.com --tenant x --dry-run', '--dry-run'], ['register new persons name=A --dry-run', '--dry-run'],
      ['gate remove 192.0.2.0/24 --days 3', null], ['status --days=3', '--days=3'], ['reload now', 'now'], ['up --json', '--json'],
    ]) {
      const {code, stderr} = await run(rempart, [...line.split(' '), '--state', folder], {env: {...process.env, LANG: 'C'}});
      assert.equal(code, named ? 2 : 3, `${line}: ${stderr}`);
      if (named) assert.match(stderr, new RegExp(`(no such option|too many): ${named}$`, 'm'), line);
    }
    // Those that know it go on to ask core, which is not there.
    for (const line of ['tenant import x LICENSE --dry-run', 'person import LICENSE --dry-run', 'register import assets LICENSE --dry-run',
      'register retention --dry-run', 'ledger tail --lines 2']) {
      const {code, stderr} = await run(rempart, [...line.split(' '), '--state', folder], {cwd: root});
      assert.doesNotMatch(stderr, /no such option/, line);
      assert.notEqual(code, 0, line);
    }
    assert.deepEqual(fs.readdirSync(folder), []);
  });
});

// What was typed, and what is said of it: the language and the number of edits that are forgiven.
test('a slip of the finger is named, with what was meant; help is where one looks for it', async () => {
  const typed = async (line, lang = 'C') => run(rempart, line.split(' '), {env: {...process.env, LC_ALL: '', LANG: lang, REMPART_STATE: '/nowhere'}});
  for (const [line, said] of [
    ['statsu', /^rempart: unknown command: statsu; did you mean "status"\?$/m], ['tenant lst', /^rempart: unknown word: lst; did you mean "list"\?$/m],
    ['promises --jso', /no such option: --jso; did you mean "--json"\?$/m], ['person invite a@example.com --tenant', /this option takes a value: --tenant$/m],
    ['waf expl', /unknown word: expl; did you mean "explain"\?$/m], ['frobnicate', /unknown command: frobnicate$/m], ['tenant', /^rempart: a word is missing$/m], ['keys', /^rempart: a word is missing$/m],
    ['tenant create', /^rempart: a word or an option is missing/m], ['promises --wait soon', /--wait SECONDS/],
  ]) {
    const {code, stdout, stderr} = await typed(line);
    assert.equal(code, 2, `${line}: ${stderr}`);
    assert.equal(stdout, '', line);
    assert.match(stderr, said, line);
    assert.match(stderr, /^usage: rempart /m, line);
  }
  assert.match((await typed('gate alow', 'fr_FR.UTF-8')).stderr, /^rempart: mot inconnu\u00a0: alow\u00a0; vouliez-vous dire «\u00a0allow\u00a0»\u00a0\?$/m);
  const help = (await typed('--help')).stdout;
  for (const line of ['-h', 'help']) assert.deepEqual(await typed(line), {code: 0, stdout: help, stderr: ''}, line);
  for (const line of ['help tenant close', 'tenant close -h']) assert.equal((await typed(line)).stdout, (await typed('tenant close --help')).stdout, line);
  assert.equal((await typed('-V')).stdout, (await typed('--version')).stdout);
  for (const lang of ['C', 'fr_FR.UTF-8']) {
    for (const line of (await typed('--help', lang)).stdout.split('\n')) assert.ok([...line].length <= 80, line);
  }
});

test('whoever is not the one that started it is told so', {skip: process.getuid() !== 0}, async () => {
  await inFolder(async folder => {
    fs.chmodSync(folder, 0o700);
    const {code, stderr} = await run(rempart, ['promises', '--state', folder], {uid: 65534, gid: 65534, env: {...process.env, LANG: 'C'}});
    assert.equal(code, 2);
    assert.match(stderr, /access denied\nRempart belongs to whoever started it: try with sudo\.$/m);
  });
});

test('a folder where a file was meant, and the state where its log was meant, are told apart', async () => {
  await inFolder(async folder => {
    const asked = (...line) => run(rempart, line, {env: {...process.env, LANG: 'fr_FR.UTF-8'}});
    const check = await asked('check', '--config', folder);
    assert.equal(check.code, 2);
    assert.match(check.stderr, /est un dossier/);
    fs.mkdirSync(path.join(folder, 'ledger/public'), {recursive: true});
    const verify = await asked('verify', folder);
    assert.equal(verify.code, 2);
    assert.match(verify.stderr, /son journal est .*\/ledger$/m);
    const nothing = await asked('backup', 'verify', folder);
    assert.equal(nothing.code, 1, 'a night that has nothing to verify is no good night');
    assert.match(nothing.stderr, /aucune sauvegarde/);
  });
});

test('whose log does not answer is not asked whether Rempart runs here', async () => {
  const {code, stderr} = await run(rempart, ['verify', 'https://127.0.0.1:1/log'], {env: {...process.env, LANG: 'C'}});
  assert.equal(code, 3);
  assert.match(stderr, /unreachable/);
  assert.doesNotMatch(stderr, /rempart up/);
});

test('the table of rights is told in the reader\'s language, and to programs in one', async () => {
  const asked = async (lang, ...more) => (await run(rempart, ['role', 'explain', ...more], {env: {...process.env, LANG: lang}})).stdout;
  assert.match(await asked('fr_FR.UTF-8'), /^mfa {3}operator +administrer l’installation$/m);
  assert.match(await asked('C'), /^mfa {3}operator +administer the installation$/m);
  assert.equal(await asked('fr_FR.UTF-8', '--json'), await asked('C', '--json'));
});

test('zsh takes its completion', async t => {
  if (!await has('zsh')) return t.skip('zsh is not installed: scripts/setup test');
  await inFolder(async folder => {
    const made = await run(rempart, ['completion', 'zsh'], {env: {...process.env, LANG: 'fr_FR.UTF-8'}});
    fs.writeFileSync(path.join(folder, '_rempart'), made.stdout);
    const {code, stdout, stderr} = await run('zsh', ['-fc',
      `fpath=(${folder} $fpath); autoload -Uz compinit; compinit -D -u; print -r -- $_comps[rempart]; source ${folder}/_rempart; whence -w _rempart`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /_rempart\n_rempart: function/);
    assert.equal(stderr, '');
  });
});

test('another shell is refused in words', async () => {
  assert.equal((await run(rempart, ['completion', 'fish'])).code, 2);
});

test('systemd accepts the units', async t => {
  if (!await has('systemd-analyze')) return t.skip('systemd-analyze is not here');
  await inFolder(async folder => {
    const units = fs.readdirSync(path.join(root, 'conf/systemd'));
    for (const name of units) {
      // Where the package would put the programs, they are not yet.
      const text = fs.readFileSync(path.join(root, 'conf/systemd', name), 'utf8')
        .replaceAll('/usr/bin/rempart', rempart).replaceAll('/usr/lib/rempart/rempartd', path.join(bin, 'rempartd'));
      fs.writeFileSync(path.join(folder, name), text);
    }
    const {code, stdout, stderr} = await run('systemd-analyze', ['verify', '--man=no', ...units.map(name => path.join(folder, name))]);
    const ours = (stdout + stderr).split('\n').filter(line => line.includes('rempart'));
    assert.deepEqual([code, ours], [0, []]);
    const exposure = await run('systemd-analyze', ['security', '--offline=true', '--threshold=35', path.join(folder, 'rempart.service')]);
    assert.equal(exposure.code, 0, exposure.stdout.split('\n').slice(-3).join('\n') + exposure.stderr);
  });
});

test('sysusers.d and tmpfiles.d make users and folders in an empty root', async t => {
  if (!await has('systemd-sysusers') || process.getuid() !== 0) return t.skip('systemd-sysusers is not here, or this is not root');
  await inFolder(async folder => {
    fs.mkdirSync(path.join(folder, 'etc'));
    const users = await run('systemd-sysusers', [`--root=${folder}`, path.join(root, 'conf/rempart.sysusers')]);
    assert.equal(users.code, 0, users.stderr);
    const passwd = fs.readFileSync(path.join(folder, 'etc/passwd'), 'utf8');
    for (const role of ['ledger', 'kms', 'core', 'gate', 'probe', 'hunt', 'courier', 'acme', 'link', 'vault', 'witness']) assert.match(passwd, new RegExp(`^rempart-${role}:.*nologin$`, 'm'));
    const made = await run('systemd-tmpfiles', ['--create', `--root=${folder}`, path.join(root, 'conf/rempart.tmpfiles')]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal(fs.statSync(path.join(folder, 'var/backups/rempart')).mode & 0o777, 0o700);
  });
});

test('each sample is valid, and says in comments what it is for', async () => {
  const folder = path.join(root, 'conf/samples');
  const samples = fs.readdirSync(folder);
  assert.ok(samples.length >= 5);
  for (const name of samples) {
    const {code, stdout, stderr} = await run(rempart, ['check', '--config', path.join(folder, name)]);
    assert.equal(code, 0, `${name}: ${stderr}`);
    // A file that a sample names is not here, and that is all that there is to warn of.
    assert.doesNotMatch(stdout.replace(/^warning: .*: not found$/gm, ''), /warning/, name);
    if (name === 'own-certificate.yaml') assert.equal(stdout.match(/^warning: gate\.certificate(_key)?: \/.*: not found$/gm)?.length, 2, stdout);
    assert.match(fs.readFileSync(path.join(folder, name), 'utf8'), /^# .{40}/);
  }
});
