/** StandbyEntrance: by which ways requests reach the standby, and how it leaves them to the stack. */
import type { Api } from '../api/api.ts';
import { DRAINING } from '../api/draining.ts';
import type { ReadRequest } from '../api/read-request.ts';
import { EitherStop, Stop } from '../base/stop-signal.ts';
import { ClientTally } from '../http/client-tally.ts';
import { Doorway, type Listen } from '../http/doorway.ts';
import type { RequestDispatcher } from '../http/request-dispatcher.ts';
import type { ListeningServer } from '../http/server.ts';
import type { Ground } from './ground.ts';
import { urlOf } from './stack-stage.ts';
import { edgeSettings, turnedAwayTold } from './wiring/edge.ts';

export class StandbyEntrance {
  private readonly door: Doorway;
  private server: ListeningServer | undefined;
  private drained: Promise<void> | undefined;
  private isLeft = false;
  private readonly leaving = new Stop();
  private readonly turnedAway: ClientTally;

  constructor(
    private readonly ground: Pick<Ground, 'configuration' | 'reception' | 'world' | 'logger' | 'watches'>,
    private readonly dispatcher: RequestDispatcher,
  ) {
    this.door = new Doorway((...exchange) => dispatcher.refuse(...exchange));
    this.turnedAway = new ClientTally(ground.world.clock, turnedAwayTold(ground));
  }

  /** The api, for the program around the service: what that waits for ends when the entrance is left. */
  answering(api: Api): Api {
    const untilLeft = (request: ReadRequest): ReadRequest => ({ ...request, signal: new EitherStop(request.signal, this.leaving) });
    return {
      ...api,
      readShape: (request) => api.readShape(untilLeft(request)),
      readOrWait: (request) => api.readOrWait(untilLeft(request)),
    };
  }

  get listen(): Listen {
    return this.door.enter;
  }

  /** How many requests wait for the stack. */
  get waitingCount(): number {
    return this.door.waitingCount;
  }

  async open(): Promise<string> {
    const { configuration, reception, world } = this.ground;
    reception.open(this.dispatcher);
    if (configuration.listens === false) return '';
    const settings = edgeSettings(configuration, world);
    this.server = await this.door.enter(settings, settings, {
      serve: (...exchange) => this.dispatcher.receive(...exchange),
      failed() {},
      turnedAway: () => this.turnedAway.add(),
    });
    return urlOf(this.server.address);
  }

  /** The storage is ours: what is asked from now on waits for the stack. */
  hold(): void {
    this.door.hold();
    this.ground.reception.hold();
  }

  /** The stack answers from now on. Who waited for a change asks again, there; who is being sent something has it to its end. */
  leave(): void {
    this.isLeft = true;
    this.leaving.abort(DRAINING);
    void this.emptied();
  }

  /** Of one that has left, the socket is the stack's. Resolves within the time of a drain, whoever waits, and for whatever. */
  async close(): Promise<void> {
    if (this.isLeft) return this.destroy();
    this.drain();
    await this.emptied();
  }

  /** Who waits at the door is answered as well: nobody else will. */
  drain(): void {
    this.ground.reception.close(this.dispatcher);
    this.dispatcher.drain();
    this.drained ??= this.server?.drain();
  }

  private async emptied(): Promise<void> {
    const { world: { clock }, configuration: { drainTimeoutMs } } = this.ground;
    this.dispatcher.drain();
    const timer = clock.setTimer(() => this.destroy(), drainTimeoutMs);
    await this.dispatcher.emptied();
    await this.drained;
    clock.clearTimer(timer);
    this.dispatcher.close();
    this.turnedAway.close();
  }

  private destroy(): void {
    this.dispatcher.destroy();
    if (this.drained !== undefined) this.server?.destroy();
  }
}
