/**
 * The standby as a stage: it listens, says that it waits, and serves what another instance has stored. When that has gone, the stack comes
 * behind the same socket.
 */
import { BODY_LIMITS } from '../http/bodies/body-intake.ts';
import { Doorway, type Listen } from '../http/doorway.ts';
import { RequestDispatcher } from '../http/request-dispatcher.ts';
import type { ListeningServer } from '../http/server.ts';
import { supervisor } from '../otp/supervision/supervisor.ts';
import type { TakenStorage } from '../storage/view/standby-port.ts';
import { standby } from '../supervisors/standby.ts';
import type { Database } from './database.ts';
import type { Ground } from './ground.ts';
import { storageOptions } from './reached-storage.ts';
import { startStack, urlOf } from './stack-stage.ts';
import type { NextStage, Stage } from './stage.ts';
import { dispatcherPorts, edgeSettings } from './wiring/edge.ts';
import { standbyWiring } from './wiring/standby/standby.ts';

/** @param nextDatabase that of the stack: what this one has learnt about tables may be old by then. */
export async function startStandby(
  ground: Ground,
  database: Database,
  nextDatabase: () => Promise<Database>,
): Promise<{ readonly stage: Stage; readonly next: NextStage }> {
  const { configuration, logger, closing, runtime } = ground;
  let taken: TakenStorage | undefined;
  const wiring = standbyWiring({ ...ground, database }, storageOptions(ground), (outcome) => {
    taken = outcome;
    if ('storage' in outcome) closing.add(() => outcome.storage.close());
    entrance.hold();
  });
  const settings = { ...edgeSettings(configuration), bodies: BODY_LIMITS };
  const entrance = new Entrance(ground, new RequestDispatcher(settings, dispatcherPorts(ground, wiring.api)));
  const root = await runtime.start(supervisor(standby(wiring)), { id: 'standby' });
  closing.add(() => runtime.stop(root));
  closing.add(() => entrance.close());
  const url = await entrance.open();
  if (url !== '') logger.info({ url }, 'the service listens, and waits for the storage');
  const next = async (): Promise<Stage | undefined> => {
    if (taken === undefined) return undefined;
    if ('failure' in taken) throw taken.failure;
    const stage = await startStack(ground, taken.storage, await nextDatabase(), entrance.listen);
    entrance.leave();
    return stage;
  };
  const nowhere = { metricsUrl: undefined, observerUrl: undefined, inspectionUrl: undefined };
  const stage = { api: wiring.api, root, url, ...nowhere, drain: () => entrance.drain() };
  return { stage, next };
}

/** By which ways requests reach the standby, and how it leaves them to the stack. */
class Entrance {
  private readonly door = new Doorway();
  private server: ListeningServer | undefined;
  private drained: Promise<void> | undefined;
  private isLeft = false;

  constructor(
    private readonly ground: Pick<Ground, 'configuration' | 'reception' | 'world'>,
    private readonly dispatcher: RequestDispatcher,
  ) {}

  get listen(): Listen {
    return this.door.enter;
  }

  async open(): Promise<string> {
    const { configuration, reception } = this.ground;
    reception.open(this.dispatcher);
    if (configuration.listens === false) return '';
    const settings = edgeSettings(configuration);
    this.server = await this.door.enter(settings, settings, (...exchange) => this.dispatcher.receive(...exchange), () => {});
    return urlOf(this.server.address);
  }

  /** The storage is ours: what is asked from now on waits for the stack. */
  hold(): void {
    this.door.hold();
  }

  /** The stack answers from now on. Who waited for a change asks again, there; who is being sent something has it to its end. */
  leave(): void {
    this.isLeft = true;
    void this.emptied();
  }

  /** Of one that has left, the socket is the stack's. */
  async close(): Promise<void> {
    if (this.isLeft) return this.dispatcher.destroy();
    this.drain();
    await this.emptied();
    await this.drained;
  }

  drain(): void {
    this.ground.reception.close(this.dispatcher);
    this.drained ??= this.server?.drain();
    this.dispatcher.drain();
  }

  private async emptied(): Promise<void> {
    const { world: { clock }, configuration: { drainTimeoutMs } } = this.ground;
    this.dispatcher.drain();
    const timer = clock.setTimer(() => {
      this.dispatcher.destroy();
      if (!this.isLeft) this.server?.destroy();
    }, drainTimeoutMs);
    await this.dispatcher.emptied();
    clock.clearTimer(timer);
    this.dispatcher.close();
  }
}
