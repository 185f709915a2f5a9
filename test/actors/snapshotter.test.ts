import { expect, test } from 'vitest';
import { snapshotter } from '../../src/actors/snapshotter.ts';
import { walk } from '../support/actors/lone-machine.ts';

const input = { self: 'snapshotter#1', handle: '1-1', relation: { oid: 1, schema: 'public', name: 'items' }, consumer: 'consumer#1' };

test('it watches who asked for it before it asks for anything, tells that one alone, and ends with it', () => {
  const down = { type: 'consumer.down', process: 'consumer#1', reason: 'killed' };
  const { asked } = walk(snapshotter, input);
  const known = walk(snapshotter, input, { type: 'relation.published' }, { type: 'snapshot.started' });

  expect({ asked, told: known.asked, ended: walk(snapshotter, input, down).value }).toMatchObject({
    asked: [
      { type: 'monitor', params: { process: 'consumer#1', as: 'consumer' } },
      { type: 'call', params: { to: '@publication-manager', request: { type: 'addRelation', handle: '1-1' } } },
    ],
    told: [{ type: 'send', params: { to: 'consumer#1', event: { type: 'snapshot.started' } } }],
    ended: 'ended',
  });
});
