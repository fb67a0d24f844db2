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
    for (const role of ['ledger', 'kms', 'core', 'gate', 'probe', 'hunt', 'courier', 'acme', 'link']) assert.match(passwd, new RegExp(`^rempart-${role}:.*nologin$`, 'm'));
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
    assert.doesNotMatch(stdout, /warning/, name);
    assert.match(fs.readFileSync(path.join(folder, name), 'utf8'), /^# .{40}/);
  }
});
