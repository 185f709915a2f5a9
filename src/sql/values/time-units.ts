/** TimeUnit: what a moment or an interval is cut to, or asked for, by all the names that Postgres has for it. */

export type TimeUnit =
  | 'microsecond' | 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year' | 'decade' | 'century'
  | 'millennium' | 'isoyear' | 'dow' | 'isodow' | 'doy' | 'julian' | 'epoch' | 'timezone' | 'timezone_hour' | 'timezone_minute';

/** More of a name is read over. */
const NAME_CHARACTERS_MAX = 10;
const NAMES: readonly (readonly [unit: TimeUnit, names: string])[] = [
  ['microsecond', 'microsecond us usec usecs usecond useconds'],
  ['millisecond', 'millisecond ms msec msecs msecond mseconds'],
  ['second', 'second seconds s sec secs'],
  ['minute', 'minute minutes m min mins'],
  ['hour', 'hour hours h hr hrs'],
  ['day', 'day days d'],
  ['week', 'week weeks w'],
  ['month', 'month months mon mons'],
  ['quarter', 'quarter qtr'],
  ['year', 'year years y yr yrs'],
  ['decade', 'decade decades dec decs'],
  ['century', 'century centuries c cent'],
  ['millennium', 'millennium millennia mil mils'],
  ...(['isoyear', 'dow', 'isodow', 'doy', 'julian', 'epoch', 'timezone', 'timezone_hour', 'timezone_minute'] as const)
    .map((unit) => [unit, unit] as const),
];
const UNITS: ReadonlyMap<string, TimeUnit> = new Map(
  NAMES.flatMap(([unit, names]) => names.split(' ').map((name) => [name.slice(0, NAME_CHARACTERS_MAX), unit])),
);

/** @returns undefined for a name that is none, or one that is not known here. */
export function timeUnitOf(name: string): TimeUnit | undefined {
  const letters = name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  return UNITS.get(letters.slice(0, NAME_CHARACTERS_MAX));
}
