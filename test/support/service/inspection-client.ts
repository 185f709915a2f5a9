/** A reader of the inspection stream: the official receiver, with what it received in order, told as people would. */
import { createWebSocketReceiver, type StatelyActorEvent, type StatelyInspectionEvent } from '@statelyai/inspect';

export class InspectionClient {
  readonly events: StatelyInspectionEvent[] = [];
  private watchers: (() => void)[] = [];

  /** @param url of an inspection server. */
  constructor(url: string) {
    createWebSocketReceiver({ server: url.replace('http', 'ws') }).subscribe((event) => {
      this.events.push(event);
      const woken = this.watchers;
      this.watchers = [];
      for (const wake of woken) wake();
    });
  }

  /** Resolves when such an event has been received. */
  async until(isAwaited: (event: StatelyInspectionEvent) => boolean): Promise<void> {
    while (!this.events.some(isAwaited)) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  /** Resolves when a process of this name has received an event of this type. */
  async untilDelivered(to: string, type: string): Promise<void> {
    await this.until((event) => event.type === '@xstate.event' && event.event.type === type && this.nameOf(event.sessionId) === to);
  }

  get actors(): readonly StatelyActorEvent[] {
    return this.events.filter((event) => event.type === '@xstate.actor');
  }

  /** The config of the machine behind a process, as it came over the wire. */
  definitionOf(name: string): { readonly id?: string; readonly states?: Readonly<Record<string, unknown>> } {
    return JSON.parse(this.actors.find((actor) => actor.name === name)?.definition ?? '{}') as {
      id?: string;
      states?: Record<string, unknown>;
    };
  }

  /** `from → to type` for a delivery, `name is state` when the state is another than before. */
  story(): string[] {
    const states = new Map<string, string>();
    return this.events.flatMap((event) => {
      const name = this.nameOf(event.sessionId);
      if (event.type === '@xstate.event') return [`${this.nameOf(event.sourceId)} → ${name} ${event.event.type}`];
      const state = JSON.stringify('value' in event.snapshot ? event.snapshot.value : event.snapshot.status);
      if (states.get(name) === state) return [];
      states.set(name, state);
      return [`${name} is ${state}`];
    });
  }

  private nameOf(sessionId: string | undefined): string {
    return this.actors.find((actor) => actor.sessionId === sessionId)?.name ?? 'outside';
  }
}
