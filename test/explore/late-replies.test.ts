import { setup } from 'xstate';
import { expect, test } from 'vitest';
import { effects } from '../../src/otp/effects.ts';
import { unhandledReplies, type Answers } from './late-replies.ts';
import { walkedMachines } from './walked-machines.ts';
import type { WalkedMachine } from './transition-coverage.ts';

/** How each request is answered, by whoever answers it. */
const ANSWERS: Answers = {
  acquire: ['lock.acquired', 'lock.refused'],
  awaitLock: ['lock.isHeld'],
  seeHolder: ['lock.holderSeen'],
  probe: ['pools.up', 'pools.down'],
  connect: ['replication.connected', 'replication.refused'],
  createSlot: ['replication.slotCreated', 'replication.refused'],
  startStreaming: ['replication.streaming', 'replication.refused'],
  restartStream: ['stream.restarted'],
  lookAtSlot: ['slot.seen', 'slot.unseen'],
  purge: ['shapes.purged'],
  takeCheckpoint: ['checkpoint.taken', 'checkpoint.deferred'],
  awaitUnsaved: ['unsaved.exceeded'],
  awaitRefusal: ['disk.refused'],
  tryDisk: ['disk.took', 'disk.refused'],
  take: ['storage.held', 'storage.offered', 'storage.taken', 'storage.refused', 'storage.unseen'],
  look: ['storage.seen', 'storage.unseen'],
  registerShape: ['shape.registered'],
  reportPosition: ['collector.position'],
  join: ['catchUp.joined', 'catchUp.passed'],
  joinBehind: ['catchUp.joined', 'catchUp.passed'],
  startChild: ['child.started', 'child.refused'],
  restartChild: ['child.started', 'child.refused'],
  terminateChild: ['child.terminated', 'child.refused'],
  awaitActive: ['service.active'],
  seeCandidate: ['candidate.seen', 'candidate.unseen'],
  makeRoom: ['room.made'],
  seeWal: ['wal.seen', 'wal.unseen'],
  seeStandbys: ['standbys.seen', 'standbys.unseen'],
  awaitPassed: ['log.hasPassed'],
  'use.look': ['use.isOver', 'use.goesOn'],
  'use.close': ['use.isOver', 'use.goesOn'],
  'use.open': ['use.resumed'],
  'use.giveUp': ['use.resumed'],
  'use.taken': ['log.isTaken', 'log.isUntaken'],
  loadBlock: ['block.loaded', 'block.corrupt'],
  nextPart: ['block.loaded', 'block.corrupt'],
  nextBlock: ['block.loaded', 'transaction.isLarge'],
  spillLines: ['lines.spilled', 'lines.refused'],
  logEnd: ['log.end'],
  awaitSnapshotStart: ['snapshot.isStarted', 'snapshot.hasFailed'],
  subscribeMaterializer: ['consumer.subscribed'],
  readBlock: ['history.blockRead', 'history.isGone'],
  confirmHandle: ['handle.isKept', 'handle.isGone'],
  takeSnapshot: ['snapshot.completed', 'snapshot.failed'],
  addRelation: ['relation.published', 'relation.refused'],
  addRelations: ['publication.altered', 'publication.refused', 'publication.unavailable'],
  dropRelations: ['publication.altered', 'publication.refused', 'publication.unavailable'],
  reviewRelations: ['publication.reviewed', 'publication.unavailable'],
  'router.route': ['block.partlyRouted', 'block.touches', 'layer.ready', 'block.delivered'],
  'router.routeOn': ['block.partlyRouted', 'block.touches', 'layer.ready', 'block.delivered'],
  'router.nextLayer': ['layer.ready', 'block.delivered'],
  'router.unanswered': ['block.notTaken'],
  'router.concerned': ['dormant.touched'],
  'router.idleAt': ['shapes.idle'],
  'router.rest': ['shapes.areAtRest'],
  'router.standing': ['followers.none', 'followers.stand'],
  'router.admit': ['followers.none', 'followers.stand'],
  'progress.notTaken': ['return.awaited'],
  'progress.checkReturns': ['return.awaited', 'shapes.overdue'],
  'log.locate': ['log.located'],
  'log.leavePace': ['log.located'],
  'log.take': ['log.taken', 'log.withdrawn', 'log.ended'],
  'log.takeUnrouted': ['log.taken', 'part.taken', 'log.ended'],
  values: ['values.applied'],
  materializers: ['subscribers.counted'],
  dependants: ['subscribers.counted'],
  relations: [
    'relations.awaited',
    'relations.due',
    'relations.published',
    'relations.refused',
    'relations.toReview',
    'relations.toAdd',
    'relations.toDrop',
    'relations.settled',
    'shapes.lost',
    'refusals.gathered',
  ],
  directory: [
    'shape.found',
    'shape.reserved',
    'shape.started',
    'shape.refused',
    'shape.condemned',
    'shape.unknown',
    'shape.isKept',
    'shape.isGone',
    'shape.gone',
    'shapes.partlyEntered',
    'shapes.entered',
    'shapes.rested',
    'shapes.restored',
    'shapes.mayRest',
    'shapes.condemned',
    'shapes.purged',
  ],
};

const named: readonly [string, WalkedMachine][] = walkedMachines.map((walked) => [walked.machine.id, walked]);

test.each(named)('%s takes each answer to a call of its own, and each timer that it has not cancelled, however late', (_, walked) => {
  expect(unhandledReplies(walked, ANSWERS)).toEqual([]);
});

test('an answer that comes after its caller has moved on is named', () => {
  const machine = setup({ actions: { ...effects } }).createMachine({
    id: 'caller',
    initial: 'asking',
    states: {
      asking: {
        entry: { type: 'call', params: { to: '@oracle', request: { type: 'ask' }, as: 'oracle' } },
        on: { 'oracle.answered': 'content', 'oracle.failed': 'content', bored: 'content' },
      },
      content: { on: { 'oracle.failed': {} } },
    },
  });

  const unhandled = unhandledReplies(
    { machine, inputs: [{}], events: [{ type: 'bored' }, { type: 'oracle.answered' }] },
    { ask: ['oracle.answered'] },
  );

  expect(unhandled).toEqual(['content ← oracle.answered']);
});

test('a timer that outlasts the states that hear of it is named, and none that was cancelled', () => {
  const wait = (name: string) => ({ type: 'startTimer' as const, params: { name, delayMs: 1 } });
  const machine = setup({ actions: { ...effects } }).createMachine({
    id: 'sleeper',
    initial: 'resting',
    states: {
      resting: {
        entry: [wait('nap'), wait('night')],
        exit: { type: 'cancelTimer', params: { name: 'nap' } },
        on: { 'timeout.nap': 'awake', 'timeout.night': 'awake', called: 'awake' },
      },
      awake: {},
    },
  });
  const events = ['called', 'timeout.nap', 'timeout.night'].map((type) => ({ type }));

  expect(unhandledReplies({ machine, inputs: [{}], events }, {})).toEqual(['awake ← timeout.night']);
});
