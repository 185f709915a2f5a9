/** The systems that are searched, by their names: a scenario says which it is of, within which bounds, and without which cure. */
import * as z from 'zod';
import { invariant } from '../../src/base/invariant.ts';
import type { System, World } from './checker/system.ts';
import type { Control } from './controls/control.ts';
import { handOverControls } from './controls/hand-over-controls.ts';
import { handleControls } from './controls/handle-controls.ts';
import { spliceControls } from './controls/splice-controls.ts';
import { handOverSystem, VICTIMS, type HandOverBounds } from './hand-over/hand-over-system.ts';
import { handleSetting, SHAPE_NAMES } from './handles/handle-setting.ts';
import { FATES, handleSystem, type HandleBounds } from './handles/handle-system.ts';
import { SCRIPTS, type ScriptName } from './splices/splice-scripts.ts';
import { CASTS, type CastName } from './splices/splice-shapes.ts';
import { spliceSystem, type SpliceBounds } from './splices/splice-system.ts';

export const SYSTEM_NAMES = ['hand-over', 'splice', 'handles'] as const;

/** Of a system that can be searched. */
export interface Setting {
  readonly system: (typeof SYSTEM_NAMES)[number];
  /** As the system has them. */
  readonly bounds: Readonly<Record<string, unknown>>;
  /** By its name, the cure that is taken out; all are in place where none is named. */
  readonly control?: string | undefined;
}

interface ControlSetting extends Setting {
  readonly control: string;
  readonly breaks: string;
}

type Act<Result> = <Kind extends World<Kind>>(system: System<Kind>) => Result | Promise<Result>;

interface Searched {
  readonly controls: readonly Pick<Control<object, never>, 'name' | 'bounds' | 'breaks'>[];
  use<Result>(setting: Setting, act: Act<Result>): Promise<Result>;
}

const count = z.int().min(0);
const common = { transactions: count, kills: count, timeouts: count, restarts: count };

const handOverBounds: z.ZodType<HandOverBounds> = z.strictObject({
  ...common,
  rests: z.exactOptional(z.literal(true)),
  victims: z.exactOptional(z.array(z.enum(VICTIMS))),
});
const spliceBounds: z.ZodType<SpliceBounds> = z.strictObject({
  ...common,
  crashes: count,
  script: z.enum(Object.keys(SCRIPTS) as ScriptName[]),
  cast: z.exactOptional(z.enum(Object.keys(CASTS) as CastName[])),
  moveOuts: z.enum(['events', 'deletes']),
  isShownAtOnce: z.exactOptional(z.literal(true)),
  drains: z.exactOptional(z.literal('outer')),
  powerWent: z.exactOptional(count),
});

const shape = z.enum(SHAPE_NAMES);
const handleBounds: z.ZodType<HandleBounds> = z.strictObject({
  kills: count,
  timeouts: count,
  live: z.exactOptional(z.array(shape)),
  asks: z.array(shape),
  rests: z.exactOptional(z.literal(true)),
  fates: z.partialRecord(z.enum(FATES), count),
  late: z.exactOptional(z.array(z.enum(['@consumers', '@publication', '@snapshots']))),
  victims: z.enum(['shapes', 'requests']),
});

const SYSTEMS: Readonly<Record<Setting['system'], Searched>> = {
  'hand-over': searched(handOverBounds, handOverSystem, handOverControls),
  splice: searched(spliceBounds, spliceSystem, spliceControls),
  handles: searched(handleBounds, async (bounds) => handleSystem(await handleSetting(), bounds), handleControls),
};

function searched<Bounds extends object, Kind extends World<Kind>>(
  schema: z.ZodType<Bounds>,
  make: (bounds: Bounds) => Promise<System<Kind>>,
  controls: readonly Control<Bounds, Kind>[],
): Searched {
  return {
    controls,
    async use({ bounds, control }, act) {
      const changed = controls.find(({ name }) => name === control);
      invariant(control === undefined || changed !== undefined, `the system has a control in which ${control}`);
      return act(await (changed?.make ?? make)(schema.parse(bounds)));
    },
  };
}

/** Makes the system of a setting and has something done with it. */
export function withSystem<Result>(setting: Setting, act: Act<Result>): Promise<Result> {
  return SYSTEMS[setting.system].use(setting, act);
}

/** A setting for each control, and the property that is broken there. */
export const controlSettings: readonly ControlSetting[] = SYSTEM_NAMES.flatMap((system) =>
  SYSTEMS[system].controls.map(({ name, bounds, breaks }) => ({ system, control: name, bounds: { ...bounds }, breaks })),
);
