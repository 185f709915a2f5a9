/** How many searches of logs there are, and for whom. */
import { expect, test } from 'vitest';
import { LogSearches, SearchTurns } from '../../../src/api/explain/log-searches.ts';
import { DRAINING } from '../../../src/api/draining.ts';

interface Begun {
  readonly question: string;
  readonly signal: AbortSignal;
  answer(text: string): void;
}

/** Searches whose answers a test gives; those that begin with `!` are final. */
class Searches {
  readonly begun: Begun[] = [];
  private readonly searches = new LogSearches<string>(new SearchTurns(), (answer) => answer.startsWith('!'));

  ask(question: string, signal = new AbortController().signal): Promise<string> {
    return this.searches.ask(question, signal, (stop) => new Promise((answer) => this.begun.push({ question, signal: stop, answer })));
  }

  get questions(): readonly string[] {
    return this.begun.map(({ question }) => question);
  }
}

async function turn(): Promise<void> {
  for (let index = 0; index < 10; index += 1) await Promise.resolve();
}

test('equal questions are one search, and one that is asked later is another', async () => {
  const searches = new Searches();
  const asked = [searches.ask('a'), searches.ask('a')];
  await turn();
  searches.begun[0]?.answer('once');
  const answers = await Promise.all(asked);
  void searches.ask('a');
  await turn();

  expect([answers, searches.questions]).toEqual([['once', 'once'], ['a', 'a']]);
});

test('a final answer is remembered', async () => {
  const searches = new Searches();
  const asked = searches.ask('a');
  await turn();
  searches.begun[0]?.answer('!in');

  expect([await asked, await searches.ask('a'), searches.questions]).toEqual(['!in', '!in', ['a']]);
});

test('four are under way at once, and the next has its turn when one ends', async () => {
  const searches = new Searches();
  for (const question of ['a', 'b', 'c', 'd', 'e', 'f']) void searches.ask(question);
  await turn();
  const before = searches.questions;
  searches.begun[1]?.answer('done');
  await turn();

  expect([before, searches.questions]).toEqual([['a', 'b', 'c', 'd'], ['a', 'b', 'c', 'd', 'e']]);
});

test('a search stops when the last who asked has gone, and whoever comes then begins another', async () => {
  const searches = new Searches();
  const [first, second] = [new AbortController(), new AbortController()];
  for (const { signal } of [first, second]) void searches.ask('a', signal);
  await turn();
  first.abort('closed');
  const goesOn = searches.begun[0]?.signal.aborted;
  second.abort('closed');
  void searches.ask('a');
  await turn();

  expect([goesOn, searches.begun.map(({ signal }) => signal.aborted)]).toEqual([false, [true, false]]);
});

test('a service that closes answers who waits', async () => {
  const searches = new Searches();
  const asker = new AbortController();
  void searches.ask('a', asker.signal);
  await turn();
  asker.abort(DRAINING);

  expect(searches.begun.map(({ signal }) => signal.aborted)).toEqual([false]);
});

test('one that nobody waits for when its turn comes is not begun', async () => {
  const searches = new Searches();
  for (const question of ['a', 'b', 'c', 'd']) void searches.ask(question);
  const asker = new AbortController();
  const asked = searches.ask('e', asker.signal);
  asker.abort('closed');
  await turn();
  searches.begun[0]?.answer('done');

  await expect(asked).rejects.toThrow(expect.objectContaining({ name: 'AbandonedError' }));
});
