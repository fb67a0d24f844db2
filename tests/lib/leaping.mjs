// leaping.mjs — an installation whose clock a test sets: each of its processes has tests/tools/clock-ahead.so before its own
// libraries, by an /etc/ld.so.preload that only they see.
//
//   const clock = new LeapingClock();      // clock.why: the reason where that cannot be
//   const stack = await Stack.start({through: clock.through});
//   clock.leap(366 * 86400);               // seconds ahead of this machine's clock, in all of its processes at once
//   clock.done();
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {bin} from './stack.mjs';

const library = path.resolve(bin, '../tests/tools/clock-ahead.so');

export class LeapingClock {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-clock-'));
    fs.chmodSync(this.folder, 0o755);
    fs.mkdirSync(path.join(this.folder, 'etc'));
    fs.copyFileSync(library, path.join(this.folder, 'clock-ahead.so'));
    fs.writeFileSync(path.join(this.folder, 'etc/ld.so.preload'), `${path.join(this.folder, 'clock-ahead.so')}\n`);
    this.leap(0);
    this.through = ['unshare', '--mount', 'sh', '-c',
      `mount -t overlay -o lowerdir=${path.join(this.folder, 'etc')}:/etc overlay /etc && exec "$@"`, 'sh'];
    this.why = process.getuid() !== 0 ? 'not root' : this.isFollowed() ? false : 'no mount namespace with an overlay on this machine';
  }

  isFollowed() {
    this.leap(366 * 86400);
    const {stdout} = spawnSync(this.through[0], [...this.through.slice(1), 'date', '+%s'], {encoding: 'utf8'});
    this.leap(0);
    return Number(stdout) > Date.now() / 1000 + 365 * 86400;
  }

  leap(seconds) {
    const bytes = Buffer.alloc(8);
    if (os.endianness() === 'LE') bytes.writeBigInt64LE(BigInt(seconds));
    else bytes.writeBigInt64BE(BigInt(seconds));
    this.seconds = seconds;
    // In place and at once: the library has mapped this very file.
    const file = fs.openSync(path.join(this.folder, 'ahead'), fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
    fs.writeSync(file, bytes, 0, 8, 0);
    fs.closeSync(file);
  }

  now() { return Date.now() + this.seconds * 1000; }

  done() { fs.rmSync(this.folder, {recursive: true, force: true}); }
}
