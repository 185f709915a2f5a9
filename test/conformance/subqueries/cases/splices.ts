/** How moves are told: views, queries, what waits meanwhile, and how a filter is taken apart. */
import type { Case, Held } from '../case.ts';

const lines = (title: string): Held => ['actors/consumer/splice-lines.test.ts', title];
const dependent = (title: string): Held => ['actors/consumer/dependent-consumer.test.ts', title];
const logPorts = (title: string): Held => ['storage/log/log-ports.test.ts', title];
const values = (title: string): Held => ['actors/link-values.test.ts', title];
const ends = (title: string): Held => ['actors/materializer-ends.test.ts', title];
const placement = (title: string): Held => ['actors/consumer/splice-placement.test.ts', title];
const service = (title: string): Held => ['service/dependent-shapes.test.ts', title];
const once = (title: string): Held => ['conformance/subqueries/once.test.ts', title];
const spliceControls = (title: string): Held => ['explore/controls/splice-controls.ts', title];
const where = (title: string): Held => ['sql/where-subqueries.test.ts', title];
const routing = (title: string): Held => ['shapes/subquery-routing.test.ts', title];
const held = (says: string, ...heldBy: readonly Held[]): Case => ({ says, heldBy });

export const SPLICES: Readonly<Record<string, Case>> = {
  'Q-01': held(
    'a view decides which rows of a transaction are taken',
    lines('of a transaction the shape takes the rows that its view selects'),
  ),
  'Q-02': held(
    'NOT IN: a value that comes is an event',
    lines('where the filter wants what is not selected, a value that goes brings rows, and one that comes is an event alone'),
  ),
  'Q-03': held(
    'NOT IN: a value that goes is a query',
    lines('where the filter wants what is not selected, a value that goes brings rows, and one that comes is an event alone'),
    ['service/wiring/move-target.test.ts', 'where the filter wants what is not selected, rows are asked for by %s'],
  ),
  'Q-04': held(
    'what a query saw comes first, what it did not see comes last',
    lines('what the query saw comes before the moves, by the view before; what it did not see behind its rows, by the view after'),
  ),
  'Q-05': held(
    'each side of a splice is by its own view',
    lines('what the query saw comes before the moves, by the view before; what it did not see behind its rows, by the view after'),
  ),
  'Q-06': held(
    'a row that crosses between the values',
    lines('a row that goes to the value that comes leaves by the view before, and comes by the view after'),
  ),
  'Q-07': held(
    'the log has passed all that was seen',
    dependent('a splice is recorded when the log has passed where the WAL of its query ended, and not before'),
  ),
  'Q-08': held(
    'nothing is under way: it is waited for all the same',
    dependent('a query that saw nothing beyond where the shape stands looks no further back than there'),
    logPorts('who waits until the log has passed an LSN has Postgres asked, until what came is durable'),
  ),
  'Q-09': held(
    'a query without rows',
    lines('a query that brings nothing ends with no snapshot-end'),
    ['storage/shapes/splices.test.ts', 'rows go when a checkpoint has the lines of their splice, and with their shape'],
  ),
  'Q-10': held(
    'an LSN that was told before',
    logPorts('who waits for an LSN that the log has passed already is answered, and Postgres is not asked'),
  ),
  'Q-11': held(
    'an older LSN comes later',
    ['actors/collector/log-progress.test.ts', 'the LSN that is promised is one at which the log ended, and only grows'],
  ),
  'Q-12': held(
    'moves that come while a splice is made',
    dependent('a move that comes while a splice is made is the next one, when the shape has read on as far as that looked ahead'),
  ),
  'Q-13': held(
    'they change nothing before their turn',
    dependent('a move is taken at once, wherever the shape stands in a splice, and holds the splice up nowhere'),
  ),
  'Q-14': held(
    'one splice behind another',
    dependent('a splice behind another one is seen and read from its own beginning'),
    logPorts('however many wait for what Postgres has logged, it is asked for all together, and each goes on when its own has come'),
  ),
  'Q-15': held(
    'the value of a splice goes while it is made',
    lines('a value that goes while the splice is made that brings it goes with the next one'),
  ),
  'Q-16': held(
    'two values are one splice',
    lines('all that has moved is one splice: what comes is told before what goes, each in one event with all transactions'),
  ),
  'Q-17': held(
    'in and out before either is told',
    lines('what has come and gone again is told by nothing, and the next splice begins behind it'),
  ),
  'Q-18': held(
    'two values go in one event',
    lines('all that has moved is one splice: what comes is told before what goes, each in one event with all transactions'),
  ),
  'Q-19': held(
    'more waits than may be kept',
    values('a dependant for which more moves are kept than may be is named again and again, until it is gone and they are forgotten'),
    ends('a dependant that does not take what moved ends, and nobody else does'),
    placement('a splice moves what was told, and no more than so many values of a column'),
  ),
  'Q-20': held(
    'a truncate while a splice is made',
    lines('a truncate that the query saw ends the shape, and nothing of the splice is told'),
    service('the children are truncated'),
  ),
  'Q-21': held(
    'moves of what the shape does not look up',
    dependent('a move of values that the shape does not look up is our bug, and said so'),
  ),
  'Q-22': held('an answer to no question', once('a Consumer that is told $what ends its shape and those that depend on it, and no other')),
  'Q-23': held(
    'what is queued is net, and told in an order that keeps rows',
    values('moves between two versions are net, sorted, and name all transactions that moved something, whatever the order of their xids'),
    spliceControls('what becomes false is told before what becomes true'),
    values('so many moves as a splice takes: the highest version with no more, but one transaction’s at the least'),
  ),
  'Q-24': held(
    'a filter in disjuncts, with NOT at the leaves',
    where('look up canonical texts, and negate at the leaves'),
    where('has those within it in canonical form as well, and as many as may nest'),
    ['service/negated-subqueries.test.ts', 'nothing is missing or left over after anything at random'],
  ),
  'Q-25': held(
    'layers, and who depends on what is not there',
    routing('inner shapes take a block before those that depend on them, depth by depth; one layer where one depth is touched'),
    ['shapes/dependency-graph.test.ts', 'a shape that depends on %s is refused in words, and changes nothing'],
  ),
};
