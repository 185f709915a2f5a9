/** Dates and times in random spellings, most of which Postgres reads. */
import fc from 'fast-check';

const MONTHS = ['Jan', 'february', 'MAR', 'April', 'may', 'Sept', 'sep', 'October', 'dec'];
const digits = (value: number, width: number): string => String(value).padStart(width, '0');

const year = fc.oneof(
  fc.integer({ min: 1900, max: 2100 }).map(String), fc.constantFrom('0044', '999', '294276', '12024', '5874897', '4714', '0001', '0000'),
);
const month = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(0, 13));
const day = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 28 }) }, fc.integer({ min: 29, max: 31 }));
const width = fc.constantFrom(1, 2, 2);
const sign = fc.constantFrom('-', '-', '/', '.');
const written = fc.tuple(
  fc.oneof(fc.integer({ min: 1900, max: 2100 }).map(String), fc.constantFrom('0044', '999', '12024', '0001', '0000')),
  fc.constantFrom(...MONTHS), day, width, fc.constantFrom('-', '/', '.', ' ', '  '),
);

const numbered = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(year, month, day, width, sign).map(([y, m, d, w, s]) => [y, digits(m, w), digits(d, w)].join(s)) },
  fc.tuple(fc.integer({ min: 1000, max: 9999 }), month, day).map(([y, m, d]) => `${y}${digits(m, 2)}${digits(d, 2)}`),
  fc.oneof(fc.integer({ min: 2_400_000, max: 2_500_000 }), fc.constantFrom(0, 2_147_483_493, 9_999_999)).map((number) => `J${number}`),
);
/** With the name of a month. */
const named = fc.oneof(
  written.map(([y, m, d, w, s]) => [y, m, digits(d, w)].join(s)), written.map(([y, m, d, w, s]) => [digits(d, w), m, y].join(s)),
  written.map(([y, m, d, w, s]) => [m, digits(d, w), y].join(s)), written.map(([y, m, d, w]) => `${m} ${digits(d, w)}, ${y}`),
);
const fraction = fc.oneof(fc.constant(''), fc.stringMatching(/^\.[0-9]{1,9}$/), fc.constantFrom('.9999995', '.0000005', '.999999'));
const hour = fc.integer({ min: 0, max: 24 });
const sixty = fc.integer({ min: 0, max: 60 });
const half = fc.constantFrom('', '', '', ' AM ', ' pm ', 'PM ');
const zone = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom('Z', ' z', ' UTC', ' gmt', '+02', '-0830', ' +05:30', '-15:59:59', '+16', '-7', '+530'),
);
export const daytimes = fc.oneof(
  fc.tuple(hour, sixty, width, half, zone).map(([h, m, w, p, z]) => `${digits(h, w)}:${digits(m, w)}${p}${z}`),
  fc.tuple(hour, sixty, sixty, fraction, width, half, zone).map(([h, m, s, f, w, p, z]) => {
    return `${digits(h, w)}:${digits(m, w)}:${digits(s, w)}${f}${p}${z}`;
  }),
  fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), sixty, fraction, zone).map(([h, m, s, f, z]) => {
    return `${digits(h, 2)}${digits(m, 2)}${digits(s, 2)}${f}${z}`;
  }),
  fc.constantFrom('24:00', '24:00:00', '23:59:60', '24:00:00.000001', '23:59:59.9999999', '12:00 AM', '12:30 PM', '13:00 PM'),
);
const era = fc.constantFrom('', '', '', ' BC', ' ad');

/** What a date, a timestamp and a timestamptz may be given as. */
export const momentSpellings: fc.Arbitrary<string> = fc.oneof(
  { weight: 2, arbitrary: fc.tuple(fc.oneof(numbered, named), era).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.tuple(numbered, fc.constantFrom(' ', 'T', '  ', 't'), daytimes, era).map((parts) => parts.join('')) },
  { weight: 4, arbitrary: fc.tuple(named, fc.constantFrom(' ', '  '), daytimes, era).map((parts) => parts.join('')) },
  fc.constantFrom('infinity', '-infinity', 'epoch', ' Epoch ', '2024-01-01 24:00', '294276-12-31 24:00'),
);
