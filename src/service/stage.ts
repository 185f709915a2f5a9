/**
 * Stage: what a service is at present. As a rule it is the stack from the start; where another instance works in its storage it is a
 * standby first, and then the stack; and a stack that makes room for another instance is followed by a standby.
 */
import type { Api } from '../api/api.ts';
import type { ExitReason, Pid } from '../otp/process.ts';
import type { Runtime } from '../otp/runtime.ts';

export interface Stage {
  readonly api: Api;
  /** Of its tree: when that has ended, so has the stage. */
  readonly root: Pid;
  /** Where it listens; empty where it opens no port. */
  readonly url: string;
  readonly metricsUrl: string | undefined;
  readonly observerUrl: string | undefined;
  readonly inspectionUrl: string | undefined;
  /** It is about to end: nobody is let in any more, and who waits is answered, while all that it takes is still there. */
  drain(): void;
}

/** A stage, and what comes behind it. */
export interface Begun {
  readonly stage: Stage;
  readonly next?: NextStage;
}

/** Begins the next stage behind one that has ended. @returns undefined when there is none to come: it was stopped, or it gave up. */
export type NextStage = () => Promise<Begun | undefined>;

export class Stages {
  /** Resolves with why the last one ended. @throws why the next one did not begin. */
  readonly ended: Promise<ExitReason>;
  private stage: Stage;
  private isStopping = false;

  constructor(
    private readonly runtime: Pick<Runtime, 'whenDown' | 'stop'>,
    first: Begun,
  ) {
    this.stage = first.stage;
    this.ended = this.run(first);
  }

  get current(): Stage {
    return this.stage;
  }

  /** Resolves when the stage that it met has ended. One that is about to begin ends as soon as it has begun. */
  async stop(): Promise<void> {
    this.isStopping = true;
    this.stage.drain();
    await this.runtime.stop(this.stage.root);
  }

  private async run(first: Begun): Promise<ExitReason> {
    for (let begun = first; ; ) {
      const reason = await this.runtime.whenDown(begun.stage.root);
      const following = this.isStopping ? undefined : await begun.next?.();
      if (following === undefined) return reason;
      begun = following;
      this.stage = begun.stage;
      if (this.isStopping) await this.runtime.stop(begun.stage.root);
    }
  }
}
