// A role's program is exchanged for one that says the same and enters no walls; the page says so.
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = process.getuid() === 0;
// An installation of its own: programs that others run are left alone.
const built = path.resolve(process.env.REMPART_BIN || fileURLToPath(new URL('../../build/bin', import.meta.url)));
const folder = fs.mkdtempSync(path.join(path.dirname(built), 'bin-walls-')); // beside it, where pages and promises are found
for (const name of fs.readdirSync(built)) fs.copyFileSync(path.join(built, name), path.join(folder, name));
fs.chmodSync(folder, 0o755);
process.env.REMPART_BIN = folder;
const {turnsRed} = await import('../lib/sabotage.mjs');
const {Stack} = await import('../lib/stack.mjs');

// What the supervisor waits for, on the descriptor where it waits; then nothing, in no walls.
const IMPOSTOR = `#!/bin/sh
printf 'ready\\n{"landlock_abi":3,"network_fenced":true,"own_user":true,"seccomp":true}\\n' >&3
exec 3>&-
exec sleep 600
`;

let stack;
before(async () => { if (root) stack = await Stack.start({app: null}); });
after(async () => {
  await stack?.stop();
  fs.rmSync(folder, {recursive: true, force: true});
});

/*= S105 type=test */
test('a role that only says that it entered its walls turns S105’s reading red', {skip: !root && 'only as root have the roles users of their own'}, async () => {
  const program = path.join(folder, 'rempart-courier');
  const again = async () => process.kill(await stack.pid('courier'), 'SIGKILL');
  await turnsRed(stack, {
    promise: 'least-privilege', probe: 'admin.roles_walled',
    sabotage: async () => {
      fs.renameSync(program, `${program}.good`);
      fs.writeFileSync(program, IMPOSTOR, {mode: 0o755});
      await again();
    },
    mend: async () => {
      fs.renameSync(`${program}.good`, program);
      await again();
    },
  });
});
