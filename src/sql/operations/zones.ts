/**
 * `timezone`: what clocks show elsewhere, and when they show it. The offsets of a zone are written in its name, or are an interval, or are
 * the database's: of those the rules are known when a filter is checked.
 */
import type { TimeZone } from '../../model/time-zone.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { MICROS_PER_SECOND } from '../values/calendar.ts';
import { isInfinite } from '../values/civil-time.ts';
import { offsetAt, offsetShown } from '../values/clocks.ts';
import type { ScalarName } from '../values/type-names.ts';
import { asInterval, asMicros, type Value } from '../values/values.ts';
import { known } from './moments.ts';
import { call, within, type Overload, type Overloads } from './operation.ts';

/** In micros to the east. @param moment in micros, UTC or as clocks show it. */
type Offset = (zone: Value, moment: bigint) => bigint;

const SECOND = BigInt(MICROS_PER_SECOND);
const SHOWN: readonly ScalarName[] = ['timestamp', 'timestamptz'];

export const ZONE_FUNCTIONS: Overloads = {
  timezone: SHOWN.flatMap((type) => [zoned('interval', type, zoneSpan), zoned('text', type, zoneNamed)]),
};

/** `timezone` with a name of this zone. */
export function inZone(zone: TimeZone): readonly Overload[] {
  return SHOWN.map((type) => {
    const offset = type === 'timestamp' ? offsetShown : offsetAt;
    return zoned('text', type, (_, moment) => BigInt(offset(zone, Number(wholeSeconds(moment)))) * SECOND);
  });
}

function zoned(takes: ScalarName, type: ScalarName, offset: Offset): Overload {
  const [gives, sign] = type === 'timestamp' ? ['timestamptz', -1n] as const : ['timestamp', 1n] as const;
  const run = (zone: Value, moment: Value): Value => {
    const micros = asMicros(moment);
    return isInfinite(micros) ? micros : known(BigInt(micros) + sign * offset(zone, BigInt(micros)));
  };
  return { takes: [takes, type], gives, operation: call('timezone', run) };
}

/** Towards the past. */
function wholeSeconds(micros: bigint): bigint {
  return (micros - (((micros % SECOND) + SECOND) % SECOND)) / SECOND;
}

/** A zone has no fractions of a second. */
function zoneSpan(zone: Value): bigint {
  const { months, days, micros } = asInterval(zone);
  if (months !== 0 || days !== 0) throw new EvaluationError('22023', 'interval time zone must not include months or days');
  return (micros / SECOND) * SECOND;
}

const NAMES = ['utc', 'gmt', 'zulu', 'universal', 'greenwich', 'uct', 'gmt0', 'gmt+0', 'gmt-0'];
const ZONES: ReadonlySet<string> = new Set(['z', ...NAMES, ...NAMES.map((name) => `etc/${name}`)]);
/** As POSIX has it: positive to the west. */
const OFFSET = /^(?:utc|gmt)?([+-])(\d{1,3})(?::([0-5]?\d))?(?::([0-5]?\d))?$/;
const OFFSET_HOURS_MAX = 167;
const ETC = /^etc\/gmt(\+(?:[1-9]|1[0-2])|-(?:[1-9]|1[0-4]))$/;

/** One whose name says all. */
export function isKnownZone(name: string): boolean {
  return offsetOf(name) !== undefined;
}

function zoneNamed(zone: Value): bigint {
  const name = String(zone);
  return within(offsetOf(name), () => new EvaluationError('22023', `time zone "${name}" is not calculated here`));
}

/** In micros to the east; undefined for a zone with rules, or none. */
function offsetOf(zone: string): bigint | undefined {
  const name = zone.toLowerCase();
  if (ZONES.has(name)) return 0n;
  const [, sign, written, minutes = '0', seconds = '0'] = OFFSET.exec(ETC.exec(name)?.[1] ?? name) ?? [];
  if (written === undefined || Number(written) > OFFSET_HOURS_MAX) return undefined;
  const size = BigInt((Number(written) * 60 + Number(minutes)) * 60 + Number(seconds)) * SECOND;
  return sign === '+' ? -size : size;
}
