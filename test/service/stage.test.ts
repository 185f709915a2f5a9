/** Stages: one behind the other, and none behind one that was stopped. */
import { expect, test } from 'vitest';
import type { ExitReason, Pid } from '../../src/otp/process.ts';
import { Stages, type Begun, type Stage } from '../../src/service/stage.ts';
import { createWorld } from '../support/http/api-world.ts';
import { until } from '../support/http/http-world.ts';

/** Trees, as far as stages know of them. */
class Trees {
  readonly drained: string[] = [];
  readonly stopped: Pid[] = [];
  private readonly down = new Map<Pid, (reason: ExitReason) => void>();
  private readonly ended = new Set<Pid>();

  whenDown(root: Pid): Promise<ExitReason> {
    return this.ended.has(root) ? Promise.resolve('shutdown') : new Promise((resolve) => this.down.set(root, resolve));
  }

  async stop(root: Pid): Promise<ExitReason> {
    this.stopped.push(root);
    this.end(root);
    return 'shutdown';
  }

  end(root: Pid): void {
    this.ended.add(root);
    this.down.get(root)?.('shutdown');
  }

  isAwaited(root: Pid): boolean {
    return this.down.has(root);
  }

  stage(name: string): Stage {
    const none = { metricsUrl: undefined, observerUrl: undefined, inspectionUrl: undefined };
    return { api: createWorld().api, root: name as Pid, url: '', ...none, drain: () => void this.drained.push(name) };
  }
}

const [FIRST, SECOND] = ['first', 'second'] as [Pid, Pid];

test('the next one begins when the one before has ended, as often as there is one', async () => {
  const trees = new Trees();
  const begun = (name: string, next?: Begun): Begun => ({ stage: trees.stage(name), next: () => Promise.resolve(next) });
  const stages = new Stages(trees, begun('first', begun('second', begun('third'))));
  const current: Pid[] = [];

  for (const root of ['first', 'second', 'third'] as Pid[]) {
    await until(() => trees.isAwaited(root));
    current.push(stages.current.root);
    trees.end(root);
  }

  expect([current, await stages.ended]).toEqual([['first', 'second', 'third'], 'shutdown']);
});

test('behind one that is stopped none begins', async () => {
  const trees = new Trees();
  let begun = 0;
  const stages = new Stages(trees, { stage: trees.stage('first'), next: () => Promise.resolve(void (begun += 1)) });

  await stages.stop();

  expect([await stages.ended, begun, trees.drained]).toEqual(['shutdown', 0, ['first']]);
});

test('one that is about to begin when it is stopped ends as soon as it has', async () => {
  const trees = new Trees();
  let begin: ((next: Begun) => void) | undefined;
  const stages = new Stages(trees, { stage: trees.stage('first'), next: () => new Promise((resolve) => (begin = resolve)) });
  trees.end(FIRST);
  await until(() => begin !== undefined);
  await stages.stop();

  begin?.({ stage: trees.stage('second') });

  expect([await stages.ended, trees.stopped]).toEqual(['shutdown', [FIRST, SECOND]]);
});

test('it rejects with what kept the next one from beginning', async () => {
  const trees = new Trees();
  const stages = new Stages(trees, { stage: trees.stage('first'), next: () => Promise.reject(new Error('the port is taken')) });

  trees.end(FIRST);

  await expect(stages.ended).rejects.toThrow('the port is taken');
});
