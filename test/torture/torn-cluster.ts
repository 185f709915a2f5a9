/** A Postgres that is killed and comes back on its port with its data, as often as one likes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { dataOf } from '../../src/demo/embedded-cluster.ts';
import type { EmbeddedPostgres } from '../../src/demo/embedded-postgres.ts';
import { startPostgres } from '../support/postgres/start-postgres.ts';
import { Turns } from './turns.ts';

/** Processes are killed and no machine: what was written lies with the kernel, synced or not. */
const SETTINGS = { fsync: 'off', autovacuum: 'off', max_connections: '120', shared_buffers: '32MB' };
const LOOK_EVERY_MS = 5;

export class TornCluster {
  private readonly turns = new Turns();

  private constructor(private readonly directory: string, private server: EmbeddedPostgres) {}

  static async start(directory: string): Promise<TornCluster> {
    return new TornCluster(directory, await startPostgres({ directory, settings: SETTINGS }));
  }

  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  /** `kill -9` of the postmaster and all its children; it is started again after `awayMs`. Resolves when it answers. */
  async killAndRestart(awayMs: number): Promise<void> {
    await this.turns.take(async () => {
      await this.kill();
      await pause(systemClock, awayMs);
      await this.startAgain();
    });
  }

  /** Immediate shutdown, as the operator of a Postgres that hangs does it. Resolves when it answers again. */
  async restartImmediately(awayMs: number): Promise<void> {
    await this.turns.take(async () => {
      process.kill(this.postmaster, 'SIGQUIT');
      await this.server.exited;
      await pause(systemClock, awayMs);
      await this.startAgain();
    });
  }

  /** `kill -9` of any of the backends, at which the postmaster throws out all the others and recovers. */
  async killBackend(pid: number): Promise<void> {
    await this.turns.take(async () => {
      if (childrenOf(this.postmaster).includes(pid)) process.kill(pid, 'SIGKILL');
    });
  }

  /** Resolves when whoever had a turn with it has done. */
  async rest(): Promise<void> {
    await this.turns.take(async () => {});
  }

  async stop(): Promise<void> {
    await this.turns.take(() => this.server.stop());
  }

  private async kill(): Promise<void> {
    const { postmaster } = this;
    process.kill(postmaster, 'SIGSTOP'); // So that it starts no others meanwhile.
    const children = childrenOf(postmaster);
    for (const pid of [postmaster, ...children]) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await this.server.exited;
    while (children.some(isAlive)) await pause(systemClock, LOOK_EVERY_MS); // They hold the shared memory.
  }

  private async startAgain(): Promise<void> {
    this.server = await startPostgres({ directory: this.directory, port: this.server.port, settings: SETTINGS });
  }

  private get postmaster(): number {
    return Number.parseInt(readFileSync(join(dataOf(this.directory), 'postmaster.pid'), 'utf8'), 10);
  }
}

function childrenOf(pid: number): readonly number[] {
  const listed = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return listed.split('\n').filter((line) => line !== '').map(Number);
}

/** A zombie is dead: it only waits for its parent. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !/ Z /.test(readFileSync(stat, 'latin1'));
}
