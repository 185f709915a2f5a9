/** The built service as a process of its own that is drained or killed, and comes back on its port with its storage. */
import { systemClock } from '../../src/base/clock.ts';
import { freePort, startServiceProcess, type ServiceOptions, type ServiceProcess } from '../support/service/service-process.ts';

export type Restart = 'graceful' | 'kill';

export class RestartedService {
  readonly counts = { graceful: 0, kill: 0 };
  /** What all of its processes printed. */
  private printed = '';
  /** Odd while it is away. */
  private changes = 0;

  private constructor(private readonly options: ServiceOptions, private process: ServiceProcess) {}

  static async start(options: Omit<ServiceOptions, 'port'>): Promise<RestartedService> {
    const withPort = { ...options, port: await freePort() };
    return new RestartedService(withPort, await startServiceProcess(withPort));
  }

  get shapeUrl(): string {
    return this.process.shapeUrl;
  }

  /** For `ranSince`. */
  get moment(): number {
    return this.changes;
  }

  /** It has been there from `moment` on. */
  ranSince(moment: number): boolean {
    return this.changes === moment && moment % 2 === 0;
  }

  output(): string {
    return this.printed + this.process.output();
  }

  /** @throws when a drain does not end well. */
  async restart(how: Restart): Promise<void> {
    this.changes += 1;
    if (how === 'kill') await this.process.kill();
    else await this.stop();
    this.printed += this.process.output();
    this.process = await startServiceProcess(this.options);
    this.changes += 1;
    this.counts[how] += 1;
  }

  async stop(): Promise<void> {
    const code = await this.process.stop();
    if (code !== 0) throw new Error(`the service ended with ${code}; it printed:\n${this.process.output()}`);
  }

  async kill(): Promise<void> {
    await this.process.kill();
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise<void>((next) => {
    systemClock.setTimer(next, ms);
  });
}
