import fc from 'fast-check';
import { SLEPT } from '../../../src/actors/down-cause.ts';
import type { DirectoryPorts } from '../../../src/actors/directory/directory-ports.ts';
import { ShapeDirectory, type DirectoryChange } from '../../../src/actors/directory/shape-directory.ts';
import { Copies, type Fork } from '../../../src/base/fork.ts';
import type { Handle } from '../../../src/model/shape.ts';
import type { ExitReason, Pid, ReplyTo } from '../../../src/otp/process.ts';
import { tableContract, type World } from '../../support/otp/table-contract.ts';
import { handleOf, shapeOf } from '../../support/shapes.ts';
import { ModelShapeLogs, type ModelShapeLog } from '../../support/storage/model-shape-logs.ts';
import { pgSnapshot } from '../../support/storage/stored-samples.ts';

const [one, two] = [shapeOf({ where: { column: 'title', equals: 'one' } }), shapeOf({ where: { column: 'title', equals: 'two' } })];
const three = { ...shapeOf({ where: { column: 'title', equals: 'three' } }), dependencies: [{ shape: two, column: 'id' }] };
/** Made with an inner shape that nobody has asked for. */
const four = {
  ...shapeOf({ where: { column: 'title', equals: 'four' } }),
  dependencies: [{ shape: three, column: 'id' }, { shape: one, column: 'id' }],
};
const unfit = shapeOf({ where: { column: 'title', equals: 'unfit' } });
const definitions = [one, two, three];

/** Stored shapes, and who was told that a handle serves no more. The third takes values from the second; of the first there is half. */
class DirectoryWorld implements World<DirectoryWorld> {
  private readonly copies = new Copies<DirectoryWorld>();

  constructor(
    readonly logs: ModelShapeLogs,
    private readonly rotated: Handle[] = [],
  ) {}

  static begin(): DirectoryWorld {
    const logs = new ModelShapeLogs();
    const stored = definitions.map((definition, index) => {
      return logs.create(handleOf(index + 1), definition, definition === three ? [handleOf(2)] : []);
    });
    for (const shape of stored.slice(1)) shape.takeSnapshot(pgSnapshot);
    return new DirectoryWorld(logs);
  }

  get ports(): DirectoryPorts {
    return {
      shapeLogs: this.logs,
      clock: { epochMicros: () => 7 },
      mayRest: (handle) => this.logs.get(handle)?.restsAt !== undefined,
      faultOf: (definition) => (definition === unfit ? 'it is too long' : undefined),
      rotated: (gone) => void this.rotated.push(gone),
      clone: (fork) => this.clone(fork).ports,
    };
  }

  shape(index: number): ModelShapeLog | undefined {
    return [...this.logs.all()][index];
  }

  clone(fork: Fork): DirectoryWorld {
    return this.copies.of(fork, () => new DirectoryWorld(this.logs.clone(fork), [...this.rotated]));
  }

  key(): string {
    return JSON.stringify([this.logs.key(), this.rotated]);
  }
}

/** What becomes of the shape at this place, or is asked about it. */
interface ShapeStep {
  readonly of: number;
  readonly what:
    | 'noteReader' | 'touched' | 'idle' | 'stayed' | 'goneAlong'
    | 'started' | 'refused' | 'delayed' | 'condemn' | 'confirm' | 'condemnShapes' | 'expire' | 'snapshot'
    | { readonly down: ExitReason };
}

function directoryChange({ of, what }: ShapeStep, world: DirectoryWorld): DirectoryChange | undefined {
  const found = world.shape(of)?.handle ?? handleOf(9);
  const [pid, call] = [`consumer#${found}` as Pid, 'call#9' as ReplyTo];
  switch (what) {
    case 'noteReader':
      return { type: what, handle: found };
    case 'touched':
      return { type: what, handles: [found] };
    case 'idle':
    case 'stayed':
      return { type: what, handles: [found], consumers: [pid] };
    case 'goneAlong':
      return void world.shape(of)?.publish(world.logs.position);
    case 'started':
      return { type: what, handle: found, pid };
    case 'refused':
      return { type: what, handle: found, why: 'no room' };
    case 'delayed':
      return { type: 'refused', handle: found, why: 'it is still there', isDelayed: true };
    case 'condemn':
    case 'confirm':
      return { type: what, handle: found, why: 'asked', replyTo: call };
    case 'condemnShapes':
    case 'expire':
      return { type: what, handles: [found], why: 'lost' };
    case 'snapshot':
      return void world.shape(of)?.takeSnapshot(pgSnapshot);
    default:
      return { type: 'down', pid, reason: what.down };
  }
}

const down = fc.constantFrom<ExitReason>(
  { shutdown: 'drain' },
  SLEPT,
  'killed',
  'noproc',
  { shutdown: { delete: 'replicaIdentity', xid: 7, lsn: '7' } },
  { shutdown: { delete: 'snapshotFailed', error: 'no table' } },
);
const what = fc.oneof<fc.Arbitrary<ShapeStep['what']>[]>(
  fc.constantFrom('noteReader', 'started', 'started', 'started', 'refused', 'delayed', 'condemn', 'confirm'),
  fc.constantFrom('condemnShapes', 'expire', 'snapshot', 'touched', 'goneAlong', 'idle', 'stayed'),
  fc.record({ down }),
);

tableContract('ShapeDirectory', {
  world: () => DirectoryWorld.begin(),
  table: ({ ports }) => new ShapeDirectory(ports, 2),
  steps: fc.oneof<fc.Arbitrary<DirectoryChange | ShapeStep>[]>(
    fc.record({ of: fc.nat(4), what }),
    fc.tuple(fc.constantFrom(...definitions, four, unfit), fc.constantFrom('call#1', 'call#2')).map(([definition, call]) => {
      return { type: 'reserve', definition, replyTo: call as ReplyTo };
    }),
    fc.constantFrom<DirectoryChange>({ type: 'enterMore' }, { type: 'restMore' }, { type: 'restoreNext' }, 'settle'),
    fc.constant<DirectoryChange>({ type: 'purge', why: 'asked', replyTo: 'call#8' as ReplyTo }),
  ),
  play(table, step, world) {
    const change = typeof step === 'object' && 'of' in step ? directoryChange(step, world) : step;
    return change && table.apply(change);
  },
});
